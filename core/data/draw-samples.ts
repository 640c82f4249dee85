import { mulberry32 } from '../kernels/random.ts';

/**
 * Which samples to calibrate on: at most `wanted` of `count`, drawn without replacement by a seed, in ascending order
 * (files are read forwards). With labels every class gives as many as it can, turn by turn.
 */
export function drawSamples(count: number, wanted: number, seed: number, labels?: Int32Array): number[] {
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
