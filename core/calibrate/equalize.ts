import { type Graph, valueNamed } from '../ir/graph.ts';
import { toFloat32 } from '../ir/tensor.ts';
import { type ChannelGroup, channelGroups, type Port } from './channel-groups.ts';
import type { Lane } from './channel-lanes.ts';

/** Smallest and largest element of each channel of a value, with the mean. */
export interface ChannelStatistics {
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly mean: Float64Array;
  /** How many times wider one half of the samples makes the channel's range than the other; infinite where one made none. */
  readonly growth: Float64Array;
}

/** Channels that take less than this part of the widest one's range are not widened further. */
const narrowest = 2 ** -12;
/**
 * A channel is widened to at most one part in so many of the tensor's range, times what its extremes grow by from some
 * samples to others: what exceeds the range is cut off. Smaller margins cut off more, larger ones gain less.
 */
const margins = [1, 1.5, 2.5];
/** The part of channels whose growth from some samples to others must stay within what the margins are multiplied by. */
const steady = 0.95;
/** Expected noise must fall to this part of what it was: tiny gains do not outweigh what is cut off. */
const worthwhile = 0.9;
/** How much of the unevenness of activations goes to the weights. */
const strengths = [1, 0.75, 0.5];
/** Where ReLU6 ends. */
const bound6 = 6;
const steps8 = 255;
const levels8 = 127;

/**
 * Factors by which channels are divided so that all make use of a tensor's one 8-bit scale (after Nagel et al.,
 * "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019, section 4.1, with activation ranges
 * measured, and shared out between activations and weights, as in SmoothQuant, Xiao et al. 2022). Makers' weights are
 * divided (a normalization's multiplier and shift too), readers' multiplied: the float network stays what it is. The bound
 * of a ReLU6 moves along, for each channel to where no sample came near it: 8-bit ranges cut off what exceeds them in any
 * case. Makers lose nothing, as their weights have a scale per output channel; what readers' weights lose is weighed
 * against what the activations gain, and a group that does not gain is left alone.
 * @param graph with channels first, the one that was calibrated
 * @returns factors by value name
 */
export function equalize(
  graph: Graph,
  statistics: ReadonlyMap<string, ChannelStatistics>,
): Map<string, Float64Array> {
  const factors = new Map<string, Float64Array>();
  for (const group of channelGroups(graph)) {
    const found = factorsOf(graph, group, statistics);
    if (!found) continue;
    for (const [id, { first, count }] of group.values) factors.set(id, found.slice(first, first + count));
  }
  return factors;
}

function factorsOf(
  graph: Graph,
  group: ChannelGroup,
  statistics: ReadonlyMap<string, ChannelStatistics>,
): Float64Array | undefined {
  const known: Known[] = [];
  for (const [id, lane] of group.values) {
    const found = statistics.get(id);
    if (found) known.push({ ...lane, ...found });
  }
  if (group.readers.some(({ value }) => !statistics.has(value)) || known.length === 0) return undefined;
  const spread = new Float64Array(group.channels);
  for (const { min, max, first } of known) {
    for (let c = 0; c < min.length; c++) {
      spread[first + c] = Math.max(spread[first + c], Math.max(max[c], 0) - Math.min(min[c], 0));
    }
  }
  const widest = spread.reduce((a, b) => Math.max(a, b), 0);
  const growth = usualGrowth(known);
  if (widest === 0 || growth === Number.POSITIVE_INFINITY) return undefined;
  const bounded = partsOfBound(group, statistics);
  const readers = group.readers.map(({ node, value }) => {
    return readerOf(graph, node, statistics.get(value)!, group.values.get(value)!);
  });
  const noiseOf = (f: Float64Array) => readers.reduce((sum, reader) => sum + noise(reader, f, known), 0);
  const strongest = strongestWeights(readers, group.channels);
  let best: Float64Array | undefined;
  let least = noiseOf(new Float64Array(group.channels).fill(1)) * worthwhile;
  for (const margin of margins) {
    for (const strength of strengths) {
      const factors = migrated(spread, strongest, strength);
      for (let c = 0; c < factors.length; c++) {
        const part = Math.max(spread[c] / widest, bounded[c]);
        // A channel that gave nothing but zeros has no range to go by.
        if (part === 0) factors[c] = 1;
        else factors[c] = Math.max(Math.min(Math.max(factors[c], part * growth * margin), 1), narrowest);
      }
      const total = noiseOf(factors);
      if (total < least) [best, least] = [factors, total];
    }
  }
  return best;
}

/** What the ranges of most channels grow by at most from one half of the samples to the other; of those that are used. */
function usualGrowth(known: readonly Known[]): number {
  const growths = known.flatMap(({ min, max, growth }) => [...growth].filter((_, c) => max[c] > min[c]));
  return growths.sort((a, b) => a - b)[Math.ceil(steady * growths.length) - 1] ?? 1;
}

