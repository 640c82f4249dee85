import type { DType } from '../../ir/dtype.ts';
import type { Graph, Node, Value, ValueId } from '../../ir/graph.ts';
import type { Tensor } from '../../ir/tensor.ts';

/** Adds nodes and constants to a copy of a graph, which shares its weights. */
export class GraphExtension {
  private readonly graph: Graph;
  private readonly values: Map<ValueId, Value>;
  private readonly nodes: Node[];

  constructor(graph: Graph) {
    this.graph = graph;
    this.values = new Map(graph.values);
    this.nodes = [...graph.nodes];
  }

  constant(wanted: string, constant: Tensor): ValueId {
    const id = this.free(wanted);
    this.values.set(id, { id, type: { dtype: constant.dtype, shape: constant.shape }, constant });
    return id;
  }

  /** Adds a node of one output and returns that. */
  add(
    op: string,
    wanted: string,
    inputs: readonly (ValueId | null)[],
    attrs: Node['attrs'],
    shape: readonly number[],
    dtype: DType = 'float32',
  ): ValueId {
    const id = this.free(wanted);
    this.values.set(id, { id, type: { dtype, shape } });
    this.nodes.push({ id, op, inputs, outputs: [id], attrs });
    return id;
  }

  /** The extended graph, with these values as its outputs. */
  finish(outputs: readonly ValueId[]): Graph {
    return { ...this.graph, values: this.values, nodes: this.nodes, outputs: [...outputs] };
  }

  private free(wanted: string): ValueId {
    let id = wanted;
    for (let i = 1; this.values.has(id); i++) id = `${wanted}_${i}`;
    return id;
  }
}
