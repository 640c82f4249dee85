/** Where each element of a padded axis comes from. */

/**
 * @param mode ONNX Pad modes: constant, reflect (edge not repeated), edge, wrap.
 * @param begin, end elements to add; negative ones crop.
 * @returns for each position of the result the source index, or −1 for the fill value.
 * @throws RangeError when reflect or wrap ask for elements of an empty axis.
 */
export function padIndices(
  mode: 'constant' | 'reflect' | 'edge' | 'wrap',
  size: number,
  begin: number,
  end: number,
): number[] {
  const out: number[] = [];
  for (let i = -begin; i < size + end; i++) {
    if (i >= 0 && i < size) out.push(i);
    else if (mode === 'constant') out.push(-1);
    else if (size === 0) throw new RangeError(`an empty axis cannot be padded by ${mode}`);
    else if (mode === 'edge') out.push(i < 0 ? 0 : size - 1);
    else if (mode === 'wrap') out.push(((i % size) + size) % size);
    else out.push(reflect(i, size));
  }
  return out;
}

function reflect(index: number, size: number): number {
  const period = 2 * (size - 1);
  if (period === 0) return 0;
  const at = ((index % period) + period) % period;
  return at < size ? at : period - at;
}
