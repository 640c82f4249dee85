import type { ActivationView } from '../contract/views.ts';
import type { PortInfo } from '../ir/engine.ts';
import { addToHistogram, createHistogram } from '../kernels/histogram.ts';
import { quantileOf, viewHistograms } from './histogram-view.ts';

/** Bins on either side of zero while counting; so fine that the bulk's ends are told within a 512th of the largest. */
const binsPerSide = 512;
/** At most about so many elements of a sample are counted: the shape of a distribution needs no more. */
const countedPerSample = 1 << 16;
const binsShown = 64;
const bulkShare = 0.999;

const integerLimits: Readonly<Record<string, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
};

/** Watches one operator's result in the source and in a file, in constant memory. */
export class ActivationRecord {
  private readonly source = createHistogram(binsPerSide);
  private readonly file = createHistogram(binsPerSide);
  private readonly limits: { dtype: string; low: number; high: number; step: number } | undefined;
  private channels: Float64Array | undefined;
  private clipped = 0;
  private total = 0;

  /** @param port of the file, which says what its integers stand for */
  constructor(port: Pick<PortInfo, 'dtype' | 'quant'>) {
    const range = integerLimits[port.dtype];
    if (!port.quant || !range) return;
    const [step, zeroPoint] = [port.quant.scales[0], port.quant.zeroPoints[0]];
    this.limits = {
      dtype: port.dtype,
      low: step * (range[0] - zeroPoint),
      high: step * (range[1] - zeroPoint),
      step,
    };
  }

  /**
   * Takes one sample of both sides, aligned.
   * @param channelAxis of `shape`; left out where the result has no channels
   */
  add(
    wanted: Float32Array,
    got: Float32Array,
    shape: readonly number[],
    channelAxis: number | undefined,
  ): void {
    const stride = Math.max(1, Math.floor(wanted.length / countedPerSample));
    addToHistogram(this.source, wanted, stride);
    addToHistogram(this.file, got, stride);
    this.total += wanted.length;
    if (this.limits) this.clipped += countBeyond(wanted, this.limits);
    if (channelAxis !== undefined) this.addChannels(wanted, shape, channelAxis);
  }

  private addChannels(values: Float32Array, shape: readonly number[], axis: number): void {
    const count = shape[axis];
    const inner = shape.slice(axis + 1).reduce((product, dim) => product * dim, 1);
    this.channels ??= new Float64Array(count);
    const { channels } = this;
    for (let at = 0, channel = 0; at < values.length; channel = (channel + 1) % count) {
      let largest = channels[channel];
      for (const end = at + inner; at < end; at++) {
        const magnitude = Math.abs(values[at]);
        if (magnitude > largest) largest = magnitude;
      }
      channels[channel] = largest;
    }
  }

  /** Undefined when nothing finite was seen. */
  view(): ActivationView | undefined {
    if (this.source.total === 0) return undefined;
    const { source, file, limits, total } = this;
    const [sourceView, fileView] = viewHistograms([source, file], binsShown);
    return {
      min: source.min,
      max: source.max,
      bulk: [quantileOf(source, (1 - bulkShare) / 2), quantileOf(source, (1 + bulkShare) / 2)],
      ...(limits && { quantized: { ...limits, clippedShare: this.clipped / total } }),
      ...(this.channels && this.channels.length > 1 && { channels: channelView(this.channels) }),
      source: sourceView,
      file: fileView,
    };
  }
}

/** Elements that the nearest integer at an end stands for with more than the usual half of a step. */
function countBeyond(values: Float32Array, limits: { low: number; high: number; step: number }): number {
  const low = limits.low - limits.step / 2;
  const high = limits.high + limits.step / 2;
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] < low || values[i] > high) count++;
  return count;
}

function channelView(channels: Float64Array): ActivationView['channels'] {
  const sorted = Float64Array.from(channels).sort();
  const largest = sorted[sorted.length - 1];
  return {
    count: channels.length,
    largest,
    largestAt: channels.indexOf(largest),
    median: sorted[sorted.length >> 1],
  };
}
