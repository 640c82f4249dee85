/**
 * Factors a symmetric positive definite matrix in place: `A = L · Lᵀ`, `L` in the lower triangle (the upper one is left
 * as it was). Row by row, so that both rows of each inner product lie side by side in memory.
 * @param matrix row-major, `n × n`
 * @returns false where the matrix is not positive definite; its content is then of no use
 */
export function cholesky(matrix: Float64Array, n: number): boolean {
  for (let i = 0; i < n; i++) {
    const row = i * n;
    for (let j = 0; j <= i; j++) {
      const other = j * n;
      let sum = matrix[row + j];
      for (let k = 0; k < j; k++) sum -= matrix[row + k] * matrix[other + k];
      if (j < i) matrix[row + j] = sum / matrix[other + j];
      else if (sum > 0) matrix[row + i] = Math.sqrt(sum);
      else return false;
    }
  }
  return true;
}
