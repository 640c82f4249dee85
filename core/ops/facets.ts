/**
 * The faces that an operator shows to the rest of the house. Each operator family has a folder with one file per
 * facet; `registry.ts` gathers them. Facets speak to the small views below, which `formats/` implements.
 */

import type { ErrorCode } from '../contract/errors.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import type { DType } from '../ir/dtype.ts';
import type { Attr, Attrs, Dim, Graph, Node, QuantParams, TensorType, Value, ValueId } from '../ir/graph.ts';
import type { Tensor } from '../ir/tensor.ts';

/** A facet that an operator lacks, and why; it feeds the support table and the refusal. */
export interface Unsupported {
  readonly unsupported: string;
}

export function unsupported(why: string): Unsupported {
  return { unsupported: why };
}

export function isUnsupported(facet: object): facet is Unsupported {
  return 'unsupported' in facet;
}

// ── definition ──────────────────────────────────────────────────────────────────────────────────────────────────

export interface InferContext<A> {
  readonly inputs: readonly (Value | null)[];
  readonly attrs: A;
  readonly node: string;
  /** Ends inference with an error that names the node. Default code: `model.invalid`. */
  fail(message: string, code?: ErrorCode): never;
}

/** How an operator behaves when the axis order of its operands changes (used by the layout plan). */
export type LayoutRule =
  /** Has a `layout` attribute; x and y change together. */
  | { kind: 'spatial' }
  /** Works element by element: all operands of full rank change together; smaller ones are broadcast. */
  | { kind: 'elementwise' }
  /** Has axes (an attribute or a constant input) that can be renumbered. */
  | { kind: 'axes' }
  /** Needs the source's own order. */
  | { kind: 'fixed' };

/** What a slot holds once the operator runs in integers (the shape of TensorFlow's `operator_property.h`). */
export type SlotRule =
  /** Asymmetric int8 (or symmetric int16) per tensor, range by calibration. */
  | { kind: 'activation' }
  /** Symmetric constant, per `axis` of the IR's own weight order, or per tensor where `axis` is null. */
  | { kind: 'weight'; axis: number | null }
  /** int32 (int64 for int16 activations), scale = product of the scales of the two inputs named. */
  | { kind: 'bias'; of: readonly [number, number] }
  /** Shapes, axes, indices, conditions: never quantized. */
  | { kind: 'plain' };

export type OutputRule =
  | { kind: 'activation' }
  /** Scale and zero point set by the specification. int16 is always symmetric. */
  | { kind: 'fixed'; int8: { scale: number; zeroPoint: number }; int16: { scale: number } }
  /** Same parameters as an input; with several activation inputs all are made equal (Concat). */
  | { kind: 'same-as-input' }
  | { kind: 'plain' };

export interface QuantRule {
  /** Whether a node with these attributes can hold anything but float32; every node when left out. */
  takes?(attrs: Attrs): boolean;
  /** Whether the kernels of `tflite` are for a node with these attributes; every node when left out. */
  hasKernels?(attrs: Attrs): boolean;
  /** Slot rules by input position; the last one repeats. */
  readonly inputs: readonly SlotRule[];
  readonly outputs: readonly OutputRule[];
  /** Integer kernels of LiteRT for this operator. */
  readonly tflite: { readonly int8: boolean; readonly int16x8: boolean; readonly dynamicInt8: boolean };
  /**
   * Whether onnxruntime gains from int8 weights with activations that are quantized at run time. It has no fast kernel
   * for such convolutions.
   */
  readonly onnxDynamicInt8?: boolean;
}

export interface Cost {
  /** Multiply-accumulates. */
  macs: number;
}

export interface OpDefinition<A = Attrs> {
  /** One sentence for the docs. */
  readonly summary: string;
  infer(context: InferContext<A>): TensorType[];
  cost?(inputs: readonly (Value | null)[], outputs: readonly Value[], attrs: A): Cost;
  /** Computes the outputs from constant inputs; present where shape arithmetic and weight preparation need it. */
  fold?(inputs: readonly (Tensor | null)[], attrs: A, outputs: readonly TensorType[]): Tensor[];
  readonly layout: LayoutRule;
  /** `null`: the operator always stays in float. */
  readonly quant: QuantRule | null;
  /** Inputs of which the relative error counts (a logarithm, a root, a divisor): what feeds them alone stays in float. */
  readonly relative?: readonly number[];
}

// ── ONNX ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** One NodeProto, as an operator's reader sees it. */
export interface OnnxNodeView {
  readonly opType: string;
  readonly domain: string;
  readonly name: string;
  /** Opset of the node's domain in this model. */
  readonly opset: number;
  /** Inputs as values; `null` for an optional one left out. */
  readonly inputs: readonly (Value | null)[];
  /** Output names to give to the last node that is added. */
  readonly outputs: readonly string[];
  int(name: string, fallback: number): number;
  ints(name: string): readonly number[] | undefined;
  float(name: string, fallback: number): number;
  floats(name: string): readonly number[] | undefined;
  string(name: string, fallback: string): string;
  strings(name: string): readonly string[] | undefined;
  tensor(name: string): Tensor | undefined;
  graph(name: string): Graph | undefined;
  /** @throws WhittleError naming node, operator, value and what is allowed. */
  refuse(message: string, hint?: string): never;
}

