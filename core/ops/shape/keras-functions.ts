/** Functions of keras.ops and TensorFlow that rearrange tensors. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import type { KerasFacet, KerasLayerView, KerasReader } from '../facets.ts';
import {
  argumentOf,
  intArgument,
  intsArgument,
  isTensor,
  operand,
  tensorArgument,
} from '../keras-arguments.ts';
import { axisOf, intsConstant, reshapeTo, resultOf, shapeOf } from '../keras-layers.ts';

const reshape: KerasReader = (layer, builder) => {
  const x = tensorArgument(layer, 0, 'x', 'tensor');
  const shape = intsArgument(layer, argumentOf(layer, 1, 'newshape', 'shape'), 'shape');
  return [reshapeTo(builder, x, shape, layer.name)];
};

const transpose: KerasReader = (layer, builder) => {
  const x = tensorArgument(layer, 0, 'x', 'a');
  const rank = x.type.shape.length;
  const axes = argumentOf(layer, 1, 'axes', 'perm');
  const perm =
    axes === undefined
      ? x.type.shape.map((_, i) => rank - 1 - i)
      : intsArgument(layer, axes, 'axes').map((axis) => axisOf(layer, axis, rank));
  return [resultOf(layer, builder, 'Transpose', [x], { perm })];
};

function listArgument(layer: KerasLayerView, ...names: readonly string[]): Value[] {
  const list = argumentOf(layer, 0, ...names);
  const items = Array.isArray(list) ? list : layer.inputs;
  return items.map((item) => (isTensor(item) ? item : layer.refuse('joins something that is no tensor')));
}

const concatenate: KerasReader = (layer, builder) => {
  const list = listArgument(layer, 'xs', 'values');
  const axis = intArgument(layer, argumentOf(layer, 1, 'axis') ?? -1, 'axis');
  return [resultOf(layer, builder, 'Concat', list, { axis: axisOf(layer, axis, list[0].type.shape.length) })];
};

const stack: KerasReader = (layer, builder) => {
  const list = listArgument(layer, 'x', 'values');
  const rank = list[0].type.shape.length + 1;
  const axis = axisOf(layer, intArgument(layer, argumentOf(layer, 1, 'axis') ?? 0, 'axis'), rank);
  const raised = list.map((value, i) => {
    const shape = shapeOf(layer, value);
    return reshapeTo(
      builder,
      value,
      [...shape.slice(0, axis), 1, ...shape.slice(axis)],
      `${layer.name}/part_${i}`,
    );
  });
  return [resultOf(layer, builder, 'Concat', raised, { axis })];
};

const squeeze: KerasReader = (layer, builder) => {
  const x = tensorArgument(layer, 0, 'x', 'input');
  const shape = shapeOf(layer, x);
  const given = argumentOf(layer, 1, 'axis');
  const axes =
    given === undefined
      ? shape.flatMap((size, i) => (size === 1 ? [i] : []))
      : intsArgument(layer, given, 'axis').map((axis) => axisOf(layer, axis, shape.length));
  const wrong = axes.find((axis) => shape[axis] !== 1);
  if (wrong !== undefined) return layer.refuse(`axis ${wrong} of [${shape.join(', ')}] cannot be squeezed`);
  return [
    reshapeTo(
      builder,
      x,
      shape.filter((_, axis) => !axes.includes(axis)),
      layer.name,
    ),
  ];
};

const expandDims: KerasReader = (layer, builder) => {
  const x = tensorArgument(layer, 0, 'x', 'input');
  const shape = shapeOf(layer, x);
  const given = intsArgument(layer, argumentOf(layer, 1, 'axis'), 'axis');
  const rank = shape.length + given.length;
  const axes = given.map((axis) => axisOf(layer, axis, rank));
  let next = 0;
  const target = Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : shape[next++]));
  return [reshapeTo(builder, x, target, layer.name)];
};

const padModes: Readonly<Record<string, string>> = { constant: 'constant', reflect: 'reflect', edge: 'edge' };

const pad: KerasReader = (layer, builder) => {
  const x = tensorArgument(layer, 0, 'x', 'tensor');
  const rank = x.type.shape.length;
  const widths = argumentOf(layer, 1, 'pad_width', 'paddings');
  const pairs = Array.isArray(widths) ? widths.map((pair) => intsArgument(layer, pair, 'pad_width')) : [];
  if (pairs.length !== rank || pairs.some((pair) => pair.length !== 2)) {
    return layer.refuse(`argument pad_width is ${JSON.stringify(widths)} for a tensor of ${rank} axes`);
  }
  const name = String(argumentOf(layer, 2, 'mode') ?? 'constant').toLowerCase();
  const mode = padModes[name] ?? layer.refuse(`pads by ${name}; constant, reflect and edge are read`);
  const fill = argumentOf(layer, 3, 'constant_values') ?? 0;
  const value = mode === 'constant' ? operand(layer, builder, fill, x.type.dtype, 'value') : null;
  const pads = [...pairs.map(([begin]) => begin), ...pairs.map(([, end]) => end)];
  return [
    resultOf(layer, builder, 'Pad', [x, intsConstant(builder, `${layer.name}/pads`, pads), value], { mode }),
  ];
};

/** Into n equal parts, at indices (keras.ops), or into parts of given sizes (TensorFlow). */
const split: KerasReader = (layer, builder) => {
  const x = tensorArgument(layer, 0, 'x', 'value');
  const shape = shapeOf(layer, x);
  const isTensorFlow = layer.className === 'TFOpLambda';
  const how = argumentOf(layer, 1, 'indices_or_sections', 'num_or_size_splits');
  const axis = axisOf(layer, intArgument(layer, argumentOf(layer, 2, 'axis') ?? 0, 'axis'), shape.length);
  const size = shape[axis];
  let sizes: number[];
  if (Array.isArray(how)) {
    const items = intsArgument(layer, how, 'sections');
    sizes = isTensorFlow ? items : [...items, size].map((end, i) => end - (i === 0 ? 0 : items[i - 1]));
  } else {
    const count = intArgument(layer, how, 'sections');
    sizes = new Array<number>(count).fill(size / count);
  }
  if (sizes.some((part) => !Number.isSafeInteger(part) || part < 0)) {
    return layer.refuse(`axis ${axis} of [${shape.join(', ')}] cannot be split into ${sizes.join(', ')}`);
  }
  return builder.add(
    'Split',
    [x, intsConstant(builder, `${layer.name}/sizes`, sizes)],
    { axis },
    { name: layer.name },
  );
};

