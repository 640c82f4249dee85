import type { OperatorTime } from '../ir/engine.ts';

/** Where LiteRT really ran the operators of a file. */
export interface RunPartition {
  /** Places in the file of operators that ran in the built-in kernels. */
  readonly builtin: ReadonlySet<number>;
  /** Stretches that a delegate ran. */
  readonly delegated: number;
}

/**
 * Reads LiteRT's partition off its profiler: an operator that a delegate took has no event of its own, all others have.
 * @param times what `Session.operatorTimes` of a LiteRT session returned
 */
export function partitionOfRun(times: readonly OperatorTime[]): RunPartition {
  const builtin = new Set<number>();
  let delegated = 0;
  for (const { index, part } of times) {
    if (index !== undefined) builtin.add(index);
    if (part !== undefined) delegated = Math.max(delegated, part + 1);
  }
  return { builtin, delegated };
}
