/** A tensor that lives from the operator that makes it to the last one that reads it. */
export interface Lifetime {
  readonly name: string;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

export interface ArenaPlan {
  /** Size of the one block of memory that holds them all. */
  readonly bytes: number;
  /** Most bytes alive at once: no plan can be smaller. */
  readonly peakBytes: number;
  readonly offsets: readonly number[];
}

/** LiteRT's default alignment of tensors. */
const alignment = 64;
const align = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;

/**
 * Plans an arena as LiteRT's planner does: larger tensors first, each into the smallest gap between those that live at
 * the same time (greedy by size: Pisarchyk and Lee, 2020).
 */
export function planArena(tensors: readonly Lifetime[]): ArenaPlan {
  const order = tensors
    .map((_, index) => index)
    .sort((a, b) => tensors[b].bytes - tensors[a].bytes || tensors[a].first - tensors[b].first);
  const offsets = new Array<number>(tensors.length).fill(0);
  const placed: number[] = [];
  let bytes = 0;
  for (const index of order) {
    const { first, last } = tensors[index];
    const size = align(tensors[index].bytes);
    const beside = placed
      .filter((other) => tensors[other].first <= last && tensors[other].last >= first)
      .sort((a, b) => offsets[a] - offsets[b]);
    let at = -1;
    let smallest = Number.POSITIVE_INFINITY;
    let end = 0;
    for (const other of beside) {
      const gap = offsets[other] - end;
      if (gap >= size && gap < smallest) {
        smallest = gap;
        at = end;
      }
      end = Math.max(end, offsets[other] + align(tensors[other].bytes));
    }
    offsets[index] = at < 0 ? end : at;
    placed.push(index);
    bytes = Math.max(bytes, offsets[index] + size);
  }
  return { bytes, peakBytes: peakOf(tensors), offsets };
}

function peakOf(tensors: readonly Lifetime[]): number {
  const changes = new Map<number, number>();
  for (const { first, last, bytes } of tensors) {
    changes.set(first, (changes.get(first) ?? 0) + align(bytes));
    changes.set(last + 1, (changes.get(last + 1) ?? 0) - align(bytes));
  }
  let alive = 0;
  let peak = 0;
  for (const [, change] of [...changes].sort(([a], [b]) => a - b)) {
    alive += change;
    peak = Math.max(peak, alive);
  }
  return peak;
}
