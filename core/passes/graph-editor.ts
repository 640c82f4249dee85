import type { DType } from '../ir/dtype.ts';
import type { Attrs, Graph, Node, TensorType, Value, ValueId } from '../ir/graph.ts';
import { isOpaque } from '../ir/opaque.ts';
import type { Tensor } from '../ir/tensor.ts';
import { UniqueNames } from '../ir/unique-names.ts';
import { inferTypes } from '../ops/registry.ts';

export interface NewNode {
  readonly op: string;
  readonly inputs: readonly (ValueId | null)[];
  readonly attrs?: Attrs;
  /** Name of the node; made unique. */
  readonly name: string;
  /** Names of the outputs: of values that stay and lost their maker, or of new ones. Default: fresh names. */
  readonly outputs?: readonly ValueId[];
}

function sameShape(a: TensorType, b: TensorType): boolean {
  return a.shape.length === b.shape.length && a.shape.every((dim, i) => dim === b.shape[i]);
}

/**
 * A working copy of a graph for one pass: nodes can be added, changed and removed in any order, `finish` sorts them
 * and drops what nothing reads. The graph it came from is not touched; constants are shared with it.
 */
export class GraphEditor {
  private readonly source: Graph;
  private readonly values: Map<ValueId, Value>;
  private readonly nodes = new Map<string, Node>();
  private readonly makers = new Map<ValueId, string>();
  private readonly readers = new Map<ValueId, Set<string>>();
  private readonly outputs: Set<ValueId>;
  private readonly inputs: Set<ValueId>;
  private readonly valueNames = new UniqueNames();
  private readonly nodeNames = new UniqueNames();

  constructor(graph: Graph) {
    this.source = graph;
    this.values = new Map(graph.values);
    this.outputs = new Set(graph.outputs);
    this.inputs = new Set(graph.inputs);
    for (const node of graph.nodes) this.link(node);
  }

  /** The nodes as they stand now; safe to change the graph while walking over them. */
  list(): Node[] {
    return [...this.nodes.values()];
  }

  /** A node as it is now; undefined when it was removed. */
  current(id: string): Node | undefined {
    return this.nodes.get(id);
  }

  value(id: ValueId): Value {
    const value = this.values.get(id);
    if (!value) throw new Error(`graph ${this.source.name} has no value ${id}`);
    return value;
  }

  valueIds(): ValueId[] {
    return [...this.values.keys()];
  }

  /** Gives a value another element type; a constant comes with its numbers in that type. */
  setType(id: ValueId, dtype: DType, constant?: Tensor): void {
    const value = this.value(id);
    this.values.set(id, { ...value, type: { ...value.type, dtype }, ...(constant && { constant }) });
  }

  /** The value of a node's input, or undefined when the input is left out. */
  input(node: Node, index: number): Value | undefined {
    const id = node.inputs[index];
    return id === null || id === undefined ? undefined : this.value(id);
  }

  constantOf(id: ValueId | null | undefined): Tensor | undefined {
    return id === null || id === undefined ? undefined : this.value(id).constant;
  }

  maker(id: ValueId | null | undefined): Node | undefined {
    const node = id === null || id === undefined ? undefined : this.makers.get(id);
    return node === undefined ? undefined : this.nodes.get(node);
  }

  consumers(id: ValueId): Node[] {
    return [...(this.readers.get(id) ?? [])].map((node) => this.nodes.get(node)!);
  }

  isOutput(id: ValueId): boolean {
    return this.outputs.has(id);
  }

  isInput(id: ValueId): boolean {
    return this.inputs.has(id);
  }

  /** The only node that reads a value, when no other does and the value is not an output of the graph. */
  soleConsumer(id: ValueId): Node | undefined {
    const readers = this.readers.get(id);
    if (this.outputs.has(id) || readers?.size !== 1) return undefined;
    return this.nodes.get([...readers][0]);
  }

  /** Adds a constant under a free name like the wanted one. */
  constant(wanted: string, tensor: Tensor): ValueId {
    const id = this.freeName(wanted);
    this.values.set(id, { id, type: { dtype: tensor.dtype, shape: tensor.shape }, constant: tensor });
    return id;
  }

  /** Adds a node; types of its outputs are inferred. @returns the node. */
  add(wanted: NewNode): Node {
    const id = this.nodeNames.free(wanted.name, (name) => this.nodes.has(name));
    const attrs = wanted.attrs ?? {};
    const types = this.inferred(wanted.op, wanted.inputs, attrs, id);
    const outputs = types.map((type, i) => {
      const name = wanted.outputs?.[i] ?? this.freeName(i === 0 ? id : `${id}:${i}`);
      this.retype(name, type);
      return name;
    });
    const node: Node = { id, op: wanted.op, inputs: wanted.inputs, outputs, attrs };
    this.link(node);
    return node;
  }

  /** Changes parts of a node. Output types are inferred anew. @returns the node as it is now. */
  change(node: Node, parts: Partial<Omit<Node, 'id'>>): Node {
    this.unlink(node);
    const changed: Node = { ...node, ...parts };
    const types = isOpaque(changed.op)
      ? []
      : this.inferred(changed.op, changed.inputs, changed.attrs, changed.id);
    for (const [i, type] of types.entries()) if (changed.outputs[i]) this.retype(changed.outputs[i], type);
    this.link(changed);
    return changed;
  }

