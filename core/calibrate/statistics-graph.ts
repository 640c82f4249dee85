import type { Graph, Node, Value, ValueId } from '../ir/graph.ts';
import { int64Tensor } from '../ir/tensor.ts';

/** Where the statistics of one value come out of the graph. */
export interface Tap {
  readonly value: ValueId;
  /** Outputs with the smallest and largest element: scalars, or one number per channel. */
  readonly min?: ValueId;
  readonly max?: ValueId;
  readonly channelMeans?: ValueId;
}

export interface TapRequest {
  readonly value: ValueId;
  /** Minima and maxima, or (`whole`) the value itself. */
  readonly extent: 'reduced' | 'whole';
  /** Takes statistics per index of this axis, means too. */
  readonly channelAxis?: number;
}

/**
 * The same graph with statistics as its outputs instead of its own. Computed by the runtime, a statistic costs one pass
 * over a tensor that is in cache and a few bytes of copying; only observers that need every element get whole tensors.
 */
export function withStatistics(graph: Graph, requests: readonly TapRequest[]): { graph: Graph; taps: Tap[] } {
  const values = new Map<ValueId, Value>(graph.values);
  const nodes: Node[] = [...graph.nodes];
  const outputs = new Set<ValueId>();
  const reduce = (
    op: 'ReduceMin' | 'ReduceMax' | 'ReduceMean',
    of: ValueId,
    channelAxis?: number,
  ): ValueId => {
    const { shape } = graph.values.get(of)!.type;
    // Axes of size 1 stay: without them the runtime reduces over contiguous elements, its fast case.
    const kept = shape.filter((dim, axis) => axis === channelAxis || dim === 1);
    const axes = [...shape.keys()].filter((axis) => axis !== channelAxis && shape[axis] !== 1);
    if (channelAxis !== undefined && axes.length === 0) {
      // One element per channel is its own smallest, largest and mean.
      outputs.add(of);
      return of;
    }
    const id = free(values, `${of}/${op}`);
    values.set(id, { id, type: { dtype: 'float32', shape: channelAxis === undefined ? [] : kept } });
    let axesId: ValueId | null = null;
    if (channelAxis !== undefined) {
      axesId = free(values, `${id}/axes`);
      const constant = int64Tensor([axes.length], axes);
      values.set(axesId, { id: axesId, type: { dtype: 'int64', shape: [axes.length] }, constant });
    }
    nodes.push({ id, op, inputs: [of, axesId], outputs: [id], attrs: { keepDims: false } });
    outputs.add(id);
    return id;
  };
  const taps = requests.map(({ value, extent, channelAxis }): Tap => {
    const channelMeans = channelAxis === undefined ? undefined : reduce('ReduceMean', value, channelAxis);
    if (extent === 'whole') {
      outputs.add(value);
      return { value, channelMeans };
    }
    return {
      value,
      min: reduce('ReduceMin', value, channelAxis),
      max: reduce('ReduceMax', value, channelAxis),
      channelMeans,
    };
  });
  return { graph: { ...graph, values, nodes, outputs: [...outputs] }, taps };
}

function free(values: ReadonlyMap<ValueId, Value>, wanted: string): ValueId {
  let id = wanted;
  for (let i = 1; values.has(id); i++) id = `${wanted}_${i}`;
  return id;
}
