/** Rows that are worked on at a time: each row read serves all of them, and no sum waits for its last addition. */
const rowsAtOnce = 4;

/**
 * Factors a symmetric positive definite matrix in place: `A = L · Lᵀ`, `L` in the lower triangle (the upper one is left
 * as it was). Row by row, so that the rows of each inner product lie side by side in memory.
 * @param matrix row-major, `n × n`
 * @returns false where the matrix is not positive definite; its content is then of no use
 */
export function cholesky(matrix: Float64Array, n: number): boolean {
  for (let from = 0; from < n; from += rowsAtOnce) {
    const to = Math.min(from + rowsAtOnce, n);
    let row = from;
    if (to - from === rowsAtOnce) reduceFour(matrix, n, from);
    else for (; row < to; row++) reduce(matrix, n, row, 0, from);
    for (row = from; row < to; row++) {
      reduce(matrix, n, row, from, row);
      const at = row * n;
      const square = matrix[at + row] - innerProduct(matrix, at, at, row);
      if (!(square > 0)) return false;
      matrix[at + row] = Math.sqrt(square);
    }
  }
  return true;
}

/** The elements of a row from one column to before another. */
function reduce(matrix: Float64Array, n: number, row: number, from: number, to: number): void {
  const at = row * n;
  for (let j = from; j < to; j++)
    matrix[at + j] = (matrix[at + j] - innerProduct(matrix, at, j * n, j)) / matrix[j * n + j];
}

/** The elements left of column `from` of four rows, the first of which has that number. */
function reduceFour(matrix: Float64Array, n: number, from: number): void {
  const one = from * n;
  const two = one + n;
  const three = two + n;
  const four = three + n;
  for (let j = 0; j < from; j++) {
    const other = j * n;
    let a = matrix[one + j];
    let b = matrix[two + j];
    let c = matrix[three + j];
    let d = matrix[four + j];
    for (let k = 0; k < j; k++) {
      const x = matrix[other + k];
      a -= matrix[one + k] * x;
      b -= matrix[two + k] * x;
      c -= matrix[three + k] * x;
      d -= matrix[four + k] * x;
    }
    const pivot = matrix[other + j];
    matrix[one + j] = a / pivot;
    matrix[two + j] = b / pivot;
    matrix[three + j] = c / pivot;
    matrix[four + j] = d / pivot;
  }
}

function innerProduct(matrix: Float64Array, one: number, other: number, length: number): number {
  let sum = 0;
  for (let k = 0; k < length; k++) sum += matrix[one + k] * matrix[other + k];
  return sum;
}
