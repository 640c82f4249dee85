import type { DType } from '../../ir/dtype.ts';
import { runtimesByOperator } from './runtimes.ts';

export interface SignatureTensor {
  readonly dtype: DType | 'complex64';
  readonly shape: readonly number[];
  readonly scales?: readonly number[];
  /** Quantized per axis. */
  readonly perAxis?: boolean;
}

/** What decides an operator's version: types and shapes of its tensors and its options. */
export interface OperatorSignature {
  readonly builtin: string;
  readonly inputs: readonly (SignatureTensor | null)[];
  readonly outputs: readonly SignatureTensor[];
  readonly options: Readonly<Record<string, unknown>>;
}

type Rule = (signature: OperatorSignature) => number;

const typeAt = (s: OperatorSignature, index: number) => s.inputs[index]?.dtype;
const rankAt = (s: OperatorSignature, index: number) => s.inputs[index]?.shape.length ?? 0;

/** Version of the type of one input: the first entry that matches, else 1. */
function byType(versions: Partial<Record<DType, number>>, input = 0): Rule {
  return (s) => versions[typeAt(s, input) as DType] ?? 1;
}

const int8Is2 = byType({ int8: 2 });
const int8Is2int16Is3 = byType({ int8: 2, int16: 3 });

function isHybrid(s: OperatorSignature): boolean {
  return typeAt(s, 0) === 'float32' && typeAt(s, 1) === 'int8' && s.outputs[0].dtype === 'float32';
}

/** Both inputs of a type, as the integer kernels of matrix operators want. */
function both(s: OperatorSignature, x: DType, weights: DType): boolean {
  return typeAt(s, 0) === x && typeAt(s, 1) === weights;
}

function broadcasts(s: OperatorSignature): boolean {
  const [a, b] = s.inputs;
  return (
    !!a && !!b && (a.shape.length !== b.shape.length || a.shape.some((dim, axis) => dim !== b.shape[axis]))
  );
}

const maxRank = (s: OperatorSignature) => Math.max(...s.inputs.map((input) => input?.shape.length ?? 0));
const isQuantized = (s: OperatorSignature) => (s.inputs[0]?.scales?.length ?? 0) > 0;

function multiplyVersion(s: OperatorSignature): number {
  const type = typeAt(s, 0);
  if (type === 'float16') return 8;
  if ((type === 'int16' && !isQuantized(s)) || type === 'uint32') return 7;
  if (type === 'int64') return 5;
  if (type === 'int16') return 4;
  const [a, b] = s.inputs.map((input) => input?.scales?.[0] ?? 0);
  const out = s.outputs[0].scales?.[0] ?? 0;
  if (a && b && out && (a * b) / out >= 1) return 3;
  return type === 'int8' ? 2 : 1;
}

function transposeVersion(s: OperatorSignature): number {
  const type = typeAt(s, 0);
  const rank = rankAt(s, 0);
  if (type === 'float16') return 9;
  if (rank > 6 || type === 'bfloat16') return 8;
  if (type === 'int4') return 7;
  if (rank > 5) return 6;
  if (type === 'int16') return 5;
  if (rank > 4) return 4;
  return byType({ bool: 3, int8: 2 })(s);
}

function fullyConnectedVersion(s: OperatorSignature): number {
  if (both(s, 'int16', 'int4')) return 13;
  if (isHybrid(s) && s.inputs[1]?.perAxis) return 12;
  // TensorFlow gives float × int4 no version; no runtime before that of int8 × int4 knows the type.
  if (both(s, 'float32', 'int4')) return 10;
  if (both(s, 'int16', 'int8') && s.options.quantized_bias_type) return 11;
  if (both(s, 'int16', 'int8') || both(s, 'int16', 'int16')) return 7;
  if (s.inputs.length === 2) return 6;
  if (s.options.keep_num_dims) return 5;
  if (both(s, 'int8', 'int8')) return 4;
  if (both(s, 'int8', 'int4')) return 10;
  if (isHybrid(s)) return s.options.asymmetric_quantize_inputs ? 9 : 3;
  return 1;
}

function convVersion(s: OperatorSignature): number {
  const [x, weights] = s.inputs;
  if (both(s, 'int16', 'int8') && s.options.quantized_bias_type) return 8;
  if (x && weights && weights.shape[3] !== x.shape[3]) return 6;
  if (both(s, 'int16', 'int8') || both(s, 'int16', 'int16')) return 4;
  if (both(s, 'int8', 'int8')) return 3;
  if (both(s, 'int8', 'int4')) return 7;
  if (isHybrid(s)) return weights?.perAxis ? 5 : 2;
  return 1;
}

