import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import type { TfliteOpView } from '../facets.ts';
import {
  activationOf,
  addActivated,
  addInner,
  addLast,
  flagOption,
  inputOf,
  int64Constant,
  numberOption,
  onReals,
} from '../tflite-read-helpers.ts';

/** Without keep_num_dims everything but the last axis of the weights becomes one batch axis. */
function readFullyConnected(op: TfliteOpView, builder: GraphBuilder): void {
  if (numberOption(op, 'weights_format') !== 0) op.refuse('its weights are in a shuffled order');
  const weights = inputOf(op, 1);
  const inner = weights.type.shape[1];
  let x = inputOf(op, 0);
  const isFlat = x.type.shape.length === 2 && x.type.shape[1] === inner;
  if (!isFlat && !flagOption(op, 'keep_num_dims')) {
    const shape = int64Constant(op, builder, 'shape', [-1, inner as number]);
    const { quant } = x;
    x = addInner(op, builder, 'Reshape', [x, shape], { allowZero: false });
    if (quant && !x.constant) x = builder.quantize(x.id, x.type, quant);
  }
  const bias = op.inputs[2] ?? null;
  if (weights.constant) {
    addLast(op, builder, 'FullyConnected', [x, weights, bias], { activation: activationOf(op) });
    return;
  }
  readComputedWeights({ ...op, inputs: [x, weights, bias] }, builder);
}

const readComputedWeights = onReals((op, builder) => {
  const [x, weights] = [inputOf(op, 0), inputOf(op, 1)];
  const bias = op.inputs[2];
  const columns = addInner(op, builder, 'Transpose', [weights], { perm: [1, 0] });
  if (!bias) {
    addActivated(op, builder, 'MatMul', [x, columns]);
    return;
  }
  const product = addInner(op, builder, 'MatMul', [x, columns]);
  addLast(op, builder, 'Add', [product, bias], { activation: activationOf(op) });
});

function readBatchMatMul(op: TfliteOpView, builder: GraphBuilder): void {
  const turned = (value: Value, isTurned: boolean): Value => {
    if (!isTurned) return value;
    const perm = value.type.shape.map((_, axis) => axis);
    perm.splice(-2, 2, perm.length - 1, perm.length - 2);
    const result = addInner(op, builder, 'Transpose', [value], { perm });
    return value.quant && !result.constant ? builder.quantize(result.id, result.type, value.quant) : result;
  };
  const a = turned(inputOf(op, 0), flagOption(op, 'adj_x'));
  const b = turned(inputOf(op, 1), flagOption(op, 'adj_y'));
  addLast(op, builder, 'MatMul', [a, b]);
}

export const denseTfliteReaders = { FULLY_CONNECTED: readFullyConnected, BATCH_MATMUL: readBatchMatMul };
