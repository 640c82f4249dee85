import type { Graph, Node, TensorType, Value, ValueId } from '../ir/graph.ts';
import type { Tensor } from '../ir/tensor.ts';

/** Adds nodes behind those of a graph, which itself stays as it is. */
export class GraphExtension {
  readonly graph: Graph;
  private readonly values: Map<ValueId, Value>;
  private readonly nodes: Node[];

  constructor(graph: Graph) {
    this.graph = graph;
    this.values = new Map(graph.values);
    this.nodes = [...graph.nodes];
  }

  typeOf(id: ValueId): TensorType {
    return this.values.get(id)!.type;
  }

  /** A constant; the name is made unique. */
  constant(wanted: string, constant: Tensor): ValueId {
    const id = this.free(wanted);
    this.values.set(id, { id, type: { dtype: constant.dtype, shape: constant.shape }, constant });
    return id;
  }

  /** A node with one output, of the same name, which is made unique. */
  add(op: string, wanted: string, inputs: Node['inputs'], attrs: Node['attrs'], type: TensorType): ValueId {
    const id = this.free(wanted);
    this.values.set(id, { id, type });
    this.nodes.push({ id, op, inputs, outputs: [id], attrs });
    return id;
  }

  /** A node that makes float32. */
  addReals(
    op: string,
    wanted: string,
    inputs: Node['inputs'],
    attrs: Node['attrs'],
    shape: TensorType['shape'],
  ): ValueId {
    return this.add(op, wanted, inputs, attrs, { dtype: 'float32', shape });
  }

  finish(outputs: Iterable<ValueId>): Graph {
    return { ...this.graph, values: this.values, nodes: this.nodes, outputs: [...new Set(outputs)] };
  }

  private free(wanted: string): ValueId {
    let id = wanted;
    for (let i = 1; this.values.has(id); i++) id = `${wanted}_${i}`;
    return id;
  }
}
