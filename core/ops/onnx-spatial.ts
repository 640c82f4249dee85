/** Strides, dilations and pads of ONNX's convolutions and pools. */
import type { Value } from '../ir/graph.ts';
import type { OnnxAttr, OnnxNodeView } from './facets.ts';
import { ints } from './onnx-helpers.ts';
import type { SpatialAttrs } from './vocabulary.ts';

/** One number per spatial axis, or a fallback where the node gives none. */
export function perAxis(node: OnnxNodeView, name: string, axes: number, fallback: number): readonly number[] {
  const values = node.ints(name) ?? new Array<number>(axes).fill(fallback);
  if (values.length !== axes) node.refuse(`${name} = [${values.join(', ')}] is not for ${axes} spatial axes`);
  return values;
}

/**
 * The spatial attributes of a convolution or pool with `auto_pad` resolved (ONNX Conv: SAME puts the odd element at
 * the end for UPPER, at the begin for LOWER).
 */
export function readSpatial(
  node: OnnxNodeView,
  x: Value,
  kernel: readonly number[],
): Pick<SpatialAttrs, 'layout' | 'strides' | 'dilations' | 'pads'> {
  const axes = kernel.length;
  const strides = perAxis(node, 'strides', axes, 1);
  const dilations = perAxis(node, 'dilations', axes, 1);
  if ([...strides, ...dilations].some((value) => value < 1)) node.refuse('a stride or dilation is below 1');
  const explicit = node.ints('pads');
  const autoPad = node.string('auto_pad', 'NOTSET');
  if (autoPad === 'NOTSET') {
    const pads = explicit ?? new Array<number>(2 * axes).fill(0);
    if (pads.length !== 2 * axes) node.refuse(`pads = [${pads.join(', ')}] is not for ${axes} spatial axes`);
    return { layout: 'NCHW', strides, dilations, pads };
  }
  if (autoPad === 'VALID')
    return { layout: 'NCHW', strides, dilations, pads: new Array<number>(2 * axes).fill(0) };
  if (autoPad !== 'SAME_UPPER' && autoPad !== 'SAME_LOWER') node.refuse(`auto_pad = ${autoPad} is not known`);
  const begins: number[] = [];
  const ends: number[] = [];
  kernel.forEach((size, i) => {
    const total = samePadding(node, x, i + 2, strides[i], dilations[i] * (size - 1) + 1);
    const less = Math.floor(total / 2);
    begins.push(autoPad === 'SAME_UPPER' ? less : total - less);
    ends.push(autoPad === 'SAME_UPPER' ? total - less : less);
  });
  return { layout: 'NCHW', strides, dilations, pads: [...begins, ...ends] };
}

function samePadding(node: OnnxNodeView, x: Value, axis: number, stride: number, reach: number): number {
  const size = x.type.shape[axis];
  if (typeof size === 'number') return Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach - size);
  if (stride === 1) return reach - 1;
  throw new Error(
    `${node.opType} "${node.name}" pads to the same size, but axis ${axis} of its input is open`,
  );
}

export function writeSpatial(attrs: SpatialAttrs): Record<string, OnnxAttr> {
  return { strides: ints(attrs.strides), dilations: ints(attrs.dilations), pads: ints(attrs.pads) };
}
