import type { QuantParams } from '../ir/graph.ts';
import { type Tensor, toFloat32 } from '../ir/tensor.ts';
import { symmetricLimit, symmetricScale } from '../kernels/affine.ts';
import { axisView } from '../kernels/quantize.ts';
import { leastSquaresScales } from '../kernels/scale-search.ts';
import { absMaxOf, absMaxPerAxis } from '../kernels/scan.ts';

/** Largest magnitude of a quantized bias: a quarter of int32, so that accumulators do not overflow. */
export const largestBias = 2 ** 30;

/** Requantization factors below this are out of the integer kernels' reach (XNNPACK wants at least 2⁻³²). */
const smallestRequantization = 2 ** -31;

/**
 * XNNPACK fails to open a file with a factor of 256 or more. One step of the accumulator then spans all results, so
 * that clipping such weights changes nothing that could be told apart.
 */
const largestRequantization = 255;

export interface WeightContext {
  /** Scale of the activation that the weights meet. */
  readonly inputScale: number;
  /** Scale of what the operator makes. */
  readonly outputScale: number;
  /** The float bias, when there is one. */
  readonly bias?: ArrayLike<number>;
  /** Whether the bias is stored in int32. */
  readonly narrowBias: boolean;
}

/** Largest magnitude of weights of 7 bits. */
const reducedLimit = 64;

/** Parameters of constant weights; `limit` where their integers must not use all that the type holds. */
export interface WeightParams extends QuantParams {
  readonly limit?: number;
}

/**
 * Symmetric scales of constant weights, per channel along `axis` or per tensor where it is null: from the largest
 * magnitude at 8 bits, for the least squared error at 4. A channel of zeros takes the largest scale of the tensor, so
 * that its bias keeps a useful step.
 * @param reduced keeps int8 weights within 7 bits
 */
export function weightParams(
  tensor: Tensor,
  axis: number | null,
  type: 'int4' | 'int8',
  reduced = false,
): WeightParams {
  const params = fullRangeParams(tensor, axis, type);
  if (!reduced || type === 'int4') return params;
  const widening = symmetricLimit.int8 / reducedLimit;
  return {
    ...params,
    limit: reducedLimit,
    scales: params.scales.map((scale) => Math.fround(scale * widening)),
  };
}

function fullRangeParams(tensor: Tensor, axis: number | null, type: 'int4' | 'int8'): QuantParams {
  const data = toFloat32(tensor);
  if (axis === null) {
    return { scales: [symmetricScale(absMaxOf(data), type)], zeroPoints: [0] };
  }
  const view = axisView(tensor.shape, axis);
  const absMax = absMaxPerAxis(data, view);
  // At 8 bits clipping weights gains nothing that can be measured; at 4 bits it always does.
  const found =
    type === 'int4'
      ? leastSquaresScales(data, view, absMax, symmetricLimit.int4)
      : absMax.map((most) => symmetricScale(most, type));
  const largest = symmetricScale(absMaxOf(absMax), type);
  return {
    scales: Array.from(found, (scale, c) => (absMax[c] === 0 ? largest : scale)),
    zeroPoints: new Array<number>(view.channels).fill(0),
    axis,
  };
}

/**
 * Moves weight scales that integer kernels cannot take: wider where the bias would overflow int32 (as TensorFlow's
 * converter does) and where the requantization factor would underflow (all-but-dead channels), narrower where that
 * factor would be too large.
 */
export function fitToKernels(params: WeightParams, context: WeightContext): WeightParams {
  const step = context.outputScale / context.inputScale;
  const least = Math.fround(smallestRequantization * step);
  const most = Math.fround(largestRequantization * step);
  return {
    ...params,
    scales: params.scales.map((scale, c) => {
      let wide = Math.min(Math.max(scale, least), most);
      if (context.bias && context.narrowBias) {
        const bias = params.scales.length === 1 ? absMaxOf(context.bias) : Math.abs(context.bias[c]);
        const needed = bias / (context.inputScale * largestBias);
        if (needed > wide) wide = Math.fround(needed * (1 + 2 ** -20));
      }
      return wide;
    }),
  };
}
