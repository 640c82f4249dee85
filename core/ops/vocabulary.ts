import type { Tensor } from '../ir/tensor.ts';

/**
 * The operators of the IR and their attributes. Names and meanings are those of ONNX (ai.onnx, newest opset) unless
 * said otherwise here. What ONNX gives as constant inputs (axes, shapes, pads, …) stays an input, so that a
 * computed one can be told from a constant one; readers for other formats add constants.
 */

/** Where the channel axis of a spatial operator is: 1 (`NCHW`, also NCW and NCDHW) or last (`NHWC`, …). */
export type Layout = 'NCHW' | 'NHWC';

/** An activation fused into the operator that precedes it. ONNX is written with it unfused again. */
export type FusedActivation = 'none' | 'relu' | 'relu6' | 'relu_n1_to_1';

export interface SpatialAttrs {
  layout: Layout;
  /** Per spatial axis. */
  strides: readonly number[];
  dilations: readonly number[];
  /** All begins, then all ends, per spatial axis; readers resolve SAME and auto_pad. */
  pads: readonly number[];
}

/** Inputs: x, weights `[M, C/group, …kernel]` in every layout, bias `[M]` or null. */
export interface ConvAttrs extends SpatialAttrs {
  group: number;
  activation: FusedActivation;
}

/** Inputs: x, weights `[C, M/group, …kernel]` in every layout, bias `[M]` or null. */
export interface ConvTransposeAttrs extends SpatialAttrs {
  group: number;
  outputPadding: readonly number[];
  activation: FusedActivation;
}

export interface MaxPoolAttrs extends SpatialAttrs {
  kernelShape: readonly number[];
  ceilMode: boolean;
  activation: FusedActivation;
}

export interface AveragePoolAttrs extends MaxPoolAttrs {
  countIncludePad: boolean;
}

/** Not of ONNX. Inputs: x `[…, K]`, weights `[N, K]`, bias `[N]` or null. Output `[…, N]`. */
export interface FullyConnectedAttrs {
  activation: FusedActivation;
}

export interface GemmAttrs {
  alpha: number;
  beta: number;
  transA: boolean;
  transB: boolean;
}

/** Inputs: x, scale, bias, mean, variance, each `[C]`; `axis` says which of x's axes is C. */
export interface BatchNormalizationAttrs {
  epsilon: number;
  axis: number;
}

/** Normalizes over the axes from `axis` to the last. Inputs: x, scale, bias or null. */
export interface LayerNormalizationAttrs {
  epsilon: number;
  axis: number;
}

export interface BinaryAttrs {
  activation: FusedActivation;
}

export interface ReduceAttrs {
  /** Inputs: x, axes (constant int64) or null for all. */
  keepDims: boolean;
}

export interface AxisAttrs {
  axis: number;
}

export type ScatterReduction = 'none' | 'add' | 'mul' | 'max' | 'min';

export interface ResizeAttrs {
  /** Inputs: x, sizes (int64, all axes of x). Scales are turned into sizes by readers. */
  mode: 'nearest' | 'linear' | 'cubic';
  coordinateTransformation:
    | 'half_pixel'
    | 'pytorch_half_pixel'
    | 'align_corners'
    | 'asymmetric'
    | 'half_pixel_symmetric'
    | 'tf_crop_and_resize';
  nearestMode: 'round_prefer_floor' | 'round_prefer_ceil' | 'floor' | 'ceil';
  cubicCoeffA: number;
  /** The scales that the source gave, per axis, when they differ from the ratio of sizes. */
  scales?: readonly number[];
  /** A reduction takes all elements in, not only the nearest ones. */
  antialias?: boolean;
  /** Cubic: what lies beyond the edge counts for nothing, instead of as the edge. */
  excludeOutside?: boolean;
  /** Of tf_crop_and_resize: starts of all axes, then ends, as fractions; what lies outside of x is `extrapolation`. */
  roi?: readonly number[];
  extrapolation?: number;
}

/** Inputs: x, grid `[N, …points, axes]`: of each point a position in [−1, 1] per spatial axis, the last axis first. */
export interface GridSampleAttrs {
  layout: Layout;
  mode: 'linear' | 'nearest' | 'cubic';
  padding: 'zeros' | 'border' | 'reflection';
  alignCorners: boolean;
}

export interface BlockAttrs {
  layout: Layout;
  blockSize: number;
}

type NoAttrs = Record<string, never>;

