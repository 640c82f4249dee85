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
  const errorOf = (at: number) => integers[at] - weights[at] / scale;
  let sum = 0;
  for (let at = from; at < to; at++) sum += errorOf(at);
  const turns = Math.round(Math.abs(sum));
  if (turns === 0 || !Number.isFinite(sum)) return;
  const sign = Math.sign(sum);
  const candidates: number[] = [];
  for (let at = from; at < to; at++) {
    if (errorOf(at) * sign > 0 && Math.abs(integers[at] - sign) <= limit) candidates.push(at);
  }
  candidates.sort((a, b) => Math.abs(errorOf(b)) - Math.abs(errorOf(a)) || a - b);
  for (const at of candidates.slice(0, turns)) integers[at] -= sign;
}
