import type { QuantParams } from '../ir/graph.ts';
import { elementCount, type Tensor, tensorOf, toFloat32 } from '../ir/tensor.ts';
import { integerRange, type QuantizedType, symmetricLimit } from '../kernels/affine.ts';
import { packInt4 } from '../kernels/int4.ts';
import { axisView, type IntegerArray, quantizePerAxis, quantizePerTensor } from '../kernels/quantize.ts';
import { roundHalfAway } from '../kernels/rounding.ts';
import type { ValuePlan } from './plan.ts';

/** Integer limits of a constant: symmetric ones leave the lowest integer out, as the specification wants. */
function limitsOf(type: QuantizedType, symmetric: boolean): readonly [number, number] {
  if (symmetric && (type === 'int4' || type === 'int8' || type === 'int16')) {
    return [-symmetricLimit[type], symmetricLimit[type]];
  }
  return integerRange[type];
}

function storageFor(type: QuantizedType, length: number): IntegerArray {
  switch (type) {
    case 'int4':
    case 'int8':
      return new Int8Array(length);
    case 'uint8':
      return new Uint8Array(length);
    case 'int16':
      return new Int16Array(length);
    default:
      return new Int32Array(length);
  }
}

/** Parameters of a constant, and its integers where they are settled already. */
type ConstantParams = QuantParams & Pick<ValuePlan, 'integers' | 'limit'>;

/** The integers of a float constant under given parameters, unpacked (int4 one to a byte). */
export function quantizeElements(
  tensor: Tensor,
  type: Exclude<QuantizedType, 'int64'>,
  params: ConstantParams,
): IntegerArray {
  if (params.integers) return params.integers;
  const data = toFloat32(tensor);
  const out = storageFor(type, data.length);
  const symmetric = params.zeroPoints.every((zeroPoint) => zeroPoint === 0);
  const limits = params.limit ? ([-params.limit, params.limit] as const) : limitsOf(type, symmetric);
  if (params.axis === undefined) {
    return quantizePerTensor(data, params.scales[0], params.zeroPoints[0], limits, out);
  }
  return quantizePerAxis(
    data,
    axisView(tensor.shape, params.axis),
    params.scales,
    params.zeroPoints,
    limits,
    out,
  );
}

/** A float constant stored as integers under given parameters; int4 packed two to a byte. */
export function quantizeConstant(
  tensor: Tensor,
  type: Exclude<QuantizedType, 'int64'>,
  params: ConstantParams,
): Tensor {
  const elements = quantizeElements(tensor, type, params);
  return type === 'int4'
    ? { dtype: 'int4', shape: tensor.shape, bytes: packInt4(elements as Int8Array) }
    : tensorOf(type, tensor.shape, elements);
}

/**
 * A bias of one element per channel, in int32 (8-bit activations) or int64 (16-bit ones). `scales` has one entry per
 * channel, or one for all. What does not fit is held at the type's ends.
 */
export function quantizeBias(
  bias: ArrayLike<number>,
  scales: readonly number[],
  type: 'int32' | 'int64',
): Tensor {
  const [low, high] = integerRange[type];
  const length = bias.length;
  const integers = Float64Array.from({ length }, (_, i) => {
    const q = roundHalfAway(bias[i] / (scales.length === 1 ? scales[0] : scales[i]));
    return Math.min(Math.max(q, low), high);
  });
  return type === 'int32'
    ? tensorOf('int32', [length], Int32Array.from(integers))
    : tensorOf(
        'int64',
        [length],
        BigInt64Array.from(integers, (q) => BigInt(q)),
      );
}

/** Scales of a bias: input scale × weight scale, as float32 numbers (LiteRT 8-bit specification). */
export function biasScales(input: QuantParams, weights: QuantParams): number[] {
  return weights.scales.map((scale) => Math.fround(input.scales[0] * scale));
}

/** Number of elements of a constant. */
export function sizeOf(tensor: Tensor): number {
  return elementCount(tensor.shape);
}