export interface OpAttrs {
  // convolution
  Conv: ConvAttrs;
  ConvTranspose: ConvTransposeAttrs;
  // dense
  FullyConnected: FullyConnectedAttrs;
  Gemm: GemmAttrs;
  MatMul: NoAttrs;
  // pooling; global pools are ReduceMean and ReduceMax
  MaxPool: MaxPoolAttrs;
  AveragePool: AveragePoolAttrs;
  // normalization
  BatchNormalization: BatchNormalizationAttrs;
  LayerNormalization: LayerNormalizationAttrs;
  // activation
  Relu: NoAttrs;
  /** Inputs: x, min or null, max or null (scalars). */
  Clip: NoAttrs;
  LeakyRelu: { alpha: number };
  /** Inputs: x, slope (broadcast against x from the last axis). */
  PRelu: NoAttrs;
  Elu: { alpha: number };
  Selu: { alpha: number; gamma: number };
  Sigmoid: NoAttrs;
  HardSigmoid: { alpha: number; beta: number };
  HardSwish: NoAttrs;
  /** x × sigmoid(x). */
  Swish: NoAttrs;
  Tanh: NoAttrs;
  Softplus: NoAttrs;
  Softsign: NoAttrs;
  Gelu: { approximate: boolean };
  Mish: NoAttrs;
  Softmax: AxisAttrs;
  LogSoftmax: AxisAttrs;
  // elementwise, two inputs with broadcasting
  Add: BinaryAttrs;
  Sub: BinaryAttrs;
  Mul: BinaryAttrs;
  Div: BinaryAttrs;
  Max: NoAttrs;
  Min: NoAttrs;
  Pow: NoAttrs;
  /** Remainder with the sign of the divisor, or of the dividend where `truncated` (C's fmod). */
  Mod: { truncated: boolean };
  Equal: NoAttrs;
  Greater: NoAttrs;
  Less: NoAttrs;
  And: NoAttrs;
  Or: NoAttrs;
  // elementwise, one input
  Abs: NoAttrs;
  Sign: NoAttrs;
  Neg: NoAttrs;
  Exp: NoAttrs;
  Log: NoAttrs;
  Sqrt: NoAttrs;
  Reciprocal: NoAttrs;
  Floor: NoAttrs;
  Ceil: NoAttrs;
  Round: NoAttrs;
  Sin: NoAttrs;
  Cos: NoAttrs;
  Asin: NoAttrs;
  Acos: NoAttrs;
  Atan: NoAttrs;
  Asinh: NoAttrs;
  Acosh: NoAttrs;
  Atanh: NoAttrs;
  /** Of integers. */
  BitwiseAnd: NoAttrs;
  BitwiseOr: NoAttrs;
  BitwiseXor: NoAttrs;
  BitwiseNot: NoAttrs;
  /** Of unsigned integers; zeros move in. */
  BitShift: { direction: 'LEFT' | 'RIGHT' };
  Erf: NoAttrs;
  Not: NoAttrs;
  Identity: NoAttrs;
  Cast: { to: string };
  /** Inputs: condition, x, y. */
  Where: NoAttrs;
  // reduction
  ReduceMean: ReduceAttrs;
  ReduceSum: ReduceAttrs;
  ReduceMax: ReduceAttrs;
  ReduceMin: ReduceAttrs;
  ReduceProd: ReduceAttrs;
  ArgMax: { axis: number; keepDims: boolean };
  ArgMin: { axis: number; keepDims: boolean };
  /** Inputs: x, axis (scalar). */
  CumSum: { exclusive: boolean; reverse: boolean };
  /** Inputs: x, k (int64, one element). Outputs: values, indices (int64), the best first. */
  TopK: { axis: number; largest: boolean };
  // shape
  /** Inputs: x, shape (int64; −1 and, unless allowZero, 0 as in ONNX). Flatten is read as Reshape. */
  Reshape: { allowZero: boolean };
  Transpose: { perm: readonly number[] };
  /** Inputs: x, axes. */
  Squeeze: NoAttrs;
  Unsqueeze: NoAttrs;
  Concat: AxisAttrs;
  /** Inputs: x, split sizes (int64). */
  Split: AxisAttrs;
  /** Inputs: x, starts, ends, axes or null, steps or null. */
  Slice: NoAttrs;
  /** Inputs: x, pads (int64: begins of all axes, then ends), value or null. */
  Pad: { mode: 'constant' | 'reflect' | 'edge' | 'wrap' };
  /** Inputs: x, indices. */
  Gather: AxisAttrs;
  /** Inputs: x, indices (of x's rank). */
  GatherElements: AxisAttrs;
  /** Inputs: x, indices `[…, k]`. */
  GatherND: { batchDims: number };
  /** Inputs: x, indices (of x's rank), updates. */
  ScatterElements: AxisAttrs & { reduction: ScatterReduction };
  /** Inputs: x, indices `[…, k]`, updates. */
  ScatterND: { reduction: ScatterReduction };
  /** Inputs: indices, depth (scalar), values `[off, on]`. `axis` is where the new axis stands in the result. */
  OneHot: AxisAttrs;
  Expand: NoAttrs;
  Tile: NoAttrs;
  Shape: { start: number; end?: number };
  ConstantOfShape: { value?: Tensor };
  Range: NoAttrs;
  // image
  Resize: ResizeAttrs;
  GridSample: GridSampleAttrs;
  DepthToSpace: BlockAttrs & { mode: 'DCR' | 'CRD' };
  SpaceToDepth: BlockAttrs;
  // Fourier transform
  /**
   * Input: x, real `[…, n]` with n a power of two. Outputs: real and imaginary part of the frequencies 0 to n / 2,
   * `[…, n / 2 + 1]` each.
   */
  RFFT: NoAttrs;
  // quantization borders (inputs: x, scale, zero point; attribute axis for per-axis)
  QuantizeLinear: { axis: number };
  DequantizeLinear: { axis: number };
}

export type OpName = keyof OpAttrs;
