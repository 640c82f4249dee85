/** XNNPACK's names of what computes each TFLite operator; the one that does the work, not what prepares for it. */
const mains: Readonly<Record<string, RegExp>> = {
  ABS: /^Abs/,
  ADD: /^Add/,
  AVERAGE_POOL_2D: /^(Average Pooling|Clamp)/,
  BATCH_MATMUL: /^Batch Matrix/,
  CEIL: /^Ceil/,
  CONCATENATION: /^Copy/,
  CONV_2D: /^(Convolution|(Dynamic )?Fully Connected)/,
  COS: /^Cos/,
  Convolution2DTransposeBias: /^Deconvolution/,
  DEPTHWISE_CONV_2D: /^Convolution/,
  DEPTH_TO_SPACE: /^Depth To Space/,
  DEQUANTIZE: /^Convert \(NC\)/,
  DIV: /^Divide/,
  ELU: /^ELU/,
  EXP: /^Exp/,
  FLOOR: /^Floor/,
  FULLY_CONNECTED: /^(Dynamic )?Fully Connected/,
  GELU: /GELU/,
  HARD_SWISH: /^HardSwish/,
  LEAKY_RELU: /^Leaky/,
  LOG: /^Log/,
  LOGISTIC: /^Sigmoid/,
  MAX_POOL_2D: /^(Max Pooling|Clamp)/,
  MAXIMUM: /^Maximum/,
  MEAN: /^(Mean|Normalize)/,
  MINIMUM: /^Minimum/,
  MUL: /^Multiply/,
  NEG: /^Negate/,
  PAD: /^Constant Pad/,
  PRELU: /^PReLU/,
  QUANTIZE: /^Convert \(NC\)/,
  REDUCE_MAX: /^Reduce Max/,
  REDUCE_MIN: /^Reduce Min/,
  RELU: /^Clamp/,
  RELU6: /^Clamp/,
  RELU_N1_TO_1: /^Clamp/,
  RESHAPE: /^(Static Reshape|Copy)/,
  RESIZE_BILINEAR: /^Resize/,
  ROUND: /Rounding/,
  RSQRT: /^Reciprocal Square Root/,
  SIN: /^Sin/,
  SLICE: /^Slice/,
  SOFTMAX: /^Softmax/,
  SPACE_TO_DEPTH: /^Space To Depth/,
  SPLIT: /^(Copy|Slice)/,
  SQRT: /^Square Root/,
  SQUARE: /^(Square \(|Multiply)/,
  SQUARED_DIFFERENCE: /Squared/,
  STRIDED_SLICE: /^Slice/,
  SUB: /^Subtract/,
  SUM: /^Sum/,
  TANH: /^TanH/,
  TRANSPOSE: /^Transpose/,
  TRANSPOSE_CONV: /^Deconvolution/,
};
const helpers = /^(Static Reshape|Convert|Copy|Transpose|Clamp|Invalid)/;
/** Operators of several equal kernels. */
const multiple = new Set(['CONCATENATION', 'SPLIT']);

const cost = { helper: 0.5, stranger: 4, twice: 1, fused: 1 };
/** A mean cost over this is guesswork. */
const worstMean = 1;

/**
 * Tells which operator of the graph each of XNNPACK's kernels belongs to. XNNPACK adds kernels that reshape and
 * convert, and computes some operators inside others, but keeps the order: the cheapest alignment of the two lists.
 * @param ops operators of one stretch of the graph, by builtin name, in order
 * @returns for each kernel a position in `ops`; undefined when the two do not fit together
 */
export function alignKernels(kernels: readonly string[], ops: readonly string[]): number[] | undefined {
  if (kernels.length === 0 || ops.length === 0) return undefined;
  const from: Int32Array[] = [];
  let previous: Float64Array | undefined;
  for (const kernel of kernels) {
    const current = new Float64Array(ops.length);
    const source = new Int32Array(ops.length);
    // Best of all earlier operators, each one left out on the way costing the same.
    let best = Number.POSITIVE_INFINITY;
    let bestAt = -1;
    for (let j = 0; j < ops.length; j++) {
      const isMain = mains[ops[j]]?.test(kernel) ?? false;
      const own = isMain ? 0 : helpers.test(kernel) ? cost.helper : cost.stranger;
      if (!previous) {
        current[j] = own + j * cost.fused;
        source[j] = -1;
        continue;
      }
      const again = isMain && !multiple.has(ops[j]) ? cost.twice : 0;
      const stay = previous[j] + again;
      const move = best + (j - 1) * cost.fused;
      current[j] = own + Math.min(stay, move);
      source[j] = stay <= move ? j : bestAt;
      const candidate = previous[j] - j * cost.fused;
      if (candidate < best) {
        best = candidate;
        bestAt = j;
      }
    }
    from.push(source);
    previous = current;
  }
  const ends = Array.from(previous ?? [], (value, j) => value + (ops.length - 1 - j) * cost.fused);
  let at = ends.indexOf(Math.min(...ends));
  if (ends[at] / Math.max(kernels.length, ops.length) > worstMean) return undefined;
  const aligned = new Array<number>(kernels.length);
  for (let i = kernels.length - 1; i >= 0; i--) {
    aligned[i] = at;
    at = from[i][at];
  }
  return aligned;
}
