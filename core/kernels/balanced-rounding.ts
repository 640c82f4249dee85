/**
 * Rounds a row of weights to integers whose errors sum to nearly nothing, by turning the elements nearest to a tie to
 * their other neighbour. Inputs that share a mean (after ReLU nearly all do) then shift no output. The idea is that of
 * SQuant (Guo et al. 2022, section 3); no data is needed.
 * @param integers the row rounded to nearest, from `from` to `to`; turned in place, kept within `±limit`
 */
export function balanceRow(
  weights: Float32Array,
  integers: Int8Array,
  from: number,
  to: number,
  scale: number,
  limit: number,
): void {
  if (room.length < to - from) room = new Float64Array(to - from);
  const errors = room.subarray(0, to - from);
  let sum = 0;
  for (let i = 0; i < errors.length; i++) {
    errors[i] = integers[from + i] - weights[from + i] / scale;
    sum += errors[i];
  }
  const turns = Math.round(Math.abs(sum));
  if (turns === 0 || !Number.isFinite(sum)) return;
  const sign = Math.sign(sum);
  // What turning would gain, negative where it would lose.
  for (let i = 0; i < errors.length; i++) errors[i] *= sign;
  const canTurn = (i: number) => Math.abs(integers[from + i] - sign) <= limit;
  const least = leastTurned(errors, canTurn, turns);
  const candidates: number[] = [];
  for (let i = 0; i < errors.length; i++) {
    if (errors[i] >= least && errors[i] > 0 && canTurn(i)) candidates.push(i);
  }
  candidates.sort((a, b) => errors[b] - errors[a] || a - b);
  for (const i of candidates.slice(0, turns)) integers[from + i] -= sign;
}

/** Of the last row: making one for each row would take longer than rounding it. */
let room = new Float64Array(0);

/** Errors are at most a half, other than those of weights that are held at the limit. */
const bins = 512;

/** A number that at least `count` of those that are counted reach, and few more: only those need sorting. */
function leastTurned(errors: Float64Array, isCounted: (i: number) => boolean, count: number): number {
  const counts = new Int32Array(bins);
  for (let i = 0; i < errors.length; i++) {
    const bin = Math.trunc(errors[i] * 2 * bins);
    if (isCounted(i)) counts[Math.max(0, Math.min(bins - 1, bin))]++;
  }
  let bin = bins - 1;
  for (let above = counts[bin]; above < count && bin > 0; above += counts[bin]) bin--;
  return bin / (2 * bins);
}
