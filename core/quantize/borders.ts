import type { GraphBuilder } from '../ir/builder.ts';
import type { QuantParams, Value } from '../ir/graph.ts';
import { type Tensor, tensorOf } from '../ir/tensor.ts';
import type { ValuePlan } from './plan.ts';

/** The parameters alone, as values carry them. */
export function paramsOf({ scales, zeroPoints, axis }: QuantParams): QuantParams {
  return axis === undefined ? { scales, zeroPoints } : { scales, zeroPoints, axis };
}

/** The same reals in uint8: the zero point moves by 128. */
export function asUint8(plan: ValuePlan): ValuePlan {
  return { ...plan, dtype: 'uint8', zeroPoints: plan.zeroPoints.map((zeroPoint) => zeroPoint + 128) };
}

/** The other way round. */
export function asInt8(plan: ValuePlan): ValuePlan {
  return { ...plan, dtype: 'int8', zeroPoints: plan.zeroPoints.map((zeroPoint) => zeroPoint - 128) };
}

/**
 * Adds a QuantizeLinear or DequantizeLinear after `source` and returns its output, named `name` (made unique when
 * taken). Scale and zero point are constants, scalars per tensor and vectors per axis, as ONNX has them.
 */
export function addBorder(
  builder: GraphBuilder,
  op: 'QuantizeLinear' | 'DequantizeLinear',
  source: Value,
  plan: ValuePlan,
  name: string,
): Value {
  const shape = plan.axis === undefined ? [] : [plan.scales.length];
  const scale = builder.constant(`${name}/scale`, tensorOf('float32', shape, Float32Array.from(plan.scales)));
  const zeroPoint = builder.constant(`${name}/zero`, zeroPointTensor(plan, shape));
  const free = builder.freeName(name);
  const value = builder.one(
    op,
    [source, scale, zeroPoint],
    { axis: plan.axis ?? 0 },
    {
      name: free,
      outputs: [free],
      types: [{ dtype: op === 'QuantizeLinear' ? plan.dtype : 'float32', shape: source.type.shape }],
    },
  );
  return op === 'QuantizeLinear' ? builder.quantize(free, value.type, paramsOf(plan)) : value;
}

function zeroPointTensor(plan: ValuePlan, shape: readonly number[]): Tensor {
  switch (plan.dtype) {
    case 'int16':
      return tensorOf('int16', shape, Int16Array.from(plan.zeroPoints));
    case 'uint8':
      return tensorOf('uint8', shape, Uint8Array.from(plan.zeroPoints));
    case 'int32':
      return tensorOf('int32', shape, Int32Array.from(plan.zeroPoints));
    case 'int4':
      return { dtype: 'int4', shape, bytes: new Uint8Array((plan.zeroPoints.length + 1) >> 1) };
    default:
      return tensorOf('int8', shape, Int8Array.from(plan.zeroPoints));
  }
}
