import type { OptimizeReport } from '../contract/views.ts';

export type TimingName = Exclude<keyof OptimizeReport['timingsMs'], 'total'>;

/** Where the time of a run went. A measurement within another counts only for itself. */
export class Timings {
  private readonly startedAt = performance.now();
  private readonly spent: Record<TimingName, number> = {
    read: 0,
    prepare: 0,
    calibrate: 0,
    quantize: 0,
    write: 0,
    verify: 0,
  };
  private current: TimingName | undefined;
  private since = 0;

  async measure<T>(name: TimingName, work: () => Promise<T>): Promise<T> {
    const before = this.switchTo(name);
    try {
      return await work();
    } finally {
      this.switchTo(before);
    }
  }

  measureSync<T>(name: TimingName, work: () => T): T {
    const before = this.switchTo(name);
    try {
      return work();
    } finally {
      this.switchTo(before);
    }
  }

  /** Milliseconds so far, rounded to tenths. */
  toJSON(): OptimizeReport['timingsMs'] {
    const rounded = Object.fromEntries(Object.entries(this.spent).map(([name, ms]) => [name, round(ms)]));
    return { ...(rounded as Record<TimingName, number>), total: round(performance.now() - this.startedAt) };
  }

  private switchTo(name: TimingName | undefined): TimingName | undefined {
    const now = performance.now();
    const before = this.current;
    if (before) this.spent[before] += now - this.since;
    this.current = name;
    this.since = now;
    return before;
  }
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