/** Adds IR nodes for one ONNX node; the outputs must carry `node.outputs` as names. */
export type OnnxReader = (node: OnnxNodeView, builder: GraphBuilder) => void;

export interface OnnxWriteContext {
  readonly opset: number;
  value(id: ValueId): Value;
  /** Adds a NodeProto. Attributes: numbers are written as int when `Number.isInteger` unless wrapped by `float`. */
  node(
    opType: string,
    inputs: readonly (ValueId | null)[],
    outputs: readonly ValueId[],
    attrs?: Record<string, OnnxAttr>,
  ): void;
  /** Adds an initializer and returns its name (made unique). */
  initializer(name: string, tensor: Tensor): ValueId;
  /** A fresh name for an inner value. */
  fresh(base: string): ValueId;
  refuse(message: string, hint?: string): never;
}

export type OnnxAttr =
  | { int: number }
  | { ints: readonly number[] }
  | { float: number }
  | { floats: readonly number[] }
  | { string: string }
  | { strings: readonly string[] }
  | { tensor: Tensor };

export interface OnnxFacet {
  /** Readers by ONNX operator name; "since" wins: the highest not above the model's opset. */
  readonly read: Readonly<Record<string, Readonly<Record<number, OnnxReader>>>>;
  /** Writers by IR operator. */
  readonly write: Readonly<Record<string, (node: Node, context: OnnxWriteContext) => void>>;
}

// ── TFLite ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** A tensor of the file being written. */
export interface TfliteTensorRef {
  readonly index: number;
}

/** The type of a tensor between operators of the file. */
export interface InnerType {
  readonly dtype: DType | 'complex64';
  readonly shape: readonly Dim[];
}

export interface TfliteWriteContext {
  value(id: ValueId): Value;
  /**
   * The file's tensor for an IR value; a constant is permuted first when `perm` is given (quantized axis included).
   * −1 in `perm` inserts an axis of length 1.
   */
  tensor(id: ValueId, perm?: readonly number[]): TfliteTensorRef;
  /** A constant that only the file needs (axes, paddings, a zero bias). Identical constants are shared. */
  constant(name: string, tensor: Tensor, quant?: QuantParams): TfliteTensorRef;
  /** An inner tensor between two operators written for one IR node. Complex ones are of this kind only. */
  inner(name: string, type: InnerType, quant?: QuantParams): TfliteTensorRef;
  /** Whether a node or the graph's outputs read a value. */
  isRead(id: ValueId): boolean;
  /**
   * Adds an operator. `builtin` is a name of BuiltinOperator (`CONV_2D`); `options` the fields of its options table.
   * `version` defaults to the lowest that this signature needs (`formats/tflite/versions.ts`).
   */
  op(
    builtin: string,
    inputs: readonly (TfliteTensorRef | null)[],
    outputs: readonly TfliteTensorRef[],
    options?: { readonly table: string; readonly fields: Readonly<Record<string, unknown>> },
    version?: number,
  ): void;
  refuse(message: string, hint?: string): never;
}

export interface TfliteOpView {
  readonly builtin: string;
  readonly version: number;
  readonly name: string;
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly {
    readonly name: string;
    readonly type: TensorType;
    readonly quant?: QuantParams;
  }[];
  /** Fields of the options table with the schema's defaults filled in. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The integer constant that a value was made from by DEQUANTIZE, if it was. */
  stored(value: Value): Value | undefined;
  refuse(message: string, hint?: string): never;
}

export interface TfliteFacet {
  /** Writers by IR operator. The graph is NHWC and every dimension is known. */
  readonly write: Readonly<Record<string, ((node: Node, context: TfliteWriteContext) => void) | Unsupported>>;
  /** Readers by builtin name. */
  readonly read: Readonly<Record<string, (op: TfliteOpView, builder: GraphBuilder) => void>>;
}

