/** ONNX operators whose result is known before the model runs, or depends on shapes alone. */
import type { DType } from '../../ir/dtype.ts';
import type { Value } from '../../ir/graph.ts';
import { elementCount, floatTensor, type Tensor, toNumbers, typedData } from '../../ir/tensor.ts';
import type { OnnxNodeView, OnnxReader } from '../facets.ts';
import { tensorFrom } from '../fold-helpers.ts';
import { constantInput, input } from '../onnx-helpers.ts';
import { indices, pickByAxis, reshaped } from '../pick-elements.ts';
import { OnnxSteps } from './onnx-steps.ts';

const floatTypes: Readonly<Record<number, DType>> = { 1: 'float32', 11: 'float64' };

function outputType(node: OnnxNodeView): DType {
  const id = node.int('output_datatype', 1);
  return floatTypes[id] ?? node.refuse(`output_datatype = ${id} is not supported`);
}

/** a0 − a1 cos(2πn/N) + a2 cos(4πn/N). */
function readWindow(a0: number, a1: number, a2: number): OnnxReader {
  return (node, builder) => {
    const size = constantInput(node, 0, 'the size')[0];
    const length = node.int('periodic', 1) !== 0 ? size : size - 1;
    const values = indices(size).map((n) => {
      const turn = (2 * Math.PI * n) / length;
      return a0 - a1 * Math.cos(turn) + a2 * Math.cos(2 * turn);
    });
    builder.constant(node.outputs[0], tensorFrom(outputType(node), [size], values));
  };
}

/** Triangular filters whose centres are evenly spaced in mel (2595 log10(1 + f/700)). */
const readMelWeightMatrix: OnnxReader = (node, builder) => {
  const [mels, length, rate, low, high] = [0, 1, 2, 3, 4].map(
    (i) => constantInput(node, i, 'its numbers')[0],
  );
  const rows = Math.floor(length / 2) + 1;
  const mel = (hertz: number) => 2595 * Math.log10(1 + hertz / 700);
  const step = (mel(high) - mel(low)) / (mels + 2);
  const bins = indices(mels + 2).map((i) => {
    const hertz = 700 * (10 ** ((i * step + mel(low)) / 2595) - 1);
    return Math.floor(((length + 1) * hertz) / rate);
  });
  const values = new Float64Array(rows * mels);
  for (let i = 0; i < mels; i++) {
    const [from, centre, to] = bins.slice(i, i + 3);
    if (centre === from) values[centre * mels + i] = 1;
    else for (let j = from; j <= centre; j++) values[j * mels + i] = (j - from) / (centre - from);
    for (let j = centre; j < to; j++) values[j * mels + i] = (to - j) / (to - centre);
  }
  builder.constant(node.outputs[0], tensorFrom(outputType(node), [rows, mels], values));
};

/** Base grid of homogeneous coordinates times theta. */
const readAffineGrid: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const corners = node.int('align_corners', 0) !== 0;
  const [batch, , ...space] = constantInput(node, 1, 'the size');
  const rank = space.length;
  const points = elementCount(space);
  // Coordinates x, y (, z) run along the last, the last but one, … axis.
  const columns = indices(rank).map((i) => {
    const axis = rank - 1 - i;
    const size = space[axis];
    const inner = elementCount(space.slice(axis + 1));
    return indices(points).map((p) => {
      const at = Math.floor(p / inner) % size;
      return corners ? (size === 1 ? 0 : -1 + (2 * at) / (size - 1)) : -1 + (2 * at + 1) / size;
    });
  });
  const base = indices(points).flatMap((p) => [...columns.map((column) => column[p]), 1]);
  const { dtype } = out.input(0).type;
  const grid = out.constant(floatTensor([points, rank + 1], base), 'base');
  const turned = out.transpose(out.input(0), [0, 2, 1], 'theta');
  const product = out.one('MatMul', [out.cast(grid, dtype, 'base/cast'), turned], {}, 'points');
  out.last('Reshape', [product, out.ints([batch, ...space, rank], 'shape')], { allowZero: true });
};