interface Span {
  readonly start: number | null;
  readonly stop: number | null;
  readonly step: number | null;
}

type Item = Span | number | 'ellipsis' | 'newaxis';

/** One entry of an index in Keras 3's form (`__slice__`, `__ellipsis__`) or in tf_keras' (`start`, `stop`, `step`). */
function indexItem(layer: KerasLayerView, raw: unknown): Item {
  if (typeof raw === 'number' && Number.isSafeInteger(raw)) return raw;
  if (raw === null) return 'newaxis';
  if (typeof raw === 'object' && raw !== null && !Array.isArray(raw) && !isTensor(raw)) {
    const record = raw as Record<string, unknown>;
    if (record.class_name === '__ellipsis__') return 'ellipsis';
    const span = (record.class_name === '__slice__' ? record.config : record) as Record<string, unknown>;
    const bound = (key: string) => {
      const value = span[key] ?? null;
      return value === null || Number.isSafeInteger(value)
        ? (value as number | null)
        : layer.refuse(`is indexed by ${JSON.stringify(raw)}`);
    };
    if ('start' in span) return { start: bound('start'), stop: bound('stop'), step: bound('step') };
  }
  return layer.refuse(`is indexed by ${isTensor(raw) ? `the tensor ${raw.id}` : JSON.stringify(raw)}`);
}

