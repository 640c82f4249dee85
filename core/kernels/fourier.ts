/** Matrices of the discrete Fourier transform. */

export interface FourierMatrices {
  /** cos(2π row × column / length), row by row. */
  readonly cosines: Float64Array;
  /** sin(2π row × column / length), row by row. */
  readonly sines: Float64Array;
}

/** @param length of the transform; products are taken modulo it, so that angles keep their digits. */
export function fourierMatrices(rows: number, columns: number, length: number): FourierMatrices {
  const cosines = new Float64Array(rows * columns);
  const sines = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const angle = (2 * Math.PI * ((row * column) % length)) / length;
      cosines[row * columns + column] = Math.cos(angle);
      sines[row * columns + column] = Math.sin(angle);
    }
  }
  return { cosines, sines };
}
