/** GridSample as GATHER of each element that counts, times its weight. */
import type { DType } from '../../ir/dtype.ts';
import type { Node } from '../../ir/graph.ts';
import { elementCount, tensorOf, toFloat32 } from '../../ir/tensor.ts';
import type { TfliteTensorRef, TfliteWriteContext } from '../facets.ts';
import {
  attrsOf,
  innerLike,
  inputValue,
  needFloat,
  numberTensor,
  outputTensor,
  outputValue,
  reshape,
  shapeOf,
} from '../tflite-helpers.ts';
import type { GridSampleAttrs } from '../vocabulary.ts';
import { gridTaps } from './grid-taps.ts';

type Ref = TfliteTensorRef;

/** An element of x for each point: its place in x as [N × space, C] and its weight, each with one entry per point. */
interface Tap {
  readonly offsets: Ref;
  readonly weights: Ref;
}

export function writeGridSample(node: Node, context: TfliteWriteContext): void {
  needFloat(node, context);
  const attrs = attrsOf(node, 'GridSample');
  if (attrs.layout !== 'NHWC') context.refuse('its channels come first, where TFLite has them last');
  const [x, grid] = [inputValue(node, context, 0), inputValue(node, context, 1)];
  const [shape, gridShape] = [shapeOf(x, context), shapeOf(grid, context)];
  const channels = shape[shape.length - 1];
  const rows = [elementCount(shape) / channels, channels];
  const flat = innerLike(context, `${node.id}/rows`, x, rows);
  reshape(context, context.tensor(x.id), flat, `${node.id}/rows`, rows);
  const taps = grid.constant
    ? knownTaps(node, context, attrs, shape, gridShape, toFloat32(grid.constant))
    : new ComputedTaps(node, context, attrs, shape, gridShape).taps();
  const picked = [...gridShape.slice(0, -1), channels];
  let sum: Ref | undefined;
  taps.forEach(({ offsets, weights }, k) => {
    const inner = (what: string) => innerLike(context, `${node.id}/${what}_${k}`, x, picked);
    const [element, weighted] = [inner('element'), inner('weighted')];
    context.op('GATHER', [flat, offsets], [element], {
      table: 'GatherOptions',
      fields: { axis: 0, batch_dims: 0 },
    });
    context.op('MUL', [element, weights], [weighted]);
    const before = sum;
    sum = before ? (k === taps.length - 1 ? outputTensor(node, context) : inner('sum')) : weighted;
    if (before) context.op('ADD', [before, weighted], [sum]);
  });
  if (taps.length === 1) reshape(context, sum!, outputTensor(node, context), node.id, picked);
  else if (!sum) {
    const zeros = numberTensor('float32', [], [0]);
    const size = shapeOf(outputValue(node, context), context);
    const dims = context.constant(`${node.id}/size`, numberTensor('int32', [size.length], size));
    context.op('FILL', [dims, context.constant(`${node.id}/zero`, zeros)], [outputTensor(node, context)]);
  }
}

function knownTaps(
  node: Node,
  context: TfliteWriteContext,
  attrs: GridSampleAttrs,
  shape: readonly number[],
  gridShape: readonly number[],
  grid: Float32Array,
): Tap[] {
  const points = gridShape.slice(0, -1);
  return gridTaps(attrs, shape.slice(1, -1), grid, shape[0]).map(({ offsets, weights }, k) => ({
    offsets: context.constant(`${node.id}/offsets_${k}`, tensorOf('int32', points, offsets)),
    weights: context.constant(`${node.id}/weights_${k}`, tensorOf('float32', [...points, 1], weights)),
  }));
}

/** Writes out what `gridTaps` computes, in the same order of float32 operations, for linear and nearest. */
class ComputedTaps {
  private readonly node: Node;
  private readonly context: TfliteWriteContext;
  private readonly attrs: GridSampleAttrs;
  private readonly shape: readonly number[];
  private readonly gridShape: readonly number[];
  /** [N, …points, 1]. */
  private readonly column: readonly number[];
  private count = 0;

  constructor(
    node: Node,
    context: TfliteWriteContext,
    attrs: GridSampleAttrs,
    shape: readonly number[],
    gridShape: readonly number[],
  ) {
    this.node = node;
    this.context = context;
    this.attrs = attrs;
    this.shape = shape;
    this.gridShape = gridShape;
    this.column = [...gridShape.slice(0, -1), 1];
    if (attrs.mode === 'cubic' || attrs.padding === 'reflection') {
      const what = attrs.mode === 'cubic' ? 'cubic interpolation' : 'reflection at the edges';
      context.refuse(`its grid is computed while the model runs, which ${what} is not written for`);
    }
  }