function depthwiseVersion(s: OperatorSignature): number {
  if (typeAt(s, 0) === 'int16') return 5;
  if (isHybrid(s)) return s.inputs[1]?.perAxis ? 6 : 4;
  if (both(s, 'int8', 'int8')) return 3;
  if (both(s, 'int8', 'int4')) return 7;
  const { dilation_w_factor: w = 1, dilation_h_factor: h = 1 } = s.options;
  return w !== 1 || h !== 1 ? 2 : 1;
}

function transposeConvVersion(s: OperatorSignature): number {
  if (typeAt(s, 2) === 'int16' && typeAt(s, 1) === 'int8' && s.options.quantized_bias_type) return 5;
  if (s.options.fused_activation_function) return 4;
  if (s.inputs.length === 4 && s.inputs[3]) return 3;
  return typeAt(s, 1) === 'int8' ? 2 : 1;
}

function castVersion(s: OperatorSignature): number {
  const has = (...types: DType[]) =>
    types.some((type) => typeAt(s, 0) === type || s.outputs[0].dtype === type);
  if (has('uint4')) return 8;
  if (has('bfloat16')) return 7;
  if (typeAt(s, 0) === 'int4') return 6;
  if (has('float64', 'float16')) return 5;
  if (has('uint16')) return 4;
  if (has('int8')) return 3;
  return has('uint32') ? 2 : 1;
}

function gatherVersion(s: OperatorSignature): number {
  if (typeAt(s, 0) === 'int4') return 7;
  if (typeAt(s, 1) === 'int16') return 6;
  if (s.options.batch_dims) return 5;
  return byType({ int16: 4, bool: 3, int8: 2 })(s);
}

function sliceVersion(s: OperatorSignature): number {
  const exotic = byType({ float16: 8, int4: 7, uint32: 6 })(s);
  if (exotic > 1) return exotic;
  return rankAt(s, 0) > 4 ? 5 : byType({ int16: 4, string: 3, int8: 2 })(s);
}

function stridedSliceVersion(s: OperatorSignature): number {
  if (s.options.offset) return 8;
  if (typeAt(s, 0) === 'uint32') return 7;
  if (s.options.ellipsis_mask || s.options.new_axis_mask) return 6;
  if (rankAt(s, 0) > 4) return 4;
  return byType({ bool: 3, int8: 2 })(s);
}

function addVersion(s: OperatorSignature): number {
  const type = typeAt(s, 0);
  if (type === 'float16') return 6;
  if (type === 'int16') return isQuantized(s) ? (s.options.pot_scale_int16 === false ? 3 : 1) : 5;
  return byType({ int64: 4, int8: 2 })(s);
}

function subVersion(s: OperatorSignature): number {
  if (typeAt(s, 0) === 'int16' && s.options.pot_scale_int16 === false) return 5;
  if (typeAt(s, 0) === 'int64') return 4;
  if (broadcasts(s) && maxRank(s) > 4) return 3;
  return int8Is2(s);
}

function extremumVersion(s: OperatorSignature): number {
  if (typeAt(s, 0) === 'int16') return 4;
  return broadcasts(s) && maxRank(s) > 4 ? 3 : int8Is2(s);
}

function padVersion(s: OperatorSignature): number {
  if (typeAt(s, 0) === 'bool') return 5;
  return rankAt(s, 0) > 4 ? 4 : int8Is2int16Is3(s);
}

function quantizeVersion(s: OperatorSignature): number {
  const has = (type: DType) => typeAt(s, 0) === type || s.outputs[0].dtype === type;
  if (has('uint4')) return 5;
  if (has('int4')) return 4;
  if (s.outputs[0].perAxis) return 3;
  return s.outputs[0].dtype === 'int16' ? 2 : 1;
}

function resizeVersion(s: OperatorSignature): number {
  if (typeAt(s, 0) === 'int16') return 4;
  const nearest = s.builtin === 'RESIZE_NEAREST_NEIGHBOR';
  if (s.options.half_pixel_centers || (nearest && s.options.align_corners)) return 3;
  return int8Is2(s);
}

