/** At most `wanted` of a list, spread evenly over it from its first on; all of a list that is no longer. */
export function spread<T>(list: readonly T[], wanted: number): T[] {
  return spreadIndexes(list.length, wanted).map((index) => list[index]);
}

/** Indexes of at most `wanted` of `count`, spread evenly: of samples sorted by class, all classes are represented. */
export function spreadIndexes(count: number, wanted = count): number[] {
  const taken = Math.min(count, wanted);
  return Array.from({ length: taken }, (_, i) => Math.floor((i * count) / taken));
}
