/** One run of a model under a profiler: its whole time, and its operators in the order in which they ran. */
export interface RecordedRun<E extends { readonly us: number }> {
  readonly us: number;
  readonly operators: readonly E[];
}

export interface RunMeans<E> {
  /** Of each operator: the event of the first run, and its mean time. */
  readonly operators: readonly { readonly event: E; readonly ms: number }[];
  /** What a run took beside its operators: with it, the times sum to the whole. */
  readonly besideMs: number;
}

/**
 * Mean times by position, over the quicker half of the runs that did the same as the first: a run that was interrupted
 * says nothing about operators.
 */
export function meanOfQuickerHalf<E extends { readonly us: number }>(
  runs: readonly RecordedRun<E>[],
): RunMeans<E> {
  const first = runs[0];
  if (!first) return { operators: [], besideMs: 0 };
  const alike = runs.filter((run) => run.operators.length === first.operators.length);
  const quick = [...alike].sort((a, b) => a.us - b.us).slice(0, Math.max(1, alike.length >> 1));
  const mean = (pick: (run: RecordedRun<E>) => number): number =>
    quick.reduce((sum, run) => sum + pick(run), 0) / 1000 / quick.length;
  const operators = first.operators.map((event, i) => ({ event, ms: mean((run) => run.operators[i].us) }));
  const whole = mean((run) => run.us);
  return { operators, besideMs: Math.max(0, whole - operators.reduce((sum, { ms }) => sum + ms, 0)) };
}