/** TensorFlow's `GetBuiltinOperatorVersion`, as rules; an operator that is not listed has version 1. */
const rules: Readonly<Record<string, Rule>> = {
  ABS: (s) =>
    typeAt(s, 0) === 'int16' ? (isQuantized(s) ? 3 : 4) : byType({ int32: 5, int8: 2, uint8: 2 })(s),
  ADD: addVersion,
  ARG_MAX: byType({ bool: 3, int8: 2 }),
  ARG_MIN: byType({ bool: 3, int8: 2 }),
  AVERAGE_POOL_2D: int8Is2int16Is3,
  BATCH_MATMUL: (s) =>
    isHybrid(s) && s.options.asymmetric_quantize_inputs ? 4 : byType({ int16: 3, int8: 2 })(s),
  BROADCAST_TO: (s) => (byType({ int8: 3, int16: 3 })(s) === 3 ? 3 : 2),
  CAST: castVersion,
  CONCATENATION: byType({ float16: 6, int4: 5, uint32: 4, int16: 3, int8: 2 }),
  CONV_2D: convVersion,
  COS: byType({ float16: 2 }),
  DEPTHWISE_CONV_2D: depthwiseVersion,
  DEPTH_TO_SPACE: int8Is2,
  DEQUANTIZE: (s) =>
    typeAt(s, 0) === 'int8' && s.inputs[0]?.perAxis
      ? 5
      : byType({ uint4: 8, int4: 6, int16: 3, float16: 3, int8: 2 })(s),
  DIV: (s) => (broadcasts(s) && maxRank(s) > 4 ? 2 : 1),
  EQUAL: byType({ int16: 5, string: 3, int8: 2 }),
  EXP: byType({ int8: 2, int16: 2 }),
  FILL: byType({ float16: 4, int8: 3, int16: 3, bool: 2, string: 2 }, 1),
  FLOOR_MOD: byType({ int16: 2, int8: 2 }),
  FULLY_CONNECTED: fullyConnectedVersion,
  GATHER: gatherVersion,
  GELU: byType({ int8: 2, uint8: 2 }),
  GREATER: int8Is2,
  LEAKY_RELU: byType({ int16: 2 }),
  LESS: int8Is2int16Is3,
  LOG: byType({ int8: 2, int16: 2 }),
  LOGISTIC: int8Is2int16Is3,
  LOG_SOFTMAX: int8Is2,
  MAXIMUM: extremumVersion,
  MAX_POOL_2D: int8Is2int16Is3,
  MEAN: int8Is2int16Is3,
  MINIMUM: extremumVersion,
  MIRROR_PAD: int8Is2int16Is3,
  MUL: multiplyVersion,
  NOT_EQUAL: byType({ int16: 4, string: 3, int8: 2 }),
  PACK: byType({ int8: 2, int16: 3, uint32: 4 }),
  PAD: padVersion,
  PADV2: padVersion,
  QUANTIZE: quantizeVersion,
  RANGE: byType({ int64: 2 }),
  REDUCE_MAX: int8Is2int16Is3,
  REDUCE_MIN: int8Is2int16Is3,
  REDUCE_PROD: byType({ int8: 2, int16: 2 }),
  RELU: byType({ int16: 3, int8: 2, uint8: 2 }),
  RELU6: int8Is2int16Is3,
  RESIZE_BILINEAR: resizeVersion,
  RESIZE_NEAREST_NEIGHBOR: resizeVersion,
  RSQRT: int8Is2int16Is3,
  SIGN: byType({ int32: 2 }),
  SIN: byType({ float16: 2 }),
  SLICE: sliceVersion,
  SOFTMAX: byType({ float16: 4, int16: 3, int8: 2 }),
  SPACE_TO_DEPTH: int8Is2,
  SPLIT: byType({ int16: 4, int32: 3, int8: 2 }, 1),
  SPLIT_V: int8Is2,
  SQRT: byType({ int8: 2, int16: 2 }),
  SQUARED_DIFFERENCE: int8Is2,
  SQUEEZE: byType({ string: 2 }),
  STRIDED_SLICE: stridedSliceVersion,
  SUB: subVersion,
  SUM: int8Is2,
  TANH: int8Is2int16Is3,
  TILE: byType({ int8: 3, string: 2 }),
  TOPK_V2: int8Is2int16Is3,
  TRANSPOSE: transposeVersion,
  TRANSPOSE_CONV: transposeConvVersion,
  WHERE: (s) => (typeAt(s, 0) === 'bool' ? 1 : 2),
};

/** The lowest version of an operator whose kernels take this signature. */
export function operatorVersion(signature: OperatorSignature): number {
  return rules[signature.builtin]?.(signature) ?? 1;
}

/** The oldest TFLite runtime ("2.3.0") that has an operator in a version, or undefined where TensorFlow names none. */
export function runtimeOf(builtin: string, version: number): string | undefined {
  const runtime = runtimesByOperator[builtin]?.split(' ')[version - 1];
  return runtime === '-' ? undefined : runtime;
}

/** The newest of some runtime versions; `1.5.0`, the first that the format knows, for none. */
export function newestRuntime(versions: Iterable<string | undefined>): string {
  let newest = '1.5.0';
  for (const version of versions) if (version && compareVersions(version, newest) > 0) newest = version;
  return newest;
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (let i = 0; i < 3; i++) if (left[i] !== right[i]) return left[i] - right[i];
  return 0;
}