/** Cuts or pads axes around their middle. */
const readCenterCropPad: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const x = out.input(0);
  const shape = out.shape(x);
  const wanted = constantInput(node, 1, 'the shape');
  const axes = (node.ints('axes') ?? indices(shape.length)).map((axis) =>
    axis < 0 ? axis + shape.length : axis,
  );
  let value = x;
  const pads = new Array<number>(2 * shape.length).fill(0);
  axes.forEach((axis, i) => {
    const extra = wanted[i] - shape[axis];
    const before = Math.floor(Math.abs(extra) / 2);
    if (extra < 0) value = out.slice(value, axis, before, before + wanted[i], 1, `crop${axis}`);
    else {
      pads[axis] = before;
      pads[axis + shape.length] = extra - before;
    }
  });
  if (pads.every((pad) => pad === 0)) out.give(value, 0);
  else
    out.last('Pad', [value, out.ints(pads, 'pads'), out.scalar(x.type.dtype, 0, 'zero')], {
      mode: 'constant',
    });
};

/** A vector along an axis of a tensor of that rank. */
function constantOf(node: OnnxNodeView, index: number): Tensor {
  return (
    input(node, index).constant ??
    node.refuse(
      'its result has a size that only the data tell, which neither TFLite nor a fixed shape can say',
    )
  );
}

/** Picks entries where a constant condition holds. */
const readCompress: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const kept = toNumbers(constantOf(node, 1)).flatMap((flag, i) => (flag ? [i] : []));
  const axis = node.int('axis', Number.NaN);
  const x = out.input(0);
  const rank = x.type.shape.length;
  const flat = Number.isNaN(axis);
  const source = flat ? out.reshape(x, [-1], 'flat') : x;
  const along = flat ? 0 : axis < 0 ? axis + rank : axis;
  out.last('Gather', [source, out.ints(kept, 'kept')], { axis: along });
};

/** Where a constant is not zero, as [rank, count]. */
const readNonZero: OnnxReader = (node, builder) => {
  const tensor = constantOf(node, 0);
  const rank = Math.max(1, tensor.shape.length);
  const shape = tensor.shape.length ? tensor.shape : [1];
  const found = toNumbers(tensor).flatMap((value, i) => (value !== 0 ? [i] : []));
  const values = indices(rank).flatMap((axis) => {
    const inner = elementCount(shape.slice(axis + 1));
    return found.map((i) => Math.floor(i / inner) % shape[axis]);
  });
  builder.constant(node.outputs[0], tensorFrom('int64', [rank, found.length], values));
};

/** Steps of one element, in order; the length must be known. */
export function identityMaps(shape: readonly number[]): number[][] {
  return shape.map((size) => indices(size));
}

/** Unique entries of a constant. */
const readUnique: OnnxReader = (node, builder) => {
  const tensor = constantOf(node, 0);
  const sorted = node.int('sorted', 1) !== 0;
  const given = node.int('axis', Number.NaN);
  const flat = Number.isNaN(given);
  const rank = tensor.shape.length;
  const source = flat ? reshaped(tensor, [elementCount(tensor.shape)]) : tensor;
  const axis = flat ? 0 : given < 0 ? given + rank : given;
  const rows = indices(source.shape[axis]).map((i) => {
    const maps = identityMaps(source.shape);
    maps[axis] = [i];
    return Array.from(typedData(pickByAxis(source, maps)) as ArrayLike<number | bigint>, Number);
  });
  const keys = rows.map((row) => row.join());
  const first = keys.flatMap((key, i) => (keys.indexOf(key) === i ? [i] : []));
  if (sorted) {
    first.sort((a, b) => {
      const at = rows[a].findIndex((value, i) => value !== rows[b][i]);
      return at < 0 ? a - b : rows[a][at] - rows[b][at];
    });
  }
  const place = new Map(first.map((i, at) => [keys[i], at]));
  const inverse = keys.map((key) => place.get(key) ?? 0);
  const counts = first.map((i) => keys.filter((key) => key === keys[i]).length);
  const maps = identityMaps(source.shape);
  maps[axis] = first;
  const results = [
    pickByAxis(source, maps),
    ...[first, inverse, counts].map((list) => tensorFrom('int64', [list.length], list)),
  ];
  results.forEach((result, i) => {
    if (node.outputs[i] !== undefined) builder.constant(node.outputs[i], result);
  });
};

