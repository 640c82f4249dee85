import { describe, it } from 'vitest';
import { checkOp, ints, type OpCase, x } from '../../testing/check-op.ts';
import type { ResizeAttrs } from '../vocabulary.ts';

const resize = (attrs: Partial<ResizeAttrs>) => ({
  mode: 'nearest',
  coordinateTransformation: 'asymmetric',
  nearestMode: 'floor',
  cubicCoeffA: -0.75,
  ...attrs,
});

const cases: OpCase[] = [
  { name: 'nearest, doubled', op: 'Resize', inputs: [x(1, 2, 3, 4), ints(1, 2, 6, 8)], attrs: resize({}) },
  {
    name: 'linear, half pixel',
    op: 'Resize',
    inputs: [x(1, 2, 3, 4), ints(1, 2, 6, 8)],
    attrs: resize({ mode: 'linear', coordinateTransformation: 'half_pixel' }),
  },
  {
    name: 'linear, aligned corners',
    op: 'Resize',
    inputs: [x(1, 2, 3, 4), ints(1, 2, 5, 7)],
    attrs: resize({ mode: 'linear', coordinateTransformation: 'align_corners' }),
  },
  {
    name: 'depth first',
    op: 'DepthToSpace',
    inputs: [x(1, 8, 2, 3)],
    attrs: { layout: 'NCHW', blockSize: 2, mode: 'DCR' },
  },
  {
    name: 'column first',
    op: 'DepthToSpace',
    inputs: [x(1, 8, 2, 3)],
    attrs: { layout: 'NCHW', blockSize: 2, mode: 'CRD' },
  },
  { name: '', op: 'SpaceToDepth', inputs: [x(1, 2, 4, 6)], attrs: { layout: 'NCHW', blockSize: 2 } },
];

describe('image operators in LiteRT equal onnxruntime', () => {
  it.each(cases)('$op $name', checkOp);
});
