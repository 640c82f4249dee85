/**
 * Types of what an opaque operator makes, as far as they follow from its operands: of operators that real models use and
 * whose results files often do not state. What is behind them can be read then.
 */
import type { Dim, TensorType, Value } from '../../ir/graph.ts';
import { toNumbers } from '../../ir/tensor.ts';
import type { OnnxNodeView } from '../../ops/facets.ts';

interface Known {
  readonly x: TensorType;
  readonly inputs: readonly (Value | null)[];
  readonly view: OnnxNodeView;
  /** A size that only a run tells. */
  open(axis: number | string): Dim;
}

type Rule = (known: Known) => (TensorType | undefined)[];

const same: Rule = ({ x }) => [x];

/** Windows over space: how many of them fit is not worked out. */
const windowed: Rule = ({ x: { dtype, shape }, inputs, view, open }) => {
  const channels = view.opType === 'DeformConv' ? (inputs[1]?.type.shape[0] ?? open(1)) : shape[1];
  const y = [shape[0], channels, ...shape.slice(2).map((_, i) => open(i + 2))];
  return [
    { dtype, shape: y },
    { dtype: 'int64', shape: y },
  ];
};

/** ONNX Resize: sizes where they are given, else `floor(size × scale)`. Axes and policies of opset 18 stay open. */
const resized: Rule = ({ x: { dtype, shape }, inputs, view, open }) => {
  const [, , scales, sizes] = inputs.map((value) =>
    value?.constant ? toNumbers(value.constant) : undefined,
  );
  const plain = !view.ints('axes') && view.string('keep_aspect_ratio_policy', 'stretch') === 'stretch';
  const sizeOf = (dim: Dim, axis: number): Dim => {
    if (plain && sizes?.length === shape.length) return sizes[axis];
    const scale = plain && scales?.length === shape.length ? scales[axis] : undefined;
    return scale !== undefined && typeof dim === 'number' ? Math.floor(dim * scale) : open(axis);
  };
  return [{ dtype, shape: shape.map(sizeOf) }];
};

const rules: Readonly<Record<string, Rule>> = {
  AveragePool: windowed,
  BatchNormalization: same,
  DeformConv: windowed,
  Dropout: ({ x }) => [x, { dtype: 'bool', shape: x.shape }],
  LpPool: windowed,
  MaxPool: windowed,
  NonMaxSuppression: ({ open }) => [{ dtype: 'int64', shape: [open(0), 3] }],
  NonZero: ({ x, open }) => [{ dtype: 'int64', shape: [x.shape.length, open(1)] }],
  Resize: resized,
  ReverseSequence: same,
  RoiAlign: ({ x, inputs, view, open }) => {
    const size = (name: string) => view.int(name, 1);
    const rois = inputs[1]?.type.shape[0] ?? open(0);
    return [{ dtype: x.dtype, shape: [rois, x.shape[1], size('output_height'), size('output_width')] }];
  },
  TensorScatter: same,
  Unique: ({ x, view, open }) => {
    const list: TensorType = { dtype: 'int64', shape: [open('found')] };
    const axis = view.int('axis', Number.NaN);
    const at = axis < 0 ? axis + x.shape.length : axis;
    const shape = Number.isNaN(axis) ? list.shape : x.shape.map((dim, i) => (i === at ? open('found') : dim));
    return [{ dtype: x.dtype, shape }, list, { dtype: 'int64', shape: [open('all')] }, list];
  },
};

/** One entry per output; undefined where nothing is known. */
export function typesFromOperands(
  view: OnnxNodeView,
  inputs: readonly (Value | null)[],
): readonly (TensorType | undefined)[] {
  const rule = view.domain === '' ? rules[view.opType] : undefined;
  const x = inputs[0]?.type;
  if (!rule || !x || x.dtype === 'other') return [];
  return rule({ x, inputs, view, open: (axis) => `${view.name}.${axis}` });
}