/** Cells of the sum of columns are scattered by index, which is known beforehand. */
const readCol2Im: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const x = out.input(0);
  const [batch, rowCount, length] = out.shape(x);
  const image = constantInput(node, 1, 'the image shape');
  const block = constantInput(node, 2, 'the block shape');
  const rank = image.length;
  const ones = block.map(() => 1);
  const dilations = node.ints('dilations') ?? ones;
  const strides = node.ints('strides') ?? ones;
  const pads = node.ints('pads') ?? [...ones, ...ones].map(() => 0);
  const cell = elementCount(block);
  const channels = rowCount / cell;
  const steps = image.map(
    (size, i) =>
      Math.floor((size + pads[i] + pads[i + rank] - (dilations[i] * (block[i] - 1) + 1)) / strides[i]) + 1,
  );
  if (!Number.isInteger(channels) || elementCount(steps) !== length) {
    node.refuse(
      `its ${rowCount} × ${length} columns do not fit blocks of [${block.join(', ')}] in [${image.join(', ')}]`,
    );
  }
  const coordinate = (index: number, shape: readonly number[], axis: number) =>
    Math.floor(index / elementCount(shape.slice(axis + 1))) % shape[axis];
  const pixels = elementCount(image);
  // Each entry of a block's column adds to one pixel, or to none: a product with a matrix of zeros and ones.
  if (pixels * cell * length > 1 << 22) node.refuse('it is too large to be written as a product');
  const matrix = new Float32Array(cell * length * pixels);
  for (let k = 0; k < cell; k++) {
    for (let l = 0; l < length; l++) {
      const at = image.map(
        (_, i) => coordinate(l, steps, i) * strides[i] - pads[i] + coordinate(k, block, i) * dilations[i],
      );
      if (at.every((value, i) => value >= 0 && value < image[i])) {
        const pixel = at.reduce((sum, value, i) => sum * image[i] + value, 0);
        matrix[(k * length + l) * pixels + pixel] = 1;
      }
    }
  }
  const columns = out.reshape(x, [batch * channels, cell * length], 'columns');
  const spread = out.cast(
    out.constant(floatTensor([cell * length, pixels], matrix), 'spread'),
    x.type.dtype,
    'spread/cast',
  );
  const sum = out.one('MatMul', [columns, spread], {}, 'sum');
  out.last('Reshape', [sum, out.ints([batch, channels, ...image], 'shape')], { allowZero: true });
};

/** The determinant of small matrices, by the first row. */
const readDet: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const x = out.input(0);
  const shape = out.shape(x);
  const size = shape[shape.length - 1];
  if (size !== shape[shape.length - 2] || size < 1 || size > 4)
    node.refuse(`it is of ${size} × ${shape[shape.length - 2]} matrices; up to 4 × 4 is supported`);
  const batch = shape.slice(0, -2);
  const flat = out.reshape(x, [...batch, size * size], 'flat');
  const cell = (row: number, column: number) =>
    out.slice(flat, batch.length, row * size + column, row * size + column + 1, 1, `cell${row}${column}`);
  const cells = indices(size).map((row) => indices(size).map((column) => cell(row, column)));
  const minor = (row: number, columns: readonly number[]): Value => {
    if (columns.length === 1) return cells[row][columns[0]];
    const terms = columns.map((column, i) =>
      out.two(
        'Mul',
        cells[row][column],
        minor(
          row + 1,
          columns.filter((_, other) => other !== i),
        ),
        `term${row}`,
      ),
    );
    return terms.reduce((sum, term, i) => out.two(i % 2 === 1 ? 'Sub' : 'Add', sum, term, `sum${row}`));
  };
  out.last('Reshape', [minor(0, indices(size)), out.ints(batch, 'shape')], { allowZero: true });
};

export const knownReaders = {
  HannWindow: { 17: readWindow(0.5, 0.5, 0) },
  HammingWindow: { 17: readWindow(25 / 46, 21 / 46, 0) },
  BlackmanWindow: { 17: readWindow(0.42, 0.5, 0.08) },
  MelWeightMatrix: { 17: readMelWeightMatrix },
  AffineGrid: { 20: readAffineGrid },
  CenterCropPad: { 18: readCenterCropPad },
  Compress: { 9: readCompress },
  NonZero: { 9: readNonZero },
  Unique: { 11: readUnique },
  Col2Im: { 18: readCol2Im },
  Det: { 11: readDet },
};
