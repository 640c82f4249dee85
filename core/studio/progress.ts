/** What a listener is told: at most ten times a second, the fraction never smaller than before. */
export interface ProgressUpdate {
  readonly stage: string;
  /** 0…1. */
  readonly fraction: number;
  readonly secondsLeft?: number;
}

export interface ProgressOptions {
  /** Milliseconds between two updates; default 100. */
  intervalMs?: number;
  /** Clock in milliseconds, for tests. */
  now?: () => number;
}

/** Time left is told only once it can be guessed from what was done. */
const guessFromFraction = 0.03;
const guessAfterMs = 400;

/**
 * Progress as a tree of weighted steps. A step either reports its own fraction or is split into smaller ones; its parent
 * follows. Whatever is reported, the whole never goes back and never passes 1.
 */
export class ProgressStep {
  private readonly root: Root;
  private readonly parent: ProgressStep | undefined;
  private readonly weight: number;
  private children: readonly ProgressStep[] = [];
  private own = 0;

  constructor(root: Root, parent: ProgressStep | undefined, weight: number) {
    this.root = root;
    this.parent = parent;
    this.weight = weight;
  }

  /** Divides this step into smaller ones by weight (any unit; expected time is best). */
  split<K extends string>(weights: Readonly<Record<K, number>>): Record<K, ProgressStep> {
    const steps = Object.fromEntries(
      Object.entries<number>(weights).map(([name, weight]) => [
        name,
        new ProgressStep(this.root, this, Math.max(0, weight)),
      ]),
    ) as Record<K, ProgressStep>;
    this.children = Object.values<ProgressStep>(steps);
    return steps;
  }

  /** Says how far this step is and, when it changed, what is being done. */
  report(fraction: number, stage?: string): void {
    if (Number.isFinite(fraction)) this.own = Math.max(this.own, Math.min(1, fraction));
    this.root.changed(stage);
  }

  /** Says what is being done now. */
  begin(stage: string): void {
    this.root.changed(stage);
  }

  /** This step and all below it are done, also those that were skipped. */
  finish(): void {
    this.own = 1;
    this.root.changed();
  }

  get fraction(): number {
    const total = this.children.reduce((sum, child) => sum + child.weight, 0);
    if (total === 0) return this.own;
    const below = this.children.reduce((sum, child) => sum + child.weight * child.fraction, 0);
    return Math.max(this.own, below / total);
  }

  /** Sends what has not been sent yet, at the very end. */
  flush(): void {
    if (this.parent) this.parent.flush();
    else this.root.flush();
  }
}

class Root {
  readonly step: ProgressStep;
  private readonly listener: (update: ProgressUpdate) => void;
  private readonly intervalMs: number;
  private readonly now: () => number;
  private readonly startedAt: number;
  private stage = '';
  private sentFraction = 0;
  private sentAt = Number.NEGATIVE_INFINITY;
  private waiting: ReturnType<typeof setTimeout> | undefined;

  constructor(listener: (update: ProgressUpdate) => void, options: ProgressOptions) {
    this.listener = listener;
    this.intervalMs = options.intervalMs ?? 100;
    this.now = options.now ?? (() => performance.now());
    this.startedAt = this.now();
    this.step = new ProgressStep(this, undefined, 1);
  }

  changed(stage?: string): void {
    if (stage !== undefined) this.stage = stage;
    const wait = this.sentAt + this.intervalMs - this.now();
    if (wait <= 0) {
      this.send();
      return;
    }
    this.waiting ??= setTimeout(() => this.send(), wait);
    this.waiting.unref?.();
  }

  flush(): void {
    if (this.waiting) this.send();
  }

  private send(): void {
    clearTimeout(this.waiting);
    this.waiting = undefined;
    const now = this.now();
    this.sentAt = now;
    this.sentFraction = Math.max(this.sentFraction, Math.min(1, this.step.fraction));
    const fraction = this.sentFraction;
    const elapsed = now - this.startedAt;
    const known = fraction >= guessFromFraction && elapsed >= guessAfterMs;
    const secondsLeft = known ? ((elapsed / fraction) * (1 - fraction)) / 1000 : undefined;
    this.listener({ stage: this.stage, fraction, secondsLeft });
  }
}

/** The root of a new tree. */
export function createProgress(
  listener: (update: ProgressUpdate) => void,
  options: ProgressOptions = {},
): ProgressStep {
  return new Root(listener, options).step;
}
