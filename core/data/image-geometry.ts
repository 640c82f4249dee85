/** Where the picture goes in the input. */
export interface ImageGeometry {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly layout: 'NHWC' | 'NCHW';
}

/**
 * How an input of rank 3 or 4 holds a picture; the layout is told from where the 1 or 3 channels stand (last when both
 * could be). @returns undefined when it holds none.
 */
export function imageGeometry(shape: readonly number[], layout?: 'NHWC' | 'NCHW'): ImageGeometry | undefined {
  const dims = shape.length === 4 ? shape.slice(1) : shape;
  if (dims.length !== 3 || (shape.length === 4 && shape[0] !== 1)) return undefined;
  const isChannels = (dim: number): dim is 1 | 3 => dim === 1 || dim === 3;
  const [a, b, c] = dims;
  if (layout !== 'NCHW' && isChannels(c)) return { height: a, width: b, channels: c, layout: 'NHWC' };
  if (layout !== 'NHWC' && isChannels(a)) return { height: b, width: c, channels: a, layout: 'NCHW' };
  return undefined;
}
