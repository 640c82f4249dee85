import type { Graph, ValueId } from '../ir/graph.ts';
import { elementCount, int64Tensor, type Tensor, toFloat32 } from '../ir/tensor.ts';
import { GraphExtension } from './graph-extension.ts';

/** Where numbers lie in one of the graph's outputs. */
export interface Slice {
  readonly output: ValueId;
  readonly offset: number;
  readonly length: number;
}

/** Where the statistics of one value come out of the graph. */
export interface Tap {
  readonly value: ValueId;
  /** The smallest and largest element: one number, or one per channel. No smallest where zero stands for it. */
  readonly min?: Slice;
  readonly max?: Slice;
  readonly channelMeans?: Slice;
  /** Elements picked evenly: every `stride`-th in the order of memory. */
  readonly elements?: Slice;
  readonly stride?: number;
}

/** What is wanted of one value. */
export type TapRequest =
  | {
      readonly value: ValueId;
      readonly kind: 'extent';
      /** Takes minima and maxima per index of this axis, means too. */
      readonly channelAxis?: number;
      /** No element is below zero, and zero is in the range in any case: the smallest need not be looked for. */
      readonly neverNegative?: boolean;
    }
  | {
      readonly value: ValueId;
      readonly kind: 'elements';
      /** About so many of them. */
      readonly wanted: number;
    };

/** The numbers of a slice, a view on a result. */
export function readSlice(results: Readonly<Record<string, Tensor>>, slice: Slice): Float32Array {
  return toFloat32(results[slice.output]).subarray(slice.offset, slice.offset + slice.length);
}

type Reduction = 'ReduceMin' | 'ReduceMax' | 'ReduceMean';

/** What is computed for one request, by names of parts. */
interface Found {
  readonly value: ValueId;
  readonly min?: ValueId;
  readonly max?: ValueId;
  readonly channelMeans?: ValueId;
  readonly elements?: ValueId;
  readonly stride?: number;
}

/** A tensor of statistics, before it is joined with others. */
interface Part {
  readonly id: ValueId;
  readonly shape: readonly number[];
  /** Axis along which it can be joined: all others have size 1. */
  readonly axis: number;
}

/**
 * The same graph with statistics as its outputs instead of its own. Computed by the runtime, a statistic costs one pass
 * over a tensor that is in cache; joined into a few outputs, hundreds of them cost next to nothing to hand over. No
 * tensor is handed over whole: on a 224×224 network that would take four times the extra time.
 * @param kept of the graph's own outputs, those that it still gives
 */
export function withStatistics(
  graph: Graph,
  requests: readonly TapRequest[],
  kept: readonly ValueId[] = [],
): { graph: Graph; taps: Tap[] } {
  return new StatisticsGraph(graph).build(requests, kept);
}

class StatisticsGraph extends GraphExtension {
  private readonly parts = new Map<ValueId, Part>();

  build(requests: readonly TapRequest[], kept: readonly ValueId[]): { graph: Graph; taps: Tap[] } {
    const wanted = requests.map((request): Found => {
      const { value } = request;
      if (request.kind === 'elements') return { value, ...this.pick(value, request.wanted) };
      const { channelAxis, neverNegative } = request;
      return {
        value,
        min: neverNegative ? undefined : this.reduce('ReduceMin', value, channelAxis),
        max: this.reduce('ReduceMax', value, channelAxis),
        channelMeans: channelAxis === undefined ? undefined : this.reduce('ReduceMean', value, channelAxis),
      };
    });
    const slices = this.join();
    const slice = (id: ValueId | undefined) => (id === undefined ? undefined : slices.get(id));
    const taps = wanted.map(({ value, min, max, channelMeans, elements, stride }): Tap => {
      return {
        value,
        min: slice(min),
        max: slice(max),
        channelMeans: slice(channelMeans),
        elements: slice(elements),
        stride,
      };
    });
    return { graph: this.finish([...kept, ...[...slices.values()].map(({ output }) => output)]), taps };
  }

  /** Every so many-th element in the order of memory. */
  private pick(of: ValueId, wanted: number): { elements: ValueId; stride: number } {
    const count = elementCount(this.typeOf(of).shape.map(Number));
    const flat = this.addReals(
      'Reshape',
      `${of}/flat`,
      [of, this.numbers(`${of}/flat/shape`, [count])],
      { allowZero: false },
      [count],
    );
    // An odd stride meets all positions of rows and channels in turn.
    const stride = Math.floor(count / wanted) | 1;
    const length = Math.ceil(count / stride);
    const range = [0, count, 0, stride].map((number, i) => this.numbers(`${of}/picked/${i}`, [number]));
    const id = stride === 1 ? flat : this.addReals('Slice', `${of}/picked`, [flat, ...range], {}, [length]);
    this.parts.set(id, { id, shape: [length], axis: 0 });
    return { elements: id, stride };
  }

  /** Reduces over all axes but the channels'. */
  private reduce(op: Reduction, of: ValueId, channelAxis: number | undefined): ValueId {
    const shape = this.typeOf(of).shape.map(Number);
    if (op !== 'ReduceMin' && channelAxis === 1 && shape.length > 2 && shape[0] === 1)
      return this.pool(op, of, shape);
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
    const axesId = this.numbers(`${of}/${op}/axes`, axes);
    const id = this.addReals(op, `${of}/${op}`, [of, axesId], { keepDims: false }, part.shape);
    this.parts.set(id, { id, ...part });
    return id;
  }

  /** Reduces over all of space. The runtime pools where tensors lie, channels in blocks, and need not move them first. */
  private pool(op: Reduction, of: ValueId, shape: readonly number[]): ValueId {
    const space = [...shape.keys()].slice(2);
    const pooled = shape.map((dim, axis) => (axis < 2 ? dim : 1));
    const axes = this.numbers(`${of}/${op}/axes`, space);
    const id = this.addReals(op, `${of}/${op}`, [of, axes], { keepDims: true }, pooled);
    this.parts.set(id, { id, shape: pooled, axis: 1 });
    return id;
  }

  /** Joins parts of like shape and says where each went. */
  private join(): Map<ValueId, Slice> {
    const alike = new Map<string, Part[]>();
    for (const part of this.parts.values()) {
      // The runtime joins channels as they lie, in blocks of 8 or 16, only where all of them are whole blocks.
      const blocks = part.shape[part.axis] % 16 === 0 ? '/blocks' : '';
      const key = `${part.shape.length}/${part.axis}${blocks}`;
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
        this.addReals(
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

  private numbers(wanted: string, numbers: readonly number[]): ValueId {
    return this.constant(wanted, int64Tensor([numbers.length], numbers));
  }
}
