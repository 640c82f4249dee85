import type { OperatorView, SubgraphView, TensorView } from '../formats/tflite/model-view.ts';
import { byteLength, type DType } from '../ir/dtype.ts';
import { elementCount } from '../ir/tensor.ts';

/** Bytes of a tensor as the runtime holds it. */
export function tensorBytes({ typeName, dtype, shape }: TensorView): number {
  const count = elementCount(shape);
  if (dtype) return dtype === 'string' ? 0 : byteLength(dtype as DType, count);
  return typeName === 'int4' ? Math.ceil(count / 2) : count;
}

/** Multiply-accumulates and bytes moved (inputs, weights and results) of one operator; macs 0 for what only moves. */
export function operatorCost(
  operator: OperatorView,
  { tensors }: SubgraphView,
): { macs: number; bytes: number } {
  const inputs = operator.inputs.map((index) => (index < 0 ? undefined : tensors[index]));
  const outputs = operator.outputs.map((index) => tensors[index]);
  const bytes = [...inputs, ...outputs].reduce((sum, tensor) => sum + (tensor ? tensorBytes(tensor) : 0), 0);
  return { macs: macsOf(operator, inputs, outputs), bytes };
}

function macsOf(
  { builtin, options }: OperatorView,
  inputs: readonly (TensorView | undefined)[],
  [output]: readonly TensorView[],
): number {
  const results = elementCount(output.shape);
  const [first, second] = inputs;
  switch (builtin) {
    case 'CONV_2D':
    case 'CONV_3D': {
      // Filters are [out, …window, in] for two axes and [window…, in, out] for three.
      const shape = second?.shape ?? [0];
      const channels = builtin === 'CONV_2D' ? shape[0] : (shape.at(-1) ?? 1);
      return (results * elementCount(shape)) / Math.max(1, channels);
    }
    case 'DEPTHWISE_CONV_2D':
      return results * elementCount(second?.shape.slice(1, 3) ?? [0]);
    case 'TRANSPOSE_CONV':
      return (
        (elementCount(inputs[2]?.shape ?? [0]) * elementCount(second?.shape ?? [0])) /
        Math.max(1, second?.shape[3] ?? 1)
      );
    case 'FULLY_CONNECTED':
      return results * (second?.shape[1] ?? 0);
    case 'BATCH_MATMUL':
      return results * (first?.shape.at(options.adj_x ? -2 : -1) ?? 0);
    default:
      return 0;
  }
}