/** How much of the bound of ReLU6 each channel takes: none where none bounds it, all where that is unknown. */
function partsOfBound(group: ChannelGroup, statistics: ReadonlyMap<string, ChannelStatistics>): Float64Array {
  const parts = new Float64Array(group.channels);
  for (const id of group.bounded) {
    const { first, count } = group.values.get(id)!;
    const max = statistics.get(id)?.max;
    for (let c = 0; c < count; c++) parts[first + c] = Math.max(parts[first + c], max ? max[c] / bound6 : 1);
  }
  return parts;
}

/** `spread^α ÷ weights^(1−α)` (SmoothQuant, equation 4), the widest channel's being 1. */
function migrated(spread: Float64Array, weights: Float64Array, strength: number): Float64Array {
  const raw = spread.map((r, c) => r ** strength / Math.max(weights[c], Number.MIN_VALUE) ** (1 - strength));
  let widest = 0;
  for (let c = 0; c < spread.length; c++) if (spread[c] > spread[widest]) widest = c;
  return raw.map((x) => x / raw[widest]);
}

/** Largest magnitude of the weights that meet each channel. */
function strongestWeights(readers: readonly Reader[], channels: number): Float64Array {
  const strongest = new Float64Array(channels);
  for (const { peaks, inputs, outputsPerGroup, lane } of readers) {
    for (let at = 0; at < peaks.length; at++) {
      const m = Math.floor(at / inputs);
      const c = lane.first + Math.floor(m / outputsPerGroup) * inputs + (at % inputs);
      strongest[c] = Math.max(strongest[c], peaks[at]);
    }
  }
  return strongest;
}

/** Statistics of a value of a group. */
type Known = ChannelStatistics & Lane;

/** What the noise at a reader's output depends on. */
interface Reader {
  readonly statistics: ChannelStatistics;
  readonly lane: Lane;
  /** Σ of squared weights that meet an input channel. */
  readonly columnSquares: Float64Array;
  /** Largest magnitude of the weights of each output channel and input channel: `[outputs, inputs ÷ group]`. */
  readonly peaks: Float64Array;
  readonly inputs: number;
  readonly outputsPerGroup: number;
  readonly taps: number;
}

function readerOf(graph: Graph, node: Port['node'], statistics: ChannelStatistics, lane: Lane): Reader {
  const weights = valueNamed(graph, node.inputs[1]!).constant!;
  const data = toFloat32(weights);
  const [outputs, inputs] = weights.shape;
  const taps = data.length / (outputs * inputs);
  const group = typeof node.attrs.group === 'number' ? node.attrs.group : 1;
  const columnSquares = new Float64Array(statistics.min.length);
  const peaks = new Float64Array(outputs * inputs);
  const outputsPerGroup = outputs / group;
  for (let m = 0, at = 0; m < outputs; m++) {
    const first = Math.floor(m / outputsPerGroup) * inputs;
    for (let c = 0; c < inputs; c++) {
      for (let k = 0; k < taps; k++, at++) {
        columnSquares[first + c] += data[at] * data[at];
        peaks[m * inputs + c] = Math.max(peaks[m * inputs + c], Math.abs(data[at]));
      }
    }
  }
  return { statistics, lane, columnSquares, peaks, inputs, outputsPerGroup, taps };
}

/** Expected squared error at a reader's output from rounding its input and its weights to 8 bits, factors applied. */
function noise(reader: Reader, all: Float64Array, known: readonly Known[]): number {
  let step = 0;
  for (const { min, max, first } of known) {
    let low = 0;
    let high = 0;
    for (let c = 0; c < min.length; c++) {
      low = Math.min(low, min[c] / all[first + c]);
      high = Math.max(high, max[c] / all[first + c]);
    }
    step = Math.max(step, (high - low) / steps8);
  }
  const { statistics, lane, columnSquares, peaks, inputs, outputsPerGroup, taps } = reader;
  const factors = all.subarray(lane.first, lane.first + lane.count);
  let fromInput = 0;
  for (let c = 0; c < factors.length; c++) {
    // Zero is exact in integers: a channel that gives nothing else has no rounding error.
    if (statistics.min[c] !== 0 || statistics.max[c] !== 0) fromInput += columnSquares[c] * factors[c] ** 2;
  }
  const power = Float64Array.from(factors, (f, c) => {
    // Second moment from the mean and the range, as of a distribution that spans six deviations.
    const deviation = (statistics.max[c] - statistics.min[c]) / 6;
    return (statistics.mean[c] ** 2 + deviation ** 2) / f ** 2;
  });
  let fromWeights = 0;
  for (let m = 0; m * inputs < peaks.length; m++) {
    const first = Math.floor(m / outputsPerGroup) * inputs;
    let peak = 0;
    let energy = 0;
    for (let c = 0; c < inputs; c++) {
      peak = Math.max(peak, peaks[m * inputs + c] * factors[first + c]);
      energy += power[first + c];
    }
    fromWeights += energy * taps * (peak / levels8) ** 2;
  }
  return fromInput * step * step + fromWeights;
}
