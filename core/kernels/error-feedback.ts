import { cholesky } from './cholesky.ts';

/** What is added to the diagonal at least, as a part of its mean. */
const damping = 0.1;

/**
 * Rounds rows of weights one column after another, each column taking up the error that the ones before have left at
 * the output (GPTQ, Frantar et al. 2022). With the Hessian `H = L · Lᵀ` of the squared output error, that is Babai's
 * nearest plane: `‖Lᵀ (q − w)‖²` is made small from the last column to the first (Chen et al., "The Geometry of LLM
 * Quantization", 2025), which needs no inverse of `H`. Columns go in order of falling diagonal (`act-order`).
 */
export class ErrorFeedback {
  private readonly n: number;
  /** Column of the weights by place, the one that is rounded first at the end. */
  private readonly order: Int32Array;
  /** `Lᵀ` above and `L` below the diagonal, row-major, in the places' order: what one step reads lies side by side. */
  private readonly upper: Float64Array | undefined;
  private readonly errors: Float64Array;
  private readonly hessian: Float64Array;
  /** What the diagonal was raised by. */
  private readonly extra: number;
  /** Half the slope of the squared output error by each weight. */
  private readonly slopes: Float64Array;

  /**
   * @param hessian symmetric, positive semidefinite, row-major `n × n`; only read
   * @param observations how many independent ones it was measured from: the fewer, the more it is held to its diagonal
   */
  constructor(hessian: Float64Array, n: number, observations: number) {
    this.n = n;
    this.errors = new Float64Array(n);
    this.slopes = new Float64Array(n);
    this.hessian = hessian;
    let trace = 0;
    for (let i = 0; i < n; i++) trace += hessian[i * n + i];
    this.order = Int32Array.from({ length: n }, (_, i) => i).sort(
      (a, b) => hessian[a * n + a] - hessian[b * n + b] || a - b,
    );
    this.extra = ((damping + n / observations) * trace) / n;
    const permuted = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      const from = this.order[i] * n;
      for (let j = 0; j <= i; j++) permuted[i * n + j] = hessian[from + this.order[j]];
      permuted[i * n + i] += this.extra;
    }
    this.upper = trace > 0 && cholesky(permuted, n) ? transposedInPlace(permuted, n) : undefined;
  }

  /**
   * Rounds the row of `weights` that starts at `from` to integers within `±limit`, in steps of `scale`, into the same
   * places of `out`: to the nearest ones where the Hessian is all zero or no Hessian at all.
   * @returns the squared output error that is left
   */
  round(weights: Float32Array, from: number, scale: number, limit: number, out: Int8Array): number {
    const { n, order, errors, upper } = this;
    let total = 0;
    for (let i = n - 1; i >= 0; i--) {
      const at = from + order[i];
      const left = upper ? leftBefore(upper, errors, i, n) : 0;
      const q = Math.min(Math.max(Math.round((weights[at] - left) / scale), -limit), limit);
      out[at] = q;
      errors[i] = q * scale - weights[at];
      if (upper) total += (upper[i * n + i] * (errors[i] + left)) ** 2;
    }
    return total;
  }

  /**
   * Turns single integers of a rounded row up or down, always the one that takes the most off the squared output error,
   * until none does: coordinate descent on the objective of AdaRound (Nagel et al. 2020, equation 9), which its authors
   * relax. Rounding column by column never looks back; this does.
   */
  descend(weights: Float32Array, from: number, scale: number, limit: number, integers: Int8Array): void {
    const { n, hessian, extra, slopes, upper } = this;
    if (!upper) return;
    slopes.fill(0);
    for (let i = 0; i < n; i++) this.addSlopes(i, integers[from + i] * scale - weights[from + i]);
    // Each turn takes something off: the bound only keeps rounding errors of the sums from turning in circles.
    for (let turns = 0; turns < n; turns++) {
      let [best, most] = [-1, 0];
      for (let i = 0; i < n; i++) {
        const gain = 2 * Math.abs(slopes[i]) - scale * (hessian[i * n + i] + extra);
        if (gain > most && Math.abs(integers[from + i] - Math.sign(slopes[i])) <= limit)
          [best, most] = [i, gain];
      }
      if (best < 0) return;
      const turn = -Math.sign(slopes[best]);
      integers[from + best] += turn;
      this.addSlopes(best, turn * scale);
    }
  }

  /** Puts the `x` of `H · x = rhs` in place of `rhs`, for the raised diagonal; zeros where there is no Hessian. */
  solve(rhs: Float64Array): void {
    const { n, order, upper } = this;
    if (!upper) {
      rhs.fill(0);
      return;
    }
    const x = Float64Array.from(order, (column) => rhs[column]);
    for (let i = 0; i < n; i++) {
      let left = x[i];
      for (let j = 0, at = i * n; j < i; j++, at++) left -= upper[at] * x[j];
      x[i] = left / upper[i * n + i];
    }
    for (let i = n - 1; i >= 0; i--) {
      let left = x[i];
      for (let j = i + 1, at = i * n + j; j < n; j++, at++) left -= upper[at] * x[j];
      x[i] = left / upper[i * n + i];
    }
    for (let i = 0; i < n; i++) rhs[order[i]] = x[i];
  }

  /** Moves the slopes by what changing one weight by `change` does. */
  private addSlopes(place: number, change: number): void {
    const { n, hessian, slopes } = this;
    if (change === 0) return;
    for (let i = 0, at = place * n; i < n; i++, at++) slopes[i] += change * hessian[at];
    slopes[place] += change * this.extra;
  }
}

/** What the columns rounded so far ask of the one at place `i`. */
function leftBefore(upper: Float64Array, errors: Float64Array, i: number, n: number): number {
  const row = i * n;
  let left = 0;
  for (let j = i + 1; j < n; j++) left += upper[row + j] * errors[j];
  return left / upper[row + i];
}

function transposedInPlace(matrix: Float64Array, n: number): Float64Array {
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) matrix[j * n + i] = matrix[i * n + j];
  return matrix;
}
