/** One entry per operator named, with the names kept in the type, so that the registry can tell which are missing. */
export function perOp<const Op extends string, T>(ops: readonly Op[], make: (op: Op) => T): Record<Op, T> {
  return Object.fromEntries(ops.map((op) => [op, make(op)])) as Record<Op, T>;
}