/** x[…] with whole numbers, slices, an ellipsis and new axes. */
const getItem: KerasReader = (layer, builder) => {
  const x = tensorArgument(layer, 0, 'x', 'tensor');
  const shape = shapeOf(layer, x);
  const raw = argumentOf(layer, 1, 'key', 'slice_spec');
  const items = (Array.isArray(raw) ? raw : [raw]).map((item) => indexItem(layer, item));
  const used = items.filter((item) => item !== 'ellipsis' && item !== 'newaxis').length;
  if (used > shape.length) return layer.refuse(`is indexed by ${used} items on ${shape.length} axes`);
  const whole: Span = { start: null, stop: null, step: null };
  const rest = new Array<Item>(shape.length - used).fill(whole);
  const at = items.indexOf('ellipsis');
  const full = at < 0 ? [...items, ...rest] : [...items.slice(0, at), ...rest, ...items.slice(at + 1)];

  const cuts: { axis: number; start: number; end: number; step: number }[] = [];
  const result: number[] = [];
  let axis = 0;
  for (const item of full) {
    if (item === 'newaxis') {
      result.push(1);
      continue;
    }
    if (item === 'ellipsis') return layer.refuse('is indexed by two ellipses');
    const size = shape[axis];
    if (typeof item === 'number') {
      const index = item < 0 ? item + size : item;
      if (index < 0 || index >= size)
        return layer.refuse(`index ${item} is outside of axis ${axis} with ${size}`);
      cuts.push({ axis, start: index, end: index + 1, step: 1 });
    } else {
      const cut = spanOf(item, size);
      if (cut.start !== 0 || cut.step !== 1 || cut.count !== size) cuts.push({ axis, ...cut });
      result.push(cut.count);
    }
    axis++;
  }
  return [sliced(layer, builder, x, cuts, result)];
};

/** Python's `slice.indices`; `end` in ONNX's terms, where a backwards slice to the front ends below −size. */
function spanOf(item: Span, size: number): { start: number; end: number; step: number; count: number } {
  const step = item.step ?? 1;
  const clamp = (value: number, low: number, high: number) =>
    Math.min(Math.max(value < 0 ? value + size : value, low), high);
  if (step > 0) {
    const start = clamp(item.start ?? 0, 0, size);
    const end = clamp(item.stop ?? size, 0, size);
    return { start, end, step, count: Math.max(0, Math.ceil((end - start) / step)) };
  }
  const start = clamp(item.start ?? size - 1, -1, size - 1);
  const end = item.stop === null ? -1 : clamp(item.stop, -1, size - 1);
  return { start, end: end < 0 ? -size - 1 : end, step, count: Math.max(0, Math.ceil((end - start) / step)) };
}

function sliced(
  layer: KerasLayerView,
  builder: GraphBuilder,
  x: Value,
  cuts: readonly { axis: number; start: number; end: number; step: number }[],
  shape: readonly number[],
): Value {
  const current = shapeOf(layer, x);
  for (const { axis, start, end, step } of cuts) {
    current[axis] = Math.max(0, Math.ceil(((end < 0 ? -1 : end) - start) / step));
  }
  const isSame = current.length === shape.length && current.every((size, i) => size === shape[i]);
  const constant = (suffix: string, values: readonly number[]) =>
    intsConstant(builder, `${layer.name}/${suffix}`, values);
  if (cuts.length === 0 && isSame) return x;
  const cut =
    cuts.length === 0
      ? x
      : builder.one(
          'Slice',
          [
            x,
            constant(
              'starts',
              cuts.map(({ start }) => start),
            ),
            constant(
              'ends',
              cuts.map(({ end }) => end),
            ),
            constant(
              'axes',
              cuts.map(({ axis }) => axis),
            ),
            constant(
              'steps',
              cuts.map(({ step }) => step),
            ),
          ],
          {},
          { name: isSame ? layer.name : `${layer.name}/cut` },
        );
  return isSame ? cut : reshapeTo(builder, cut, shape, layer.name);
}

export const shapeFunctions: KerasFacet = {
  'ops.Reshape': reshape,
  'tf.reshape': reshape,
  'ops.Transpose': transpose,
  'tf.transpose': transpose,
  'tf.compat.v1.transpose': transpose,
  'ops.Concatenate': concatenate,
  'tf.concat': concatenate,
  'ops.Stack': stack,
  'tf.stack': stack,
  'ops.Squeeze': squeeze,
  'tf.squeeze': squeeze,
  'tf.compat.v1.squeeze': squeeze,
  'ops.ExpandDims': expandDims,
  'tf.expand_dims': expandDims,
  'ops.Pad': pad,
  'tf.pad': pad,
  'tf.compat.v1.pad': pad,
  'ops.Split': split,
  'tf.split': split,
  'ops.GetItem': getItem,
  SlicingOpLambda: getItem,
  'tf.__operators__.getitem': getItem,
};
