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
  ...(
    [
      ['cubic', [1, 2, 5, 6], [1, 2, 8, 4], { mode: 'cubic', coordinateTransformation: 'half_pixel' }],
      [
        'cubic, aligned',
        [1, 2, 4, 4],
        [1, 2, 7, 9],
        { mode: 'cubic', coordinateTransformation: 'align_corners' },
      ],
      [
        'cubic, nothing beyond the edge',
        [1, 2, 4, 4],
        [1, 2, 7, 9],
        { mode: 'cubic', coordinateTransformation: 'half_pixel', excludeOutside: true, cubicCoeffA: -0.5 },
      ],
      [
        'linear, antialiased',
        [1, 2, 9, 8],
        [1, 2, 4, 11],
        { mode: 'linear', coordinateTransformation: 'half_pixel', antialias: true },
      ],
      [
        'cubic, antialiased',
        [2, 1, 12, 10],
        [2, 1, 5, 4],
        { mode: 'cubic', coordinateTransformation: 'half_pixel', antialias: true },
      ],
      [
        'linear by scales that are not the ratio of sizes',
        [1, 2, 4, 5],
        [1, 2, 2, 3],
        { mode: 'linear', coordinateTransformation: 'half_pixel', scales: [1, 1, 0.6, 0.7] },
      ],
      [
        'linear by such scales, symmetric',
        [1, 2, 4, 5],
        [1, 2, 9, 12],
        { mode: 'linear', coordinateTransformation: 'half_pixel_symmetric', scales: [1, 1, 2.3, 2.5] },
      ],
      [
        'nearest by such scales',
        [1, 2, 4, 7],
        [1, 2, 2, 4],
        {
          coordinateTransformation: 'half_pixel',
          nearestMode: 'round_prefer_floor',
          scales: [1, 1, 0.6, 0.6],
        },
      ],
      [
        'linear to one row',
        [1, 2, 4, 4],
        [1, 2, 1, 3],
        { mode: 'linear', coordinateTransformation: 'pytorch_half_pixel' },
      ],
      [
        'a region that reaches beyond x',
        [1, 2, 4, 4],
        [1, 2, 3, 5],
        {
          mode: 'linear',
          coordinateTransformation: 'tf_crop_and_resize',
          roi: [0, 0, 0.4, -0.3, 1, 1, 1.2, 0.8],
          extrapolation: 10,
        },
      ],
      [
        'over three axes',
        [1, 2, 3, 4, 5],
        [1, 2, 5, 3, 7],
        { mode: 'linear', coordinateTransformation: 'half_pixel' },
      ],
    ] as [string, number[], number[], Partial<ResizeAttrs>][]
  ).map(
    ([name, from, to, attrs]): OpCase => ({
      name,
      op: 'Resize',
      inputs: [x(...from), ints(...to)],
      attrs: resize(attrs),
    }),
  ),
  ...(['linear', 'nearest', 'cubic'] as const).flatMap((mode) =>
    (['zeros', 'border', 'reflection'] as const).flatMap((padding) =>
      [false, true].flatMap((alignCorners): OpCase[] => {
        const attrs = { layout: 'NCHW', mode, padding, alignCorners };
        const name = `${mode}, ${padding}, ${alignCorners ? 'aligned' : 'between'}`;
        const grid = { shape: [2, 3, 5, 2], range: [-1.8, 1.8] as const };
        const row = (constant: boolean): OpCase => ({
          name: `${name}, ${constant ? 'known' : 'computed'} grid`,
          op: 'GridSample',
          inputs: [x(2, 3, 4, 5), { ...grid, constant }],
          attrs,
        });
        return mode === 'cubic' || padding === 'reflection' ? [row(true)] : [row(true), row(false)];
      }),
    ),
  ),
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