  taps(): Tap[] {
    const space = this.shape.slice(1, -1);
    const axes = this.columns()
      .reverse()
      .map((g, axis) => this.axis(g, space[axis]));
    const perAxis = this.attrs.mode === 'nearest' ? 1 : 2;
    return Array.from({ length: perAxis ** space.length }, (_, k) => {
      let rest = k;
      let offset = this.batch();
      let weight: Ref | undefined;
      axes.forEach((taps, axis) => {
        const { index, share } = taps[rest % perAxis];
        rest = Math.floor(rest / perAxis);
        offset = this.step(
          'ADD',
          [this.step('MUL', [offset, this.int(space[axis])], 'int32'), index],
          'int32',
        );
        if (share) weight = weight ? this.step('MUL', [weight, share]) : share;
      });
      const points = this.column.slice(0, -1);
      const name = `${this.node.id}/offsets_${k}`;
      const offsets = this.context.inner(name, { dtype: 'int32', shape: points });
      reshape(this.context, offset, offsets, name, points);
      return { offsets, weights: weight ?? this.number(1) };
    });
  }

  /** The coordinates of all points, one tensor for each, the last axis of x first. */
  private columns(): Ref[] {
    const axes = this.gridShape[this.gridShape.length - 1];
    const parts = Array.from({ length: axes }, (_, i) => this.inner(`coordinate_${i}`));
    const axis = this.context.constant(
      `${this.node.id}/last`,
      numberTensor('int32', [], [this.gridShape.length - 1]),
    );
    this.context.op('SPLIT', [axis, this.context.tensor(this.node.inputs[1]!)], parts, {
      table: 'SplitOptions',
      fields: { num_splits: axes },
    });
    return parts;
  }

  /** Element and weight of each tap along one axis; no weight where it is always 1. */
  private axis(g: Ref, size: number): { index: Ref; share?: Ref }[] {
    const { mode, padding, alignCorners } = this.attrs;
    const shifted = this.step('ADD', [g, this.number(1)]);
    let at = alignCorners
      ? this.step('MUL', [this.step('MUL', [shifted, this.number(0.5)]), this.number(size - 1)])
      : this.step('MUL', [
          this.step('SUB', [this.step('MUL', [shifted, this.number(size)]), this.number(1)]),
          this.number(0.5),
        ]);
    if (mode === 'nearest') {
      at = this.step('ROUND', [at]);
      return [this.tap(at, undefined, size)];
    }
    if (padding === 'border') at = this.clamped(at, size);
    const first = this.step('FLOOR', [at]);
    const second = this.step('ADD', [first, this.number(1)]);
    return [
      this.tap(first, this.step('SUB', [second, at]), size),
      this.tap(second, this.step('SUB', [at, first]), size),
    ];
  }

  private tap(at: Ref, share: Ref | undefined, size: number): { index: Ref; share?: Ref } {
    const inside = this.clamped(at, size);
    const index = this.step('CAST', [inside], 'int32');
    if (this.attrs.padding === 'border') return { index, share };
    const isInside = this.step('CAST', [this.step('EQUAL', [inside, at], 'bool')]);
    return { index, share: share ? this.step('MUL', [share, isInside]) : isInside };
  }

  private clamped(at: Ref, size: number): Ref {
    return this.step('MINIMUM', [this.step('MAXIMUM', [at, this.number(0)]), this.number(size - 1)]);
  }

  /** The image that each point is of. */
  private batch(): Ref {
    const [images, ...points] = this.column;
    const numbers = Array.from({ length: images }, (_, n) => new Array<number>(elementCount(points)).fill(n));
    return this.context.constant(
      `${this.node.id}/images`,
      numberTensor('int32', this.column, numbers.flat()),
    );
  }

  private number(value: number): Ref {
    return this.context.constant(`${this.node.id}/number`, numberTensor('float32', [], [value]));
  }

  private int(value: number): Ref {
    return this.context.constant(`${this.node.id}/size`, numberTensor('int32', [], [value]));
  }

  private inner(what: string, dtype: DType = 'float32'): Ref {
    return this.context.inner(`${this.node.id}/${what}`, { dtype, shape: this.column });
  }

  private step(builtin: string, inputs: readonly Ref[], dtype: DType = 'float32'): Ref {
    const result = this.inner(`${builtin.toLowerCase()}_${this.count++}`, dtype);
    this.context.op(builtin, inputs, [result]);
    return result;
  }
}