  /** Removes a node; its outputs stay as values until another node makes them or nothing reads them. */
  remove(node: Node): void {
    this.unlink(node);
    this.nodes.delete(node.id);
  }

  /** Turns a value that a removed node made into a constant. */
  becomeConstant(id: ValueId, tensor: Tensor): void {
    const { quant } = this.value(id);
    this.values.set(id, { id, type: { dtype: tensor.dtype, shape: tensor.shape }, constant: tensor, quant });
  }

  /** Infers the outputs of the readers of these values anew, as far as their types change. */
  refresh(ids: readonly ValueId[]): void {
    const waiting = [...ids];
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      for (const node of this.consumers(id)) {
        if (isOpaque(node.op)) continue;
        const types = this.inferred(node.op, node.inputs, node.attrs, node.id);
        for (const [i, type] of types.entries()) {
          const output = node.outputs[i];
          if (!output || sameShape(this.value(output).type, type)) continue;
          this.retype(output, type);
          waiting.push(output);
        }
      }
    }
  }

  /** Makes every reader of `from` read `to` instead. Outputs of the graph are names and stay as they are. */
  redirect(from: ValueId, to: ValueId): void {
    for (const node of this.consumers(from)) {
      this.unlink(node);
      this.link({ ...node, inputs: node.inputs.map((input) => (input === from ? to : input)) });
    }
  }

  /**
   * Lets `node`, which is removed, be replaced by its input `kept`: readers of its output read `kept`; when the output
   * is an output of the graph, the maker of `kept` makes it under that name instead.
   * @returns false, with nothing changed, when both names must stay (an input or constant that is an output too).
   */
  bypass(node: Node, kept: ValueId): boolean {
    const output = node.outputs[0];
    if (!this.outputs.has(output)) {
      this.remove(node);
      this.redirect(output, kept);
      return true;
    }
    const maker = this.maker(kept);
    if (!maker || this.outputs.has(kept)) return false;
    this.remove(node);
    this.renameOutput(maker, kept, output);
    return true;
  }

  /** Gives one output of a node another name, that of a value without a maker; readers follow. */
  renameOutput(node: Node, from: ValueId, to: ValueId): Node {
    this.unlink(node);
    const renamed: Node = { ...node, outputs: node.outputs.map((output) => (output === from ? to : output)) };
    this.values.set(to, { ...this.value(from), id: to });
    this.link(renamed);
    this.redirect(from, to);
    return this.nodes.get(renamed.id)!;
  }

  freeName(wanted: string): ValueId {
    return this.valueNames.free(wanted, (name) => this.values.has(name));
  }

  /** The graph with nodes in topological order; nodes and values that no output needs are gone. */
  finish(): Graph {
    const nodes = this.neededInOrder();
    const values = new Map<ValueId, Value>();
    const keep = (id: ValueId | null) => {
      if (id !== null && !values.has(id)) values.set(id, this.value(id));
    };
    for (const id of this.source.inputs) keep(id);
    for (const node of nodes) for (const id of [...node.inputs, ...node.outputs]) keep(id);
    for (const id of this.source.outputs) keep(id);
    return { ...this.source, values, nodes };
  }

  /** Depth-first from the outputs, then ordered so that nodes that were in order keep it. */
  private neededInOrder(): Node[] {
    const needed = new Set<string>();
    const stack = [...this.source.outputs];
    while (stack.length > 0) {
      const maker = this.makers.get(stack.pop()!);
      if (maker === undefined || needed.has(maker)) continue;
      needed.add(maker);
      for (const input of this.nodes.get(maker)!.inputs) if (input !== null) stack.push(input);
    }
    const ordered: Node[] = [];
    const done = new Set<string>();
    for (const start of this.nodes.keys()) {
      if (!needed.has(start)) continue;
      const path = [start];
      while (path.length > 0) {
        const id = path[path.length - 1];
        const node = this.nodes.get(id)!;
        const waiting = node.inputs
          .map((input) => (input === null ? undefined : this.makers.get(input)))
          .filter((maker) => maker !== undefined && !done.has(maker)) as string[];
        if (waiting.length > 0 && !done.has(id)) {
          path.push(...waiting);
          continue;
        }
        path.pop();
        if (!done.has(id)) ordered.push(node);
        done.add(id);
      }
    }
    return ordered;
  }

  private inferred(op: string, inputs: readonly (ValueId | null)[], attrs: Attrs, id: string): TensorType[] {
    return inferTypes(
      op,
      inputs.map((input) => (input === null ? null : this.value(input))),
      attrs,
      id,
    );
  }

  private retype(id: ValueId, type: TensorType): void {
    const known = this.values.get(id);
    this.values.set(id, { id, type, quant: known?.quant });
  }

  private link(node: Node): void {
    this.nodes.set(node.id, node);
    for (const output of node.outputs) this.makers.set(output, node.id);
    for (const input of node.inputs) {
      if (input === null) continue;
      const readers = this.readers.get(input);
      if (readers) readers.add(node.id);
      else this.readers.set(input, new Set([node.id]));
    }
  }

  private unlink(node: Node): void {
    for (const output of node.outputs) if (this.makers.get(output) === node.id) this.makers.delete(output);
    for (const input of node.inputs) if (input !== null) this.readers.get(input)?.delete(node.id);
  }
}
