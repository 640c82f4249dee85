import type { Graph, Node, Value, ValueId } from '../ir/graph.ts';
import { int64Tensor, type Tensor, toFloat32 } from '../ir/tensor.ts';

/** Where numbers lie in one of the graph's outputs. */
export interface Slice {
  readonly output: ValueId;
  readonly offset: number;
  readonly length: number;
}

/** Where the statistics of one value come out of the graph. */
export interface Tap {
  readonly value: ValueId;
  /** The smallest and largest element: one number, or one per channel. */
  readonly min?: Slice;
  readonly max?: Slice;
  readonly channelMeans?: Slice;
}

export interface TapRequest {
  readonly value: ValueId;
  /** Minima and maxima, or (`whole`) the value itself. */
  readonly extent: 'reduced' | 'whole';
  /** Takes statistics per index of this axis, means too. */
  readonly channelAxis?: number;
}

/** The numbers of a slice, a view on a result. */
export function readSlice(results: Readonly<Record<string, Tensor>>, slice: Slice): Float32Array {
  return toFloat32(results[slice.output]).subarray(slice.offset, slice.offset + slice.length);
}

type Reduction = 'ReduceMin' | 'ReduceMax' | 'ReduceMean';

/** A tensor of statistics, before it is joined with others. */
interface Part {
  readonly id: ValueId;
  readonly shape: readonly number[];
  /** Axis along which it can be joined: all others have size 1. */
  readonly axis: number;
}

/**
 * The same graph with statistics as its outputs instead of its own. Computed by the runtime, a statistic costs one pass
 * over a tensor that is in cache; joined into a few outputs, hundreds of them cost next to nothing to hand over. Only
 * observers that need every element get whole tensors (on a 224×224 network that takes four times the extra time).
 */
export function withStatistics(graph: Graph, requests: readonly TapRequest[]): { graph: Graph; taps: Tap[] } {
  return new StatisticsGraph(graph).build(requests);
}

class StatisticsGraph {
  private readonly graph: Graph;
  private readonly values: Map<ValueId, Value>;
  private readonly nodes: Node[];
  private readonly parts = new Map<ValueId, Part>();
  private readonly whole = new Set<ValueId>();

  constructor(graph: Graph) {
    this.graph = graph;
    this.values = new Map(graph.values);
    this.nodes = [...graph.nodes];
  }

  build(requests: readonly TapRequest[]): { graph: Graph; taps: Tap[] } {
    const wanted = requests.map(({ value, extent, channelAxis }) => {
      if (extent === 'whole') this.whole.add(value);
      const reduced = extent === 'reduced';
      return {
        value,
        min: reduced ? this.reduce('ReduceMin', value, channelAxis) : undefined,
        max: reduced ? this.reduce('ReduceMax', value, channelAxis) : undefined,
        channelMeans: channelAxis === undefined ? undefined : this.reduce('ReduceMean', value, channelAxis),
      };
    });
    const slices = this.join();
    const slice = (id: ValueId | undefined) => (id === undefined ? undefined : slices.get(id));
    const taps = wanted.map(({ value, min, max, channelMeans }): Tap => {
      return { value, min: slice(min), max: slice(max), channelMeans: slice(channelMeans) };
    });
    const outputs = [...new Set([...[...slices.values()].map(({ output }) => output), ...this.whole])];
    return { graph: { ...this.graph, values: this.values, nodes: this.nodes, outputs }, taps };
  }

  /** Reduces over all axes but the channels'. */
  private reduce(op: Reduction, of: ValueId, channelAxis: number | undefined): ValueId {
    const shape = this.graph.values.get(of)!.type.shape.map(Number);
    const isReduced = (axis: number) => axis !== channelAxis && shape[axis] !== 1;
    const axes = [...shape.keys()].filter(isReduced);
    // Axes of size 1 stay: without them the runtime reduces over contiguous elements, its fast case.
    const kept = [...shape.keys()].filter((axis) => !isReduced(axis));
    const part = {
      shape: kept.map((axis) => shape[axis]),
      axis: Math.max(kept.indexOf(channelAxis ?? -1), 0),
    };
    if (axes.length === 0) {
      // One element per channel is its own smallest, largest and mean.
      this.parts.set(of, { id: of, ...part });
      return of;
    }
    const axesId = this.constant(`${of}/${op}/axes`, axes);
    const id = this.add(op, `${of}/${op}`, [of, axesId], { keepDims: false }, part.shape);
    this.parts.set(id, { id, ...part });
    return id;
  }

  /** Joins parts of like shape and says where each went. */
  private join(): Map<ValueId, Slice> {
    const alike = new Map<string, Part[]>();
    for (const part of this.parts.values()) {
      const key = `${part.shape.length}/${part.axis}`;
      const list = alike.get(key);
      if (list) list.push(part);
      else alike.set(key, [part]);
    }
    const slices = new Map<ValueId, Slice>();
    for (const [key, parts] of alike) {
      const { shape, axis } = parts[0];
      const lengths = parts.map((part) => part.shape[part.axis] ?? 1);
      const isJoined = parts.length > 1 && shape.length > 0;
      const total = lengths.reduce((sum, length) => sum + length, 0);
      const joined = () =>
        this.add(
          'Concat',
          `statistics/${key}`,
          parts.map(({ id }) => id),
          { axis },
          shape.map((dim, i) => (i === axis ? total : dim)),
        );
      const output = isJoined ? joined() : undefined;
      let offset = 0;
      parts.forEach((part, i) => {
        slices.set(part.id, { output: output ?? part.id, offset, length: lengths[i] });
        if (output !== undefined) offset += lengths[i];
      });
    }
    return slices;
  }

  private constant(wanted: string, numbers: readonly number[]): ValueId {
    const id = this.free(wanted);
    const constant = int64Tensor([numbers.length], numbers);
    this.values.set(id, { id, type: { dtype: 'int64', shape: [numbers.length] }, constant });
    return id;
  }

  private add(
    op: string,
    wanted: string,
    inputs: readonly ValueId[],
    attrs: Node['attrs'],
    shape: readonly number[],
  ): ValueId {
    const id = this.free(wanted);
    this.values.set(id, { id, type: { dtype: 'float32', shape } });
    this.nodes.push({ id, op, inputs, outputs: [id], attrs });
    return id;
  }

  private free(wanted: string): ValueId {
    let id = wanted;
    for (let i = 1; this.values.has(id); i++) id = `${wanted}_${i}`;
    return id;
  }
}
