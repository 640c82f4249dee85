/**
 * Weights of a linear resize with antialiasing along one axis, as a row-major [to, from] matrix: a triangle as wide as
 * the reduction (TensorFlow's ScaleAndTranslate with the `triangle` kernel), each row summing to 1.
 */
export function antialiasedWeights(from: number, to: number): Float32Array {
  const weights = new Float32Array(to * from);
  const step = from / to;
  const width = Math.max(step, 1);
  for (let row = 0; row < to; row++) {
    const center = (row + 0.5) * step;
    const first = Math.max(0, Math.ceil(center - width - 0.5));
    const last = Math.min(from - 1, Math.floor(center + width - 0.5));
    let sum = 0;
    for (let i = first; i <= last; i++) {
      const weight = Math.max(0, 1 - Math.abs((i + 0.5 - center) / width));
      weights[row * from + i] = weight;
      sum += weight;
    }
    for (let i = first; i <= last; i++) weights[row * from + i] /= sum;
  }
  return weights;
}
