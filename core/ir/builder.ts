import type { Attrs, Graph, GraphSource, Node, QuantParams, TensorType, Value, ValueId } from './graph.ts';
import type { Tensor } from './tensor.ts';
import { UniqueNames } from './unique-names.ts';

/** Types of a node's outputs, from the types (and constants) of its inputs. Supplied by the operator registry. */
export type InferTypes = (
  op: string,
  inputs: readonly (Value | null)[],
  attrs: Attrs,
  node: string,
) => TensorType[];

/** Results of a node whose inputs are all constants, or undefined when it must stay. Supplied by the operator registry. */
export type FoldNode = (
  op: string,
  inputs: readonly (Value | null)[],
  attrs: Attrs,
  types: readonly TensorType[],
) => Tensor[] | undefined;

export interface AddOptions {
  /** Node name; made unique when taken. Defaults to the operator's name in lower case. */
  name?: string;
  /** Names of the outputs; must be free. Defaults to the node's name (`name:1`, … for further outputs). */
  outputs?: readonly string[];
  /** Output types when inference cannot know them (operators that only pass through). */
  types?: readonly TensorType[];
}

/**
 * Builds a graph node by node; readers and passes both use it. Nodes must be added in topological order.
 * Types are inferred as nodes are added, so that a wrong shape is refused where it arises. With `fold`, a node over
 * constants becomes constants at once, so that shapes computed in the file are known to what follows.
 */
export class GraphBuilder {
  readonly name: string;
  private readonly infer: InferTypes;
  private readonly fold: FoldNode | undefined;
  private readonly values = new Map<ValueId, Value>();
  private readonly nodes: Node[] = [];
  private readonly nodeIds = new Set<string>();
  private readonly inputs: ValueId[] = [];
  private readonly valueNames = new UniqueNames();
  private readonly nodeNames = new UniqueNames();

  constructor(name: string, infer: InferTypes, fold?: FoldNode) {
    this.name = name;
    this.infer = infer;
    this.fold = fold;
  }

  input(name: string, type: TensorType, quant?: QuantParams): Value {
    this.inputs.push(name);
    return this.define({ id: name, type, quant });
  }

  /** A constant; the name is made unique when taken. */
  constant(name: string, tensor: Tensor, quant?: QuantParams): Value {
    return this.define({
      id: this.freeName(name),
      type: { dtype: tensor.dtype, shape: tensor.shape },
      constant: tensor,
      quant,
    });
  }

  /** Adds a node and returns its outputs. */
  add(op: string, inputs: readonly (Value | null)[], attrs: Attrs = {}, options: AddOptions = {}): Value[] {
    const id = this.freeNodeId(options.name ?? op.toLowerCase());
    const types = options.types ?? this.infer(op, inputs, attrs, id);
    const folded = this.fold?.(op, inputs, attrs, types);
    if (folded) return folded.map((tensor, i) => this.constant(options.outputs?.[i] ?? id, tensor));
    this.nodeIds.add(id);
    const outputs = types.map((type, i) => {
      const wanted = options.outputs?.[i];
      return this.define({ id: wanted ?? this.freeName(i === 0 ? id : `${id}:${i}`), type });
    });
    this.nodes.push({
      id,
      op,
      inputs: inputs.map((value) => value?.id ?? null),
      outputs: outputs.map((value) => value.id),
      attrs,
    });
    return outputs;
  }

  /** Adds a node with a single output. */
  one(op: string, inputs: readonly (Value | null)[], attrs: Attrs = {}, options: AddOptions = {}): Value {
    return this.add(op, inputs, attrs, options)[0];
  }

  /** Does `work`; what it added is taken away again when it throws. */
  attempt(work: () => void): void {
    const before = [this.values.size, this.nodeIds.size, this.nodes.length] as const;
    try {
      work();
    } catch (error) {
      for (const id of [...this.values.keys()].slice(before[0])) this.values.delete(id);
      for (const id of [...this.nodeIds].slice(before[1])) this.nodeIds.delete(id);
      this.nodes.length = before[2];
      throw error;
    }
  }

  /** Replaces a value's quantization parameters and storage type; for readers and `apply`. */
  quantize(id: ValueId, type: TensorType, quant: QuantParams | undefined): Value {
    const value: Value = { ...this.get(id), type, quant };
    this.values.set(id, value);
    return value;
  }

  /** The graph's inputs that a value is computed from. */
  inputsOf(value: Value): Value[] {
    const needed = new Set([value.id]);
    for (const node of this.nodes.toReversed()) {
      if (!node.outputs.some((id) => needed.has(id))) continue;
      for (const id of node.inputs) if (id !== null) needed.add(id);
    }
    return this.inputs.filter((id) => needed.has(id)).map((id) => this.get(id));
  }

  has(id: ValueId): boolean {
    return this.values.has(id);
  }

  get(id: ValueId): Value {
    const value = this.values.get(id);
    if (!value) throw new Error(`no value named ${id} in ${this.name}`);
    return value;
  }

  finish(outputs: readonly ValueId[], source: GraphSource): Graph {
    for (const output of outputs) this.get(output);
    return {
      name: this.name,
      inputs: this.inputs,
      outputs,
      values: this.values,
      nodes: this.nodes,
      source,
    };
  }

  freeName(wanted: string): string {
    return this.valueNames.free(wanted, (name) => this.values.has(name));
  }

  private freeNodeId(wanted: string): string {
    const id = this.nodeNames.free(wanted, (name) => this.nodeIds.has(name));
    this.nodeIds.add(id);
    return id;
  }

  private define(value: Value): Value {
    if (this.values.has(value.id)) throw new Error(`two values named ${value.id} in ${this.name}`);
    this.values.set(value.id, value);
    return value;
  }
}
