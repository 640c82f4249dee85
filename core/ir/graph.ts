import type { DType } from './dtype.ts';
import type { Opaque } from './opaque.ts';
import type { Tensor } from './tensor.ts';

/** A dimension is a number, or a name when the file leaves it open. */
export type Dim = number | string;

export interface TensorType {
  readonly dtype: DType;
  /** Empty where `dtype` is `other`. */
  readonly shape: readonly Dim[];
  /** Where `dtype` is `other`: the type as the source's format has it, when the file states one. */
  readonly stated?: object;
}

/**
 * How integers stand for reals: `real = scale × (q − zeroPoint)` (LiteRT 8-bit quantization specification). One entry
 * per tensor, or per index of `axis`.
 */
export interface QuantParams {
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  /** Quantized dimension of a per-axis tensor, in the value's own axis order. */
  readonly axis?: number;
}

export type ValueId = string;

/** A tensor in the graph: an input, a constant, or one output of one node. Its id is its unique name. */
export interface Value {
  readonly id: ValueId;
  readonly type: TensorType;
  /** Present when the value is known before the model runs. */
  readonly constant?: Tensor;
  /** Present once a quantization plan was applied; `type.dtype` is then the storage type. */
  readonly quant?: QuantParams;
}

export type Attr =
  | number
  | string
  | boolean
  | readonly number[]
  | readonly string[]
  | Tensor
  | Graph
  | Opaque
  | undefined;
export type Attrs = Readonly<Record<string, Attr>>;

export interface Node {
  /** Unique in the graph; the source's layer or node name where there is one. */
  readonly id: string;
  /** Operator of `core/ops/vocabulary.ts`, or `domain::Type` for one that only passes through (`Opaque`). */
  readonly op: string;
  /** `null` stands for an optional input that is left out. */
  readonly inputs: readonly (ValueId | null)[];
  readonly outputs: readonly ValueId[];
  readonly attrs: Attrs;
}

export interface Attachments {
  /** Metadata entries by name. */
  readonly entries: Readonly<Record<string, Uint8Array>>;
  /** Files packed behind the model. */
  readonly packed?: {
    readonly names: readonly string[];
    readonly archive: Uint8Array;
    readonly start: number;
  };
}

/** Where a graph came from; shown to the user and written into exported files. */
export interface GraphSource {
  /** Its activations are rounded to steps while it runs: where two engines differ by a hair, one may be a step away. */
  readonly rounds?: boolean;
  readonly format: 'keras' | 'onnx' | 'tflite' | 'savedmodel' | 'graphdef' | 'tfjs';
  /** "Keras 3.15.1", "opset 13", … */
  readonly version?: string;
  readonly producer?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** What the source keeps beside its graph, to be kept by a file of the same format. */
  readonly attachments?: Attachments;
  /** ONNX opset of the ai.onnx domain, when the source has one. */
  readonly opset?: number;
  /** ONNX opsets of its other domains. */
  readonly domains?: Readonly<Record<string, number>>;
}

/** A model: nodes in topological order over named values. Never changed in place once built. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
  readonly values: ReadonlyMap<ValueId, Value>;
  readonly nodes: readonly Node[];
  readonly source: GraphSource;
}

/** The value of that name. @throws Error when there is none. */
export function valueNamed(graph: Graph, id: ValueId): Value {
  const value = graph.values.get(id);
  if (!value) throw new Error(`graph ${graph.name} has no value ${id}`);
  return value;
}

/** Nodes that read each value, in graph order. */
export function consumersOf(graph: Graph): Map<ValueId, Node[]> {
  const consumers = new Map<ValueId, Node[]>();
  for (const node of graph.nodes) {
    for (const input of new Set(node.inputs)) {
      if (input === null) continue;
      const list = consumers.get(input);
      if (list) list.push(node);
      else consumers.set(input, [node]);
    }
  }
  return consumers;
}

/** The node that makes each value; inputs and constants have none. */
export function producersOf(graph: Graph): Map<ValueId, Node> {
  const producers = new Map<ValueId, Node>();
  for (const node of graph.nodes) for (const output of node.outputs) producers.set(output, node);
  return producers;
}

/** @returns the shape as numbers. @throws Error naming the value when a dimension is symbolic. */
export function staticShape(value: Value): number[] {
  return value.type.shape.map((dim) => {
    if (typeof dim === 'number') return dim;
    throw new Error(`${value.id} has the open dimension ${dim}`);
  });
}
