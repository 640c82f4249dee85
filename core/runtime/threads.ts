import { availableParallelism } from 'node:os';

/** Threads of a session when the caller names no number: all cores, up to four, where small models stop gaining. */
export function defaultThreads(): number {
  return Math.min(4, availableParallelism());
}
