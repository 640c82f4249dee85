/**
 * Which samples to calibrate on: at most `wanted` of `count`, drawn without replacement by a seed, in ascending order
 * (files are read forwards). With labels every class gives as many as it can, turn by turn.
 */
export function chooseSamples(count: number, wanted: number, seed: number, labels?: Int32Array): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  if (wanted >= count) return order;
  const random = mulberry32(seed);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  const chosen = labels ? takeTurns(order, labels) : order;
  return chosen.slice(0, wanted).sort((a, b) => a - b);
}

/** At most `wanted` of a list, spread evenly over it. */
export function spread<T>(list: readonly T[], wanted: number): T[] {
  const taken = Math.min(list.length, wanted);
  return Array.from({ length: taken }, (_, i) => list[Math.floor((i * list.length) / taken)]);
}

/** Reorders so that the classes take turns, each class in the order given. */
function takeTurns(order: readonly number[], labels: Int32Array): number[] {
  const classes = new Map<number, number[]>();
  for (const index of order) {
    const list = classes.get(labels[index]);
    if (list) list.push(index);
    else classes.set(labels[index], [index]);
  }
  const queues = [...classes.entries()].sort(([a], [b]) => a - b).map(([, list]) => list);
  const result: number[] = [];
  for (let turn = 0; result.length < order.length; turn++) {
    for (const queue of queues) if (turn < queue.length) result.push(queue[turn]);
  }
  return result;
}

/** A small seeded generator of numbers in [0, 1) (mulberry32): the same seed gives the same samples everywhere. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
