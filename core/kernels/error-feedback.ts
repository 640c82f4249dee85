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
  /** `Lᵀ`, row-major, in the places' order: what one step reads lies side by side. */
  private readonly upper: Float64Array | undefined;
  private readonly errors: Float64Array;

  /**
   * @param hessian symmetric, positive semidefinite, row-major `n × n`; only read
   * @param observations how many independent ones it was measured from: the fewer, the more it is held to its diagonal
   */
  constructor(hessian: Float64Array, n: number, observations: number) {
    this.n = n;
    this.errors = new Float64Array(n);
    let trace = 0;
    for (let i = 0; i < n; i++) trace += hessian[i * n + i];
    this.order = Int32Array.from({ length: n }, (_, i) => i).sort(
      (a, b) => hessian[a * n + a] - hessian[b * n + b] || a - b,
    );
    const extra = ((damping + n / observations) * trace) / n;
    const permuted = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      const from = this.order[i] * n;
      for (let j = 0; j <= i; j++) permuted[i * n + j] = hessian[from + this.order[j]];
      permuted[i * n + i] += extra;
    }
    this.upper = trace > 0 && cholesky(permuted, n) ? transposedInPlace(permuted, n) : undefined;
  }

  /**
   * Rounds the row of `weights` that starts at `from` to integers within `±limit`, in steps of `scale`, into the same
   * places of `out`: to the nearest ones where the Hessian is all zero or no Hessian at all.
   */
  round(weights: Float32Array, from: number, scale: number, limit: number, out: Int8Array): void {
    const { n, order, errors } = this;
    const { upper } = this;
    for (let i = n - 1; i >= 0; i--) {
      const at = from + order[i];
      const wanted = (weights[at] - (upper ? leftBefore(upper, errors, i, n) : 0)) / scale;
      const q = Math.min(Math.max(Math.round(wanted), -limit), limit);
      out[at] = q;
      errors[i] = q * scale - weights[at];
    }
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
