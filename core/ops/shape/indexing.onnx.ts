/** ONNX operators that take index tensors. */
import type { Value } from '../../ir/graph.ts';
import { tensorOf } from '../../ir/tensor.ts';
import type { OnnxNodeView, OnnxReader } from '../facets.ts';
import { constantInput, input, int, named, type OnnxWriter, scalar } from '../onnx-helpers.ts';
import { indices } from '../pick-elements.ts';
import type { ScatterReduction } from '../vocabulary.ts';

const reductions: readonly string[] = ['none', 'add', 'mul', 'max', 'min'] satisfies ScatterReduction[];

function reductionOf(node: OnnxNodeView): string {
  const reduction = node.string('reduction', 'none');
  return reductions.includes(reduction) ? reduction : node.refuse(`reduction = ${reduction} is not known`);
}

function axisOf(node: OnnxNodeView, x: Value, fallback: number): number {
  const axis = node.int('axis', fallback);
  return axis < 0 ? axis + x.type.shape.length : axis;
}

const readGatherElements: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  builder.add('GatherElements', [x, input(node, 1)], { axis: axisOf(node, x, 0) }, named(node));
};

const readGatherNd: OnnxReader = (node, builder) => {
  const attrs = { batchDims: node.int('batch_dims', 0) };
  builder.add('GatherND', [input(node, 0), input(node, 1)], attrs, named(node));
};

const readScatterElements: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const attrs = { axis: axisOf(node, x, 0), reduction: reductionOf(node) };
  builder.add('ScatterElements', [x, input(node, 1), input(node, 2)], attrs, named(node));
};

const readScatterNd: OnnxReader = (node, builder) => {
  const inputs = [input(node, 0), input(node, 1), input(node, 2)];
  builder.add('ScatterND', inputs, { reduction: reductionOf(node) }, named(node));
};

const readOneHot: OnnxReader = (node, builder) => {
  const picked = input(node, 0);
  const axis = node.int('axis', -1);
  const attrs = { axis: axis < 0 ? axis + picked.type.shape.length + 1 : axis };
  builder.add('OneHot', [picked, input(node, 1), input(node, 2)], attrs, named(node));
};

/** The triangle of a matrix is known beforehand: a mask picks it. */
const readTrilu: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const upper = node.int('upper', 1) !== 0;
  const k = node.inputs[1] ? constantInput(node, 1, 'k')[0] : 0;
  const [rows, columns] = x.type.shape.slice(-2);
  if (typeof rows !== 'number' || typeof columns !== 'number') {
    throw new Error(`Trilu "${node.name}" works on a matrix whose size is open`);
  }
  const mask = indices(rows * columns).map((i) => {
    const distance = (i % columns) - Math.floor(i / columns);
    return Number(upper ? distance >= k : distance <= k);
  });
  const inside = builder.constant(
    `${node.name}/mask`,
    tensorOf('bool', [rows, columns], Uint8Array.from(mask)),
  );
  const zero = scalar(builder, node, 'zero', x.type.dtype, 0);
  builder.add('Where', [inside, x, zero], {}, named(node));
};

const writeReduced =
  (opType: string, withAxis: boolean): OnnxWriter =>
  (node, context) => {
    const reduction = node.attrs.reduction as string;
    const needed = reduction === 'none' ? 13 : reduction === 'add' || reduction === 'mul' ? 16 : 18;
    if (context.opset < needed) context.refuse(`reduction = ${reduction} needs opset ${needed}`);
    context.node(opType, node.inputs, node.outputs, {
      ...(withAxis && { axis: int(node.attrs.axis as number) }),
      ...(reduction !== 'none' && { reduction: { string: reduction } }),
    });
  };

const writeAxis =
  (opType: string): OnnxWriter =>
  (node, context) =>
    context.node(opType, node.inputs, node.outputs, { axis: int(node.attrs.axis as number) });

export const indexingReaders = {
  GatherElements: { 11: readGatherElements },
  GatherND: { 11: readGatherNd },
  ScatterElements: { 11: readScatterElements },
  Scatter: { 9: readScatterElements },
  ScatterND: { 11: readScatterNd },
  OneHot: { 9: readOneHot },
  Trilu: { 14: readTrilu },
};

export const indexingWriters = {
  GatherElements: writeAxis('GatherElements'),
  GatherND: (node, context) =>
    context.node('GatherND', node.inputs, node.outputs, { batch_dims: int(node.attrs.batchDims as number) }),
  ScatterElements: writeReduced('ScatterElements', true),
  ScatterND: writeReduced('ScatterND', false),
  OneHot: writeAxis('OneHot'),
} satisfies Record<string, OnnxWriter>;
