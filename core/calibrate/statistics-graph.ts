import type { Graph, Node, Value, ValueId } from '../ir/graph.ts';
import { int64Tensor } from '../ir/tensor.ts';
import type { WeightedInput } from './watch.ts';

/** Where the statistics of one value come out of the graph. */
export interface Taps {
  readonly value: ValueId;
  readonly min?: ValueId;
  readonly max?: ValueId;
  readonly channelMeans?: ValueId;
}

/**
 * The same graph with statistics as its outputs instead of its own: per watched value its smallest and largest
 * element (or, with `whole`, the value itself), and channel means where they are wanted. Computed by the runtime, a
 * statistic costs one pass over a tensor that is in cache and a few bytes of copying.
 */
export function withStatistics(
  graph: Graph,
  watched: readonly ValueId[],
  weighted: readonly WeightedInput[],
  whole: boolean,
): { graph: Graph; taps: Taps[] } {
  const values = new Map<ValueId, Value>(graph.values);
  const nodes: Node[] = [...graph.nodes];
  const outputs: ValueId[] = [];
  const reduce = (op: 'ReduceMin' | 'ReduceMax' | 'ReduceMean', of: ValueId, axes?: readonly number[]) => {
    const id = free(values, `${of}/${op}`);
    const shape = axes ? graph.values.get(of)!.type.shape.filter((_, axis) => !axes.includes(axis)) : [];
    values.set(id, { id, type: { dtype: 'float32', shape } });
    let axesId: ValueId | null = null;
    if (axes) {
      axesId = free(values, `${id}/axes`);
      const constant = int64Tensor([axes.length], axes);
      values.set(axesId, { id: axesId, type: { dtype: 'int64', shape: [axes.length] }, constant });
    }
    nodes.push({ id, op, inputs: [of, axesId], outputs: [id], attrs: { keepDims: false } });
    outputs.push(id);
    return id;
  };
  const taps = new Map<ValueId, Taps>();
  for (const value of watched) {
    if (whole) {
      outputs.push(value);
      taps.set(value, { value });
    } else {
      taps.set(value, { value, min: reduce('ReduceMin', value), max: reduce('ReduceMax', value) });
    }
  }
  for (const { value, channelAxis } of weighted) {
    const rank = graph.values.get(value)!.type.shape.length;
    const axes = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== channelAxis);
    if (axes.length === 0) continue;
    taps.set(value, { ...taps.get(value), value, channelMeans: reduce('ReduceMean', value, axes) });
  }
  return { graph: { ...graph, values, nodes, outputs }, taps: [...taps.values()] };
}

function free(values: ReadonlyMap<ValueId, Value>, wanted: string): ValueId {
  let id = wanted;
  for (let i = 1; values.has(id); i++) id = `${wanted}_${i}`;
  return id;
}