// ── Keras ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** One call of one layer. */
export interface KerasLayerView {
  readonly className: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** 1, 2 or 3: dialects in which the same layer can mean different things (`hard_sigmoid`). */
  readonly dialect: 1 | 2 | 3;
  /** Every tensor among the positional arguments, flattened in order. */
  readonly inputs: readonly Value[];
  /** Positional arguments as they stand: values, plain JSON, and lists and records of these. */
  readonly args: readonly unknown[];
  /** Keyword arguments of the call, with values where tensors go in (`mask`, `initial_state`, …). */
  readonly kwargs: Readonly<Record<string, unknown>>;
  /**
   * A float weight by its Keras name (`kernel`, `bias`, `gamma`, …), as float32.
   * @throws WhittleError naming the layer when it is missing or not of the shape given.
   */
  weight(name: string, shape?: readonly number[]): Tensor;
  optionalWeight(name: string, shape?: readonly number[]): Tensor | undefined;
  /** The weights of a sub-layer that has no configuration of its own (`query_dense` of attention, named `query`). */
  part(attribute: string, name: string, className: string): KerasWeights;
  /** Option readers; each refuses a value that is not of its kind, naming layer and option. */
  int(option: string, fallback?: number): number;
  ints(option: string, length: number, fallback?: readonly number[]): readonly number[];
  number(option: string, fallback?: number): number;
  string(option: string, fallback?: string): string;
  boolean(option: string, fallback?: boolean): boolean;
  /** A layer nested in this one (TimeDistributed, Bidirectional), with its own config and weights. */
  inner(option: string, place?: KerasInnerPlace): KerasLayerView;
  /** The same layer called on other inputs; for layers reached by `inner`, models included. */
  call(inputs: readonly Value[], kwargs?: Readonly<Record<string, unknown>>): Value[];
  /** Whether Keras carries a mask along with a value, unseen in the configuration. */
  hasMask(value: Value): boolean;
  /** That mask, `[batch, time]` of booleans. @throws WhittleError when it cannot be told what becomes of it. */
  maskOf(value: Value): Value | undefined;
  setMask(value: Value, make: () => Value): void;
  refuse(message: string, hint?: string): never;
}

/** Where an inner layer is kept, when that is not under the option's own name. */
export interface KerasInnerPlace {
  /** Attribute of the outer layer, which names the weights in `.keras` files. Default: the option. */
  readonly attribute?: string;
  /** Name that the weights bear in HDF5 files. Default: the inner layer's name. */
  readonly name?: string;
  /** Position, when the option holds a list of layers. */
  readonly index?: number;
  /** Options that replace those of the configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export type KerasWeights = Pick<KerasLayerView, 'weight' | 'optionalWeight'>;

/** Adds IR nodes for one layer call and returns its outputs. Identity layers return their inputs. */
export type KerasReader = (layer: KerasLayerView, builder: GraphBuilder) => Value[];

/** Readers by Keras class name, `ops.<Class>` for calls of keras.ops, `tf.<function>` for TFOpLambda. */
export type KerasFacet = Readonly<Record<string, KerasReader>>;

// ── TensorFlow GraphDef ─────────────────────────────────────────────────────────────────────────────────────────

/** One NodeDef (of a SavedModel, a frozen graph or a TF.js graph model), as an operator's reader sees it. */
export interface GraphDefNodeView {
  readonly op: string;
  /** Path of the node, functions inlined. */
  readonly name: string;
  /** Data inputs; variables are constants by now. */
  readonly inputs: readonly Value[];
  int(name: string, fallback: number): number;
  float(name: string, fallback: number): number;
  boolean(name: string, fallback: boolean): boolean;
  string(name: string, fallback: string): string;
  ints(name: string): readonly number[];
  strings(name: string): readonly string[];
  floats(name: string): readonly number[];
  dtype(name: string, fallback: DType): DType;
  /** @throws WhittleError naming node, operator, value and what is allowed. */
  refuse(message: string, hint?: string): never;
}

/** Adds IR nodes for one node and returns its outputs in order; `undefined` for one that cannot be had. */
export type GraphDefReader = (
  node: GraphDefNodeView,
  builder: GraphBuilder,
) => readonly (Value | undefined)[];

/** Readers by TensorFlow operator name. */
export type GraphDefFacet = Readonly<Record<string, GraphDefReader>>;

// ── complex numbers ─────────────────────────────────────────────────────────────────────────────────────────────

/** A complex tensor of a source while it is read, as two real ones; the IR has no complex type. */
export interface Complex {
  readonly real: Value;
  readonly imaginary: Value;
}

export type RealOrComplex = Value | Complex;

export function isComplex(item: object): item is Complex {
  return 'imaginary' in item;
}

/** What a reader of an operator on complex numbers is told of its node, whatever the container. */
export interface ComplexNode {
  readonly name: string;
  readonly inputs: readonly RealOrComplex[];
  refuse(message: string, hint?: string): never;
}

/** Reads an operator that takes or gives complex numbers. */
export type ComplexReader = (node: ComplexNode, builder: GraphBuilder) => RealOrComplex;

// ── family ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** What one family folder exports from each of its files. */
export interface OpFamily {
  readonly definitions: Readonly<Record<string, OpDefinition<never>>>;
  readonly onnx: OnnxFacet;
  readonly tflite: TfliteFacet;
  readonly keras: KerasFacet;
  readonly graphdef: GraphDefFacet;
}

export type { Attr, DType };
