/** ONNX DFT (17: axis as an attribute; 20: as an input) and STFT (17), written out as products with constant matrices. */
import type { Value } from '../../ir/graph.ts';
import { floatTensor, int64Tensor, permute } from '../../ir/tensor.ts';
import { fourierMatrices } from '../../kernels/fourier.ts';
import { OnnxSteps } from '../composite/onnx-steps.ts';
import type { OnnxFacet, OnnxNodeView, OnnxReader } from '../facets.ts';
import { constantInput, int, type OnnxWriter, scalarTensor } from '../onnx-helpers.ts';
import { largestMatrix } from './complex-steps.ts';

/**
 * The matrix of a transform between lists of numbers, or of pairs of real and imaginary part.
 * @returns rows (length × parts in) by columns (bins × parts out), in row-major order
 */
function interleavedMatrix(
  node: OnnxNodeView,
  length: number,
  bins: number,
  { inverse, parts: [partsIn, partsOut], window }: TransformOptions,
): Float64Array {
  const [rows, columns] = [length * partsIn, bins * partsOut];
  if (rows * columns > largestMatrix) {
    node.refuse(`written out, it would take a matrix of ${rows} × ${columns} elements`);
  }
  const { cosines, sines } = fourierMatrices(length, bins, length);
  const sign = inverse ? 1 : -1;
  const matrix = new Float64Array(rows * columns);
  for (let row = 0; row < length; row++) {
    const scale = (window?.[row] ?? 1) / (inverse ? length : 1);
    for (let bin = 0; bin < bins; bin++) {
      const at = row * bins + bin;
      const [c, s] = [scale * cosines[at], scale * sign * sines[at]];
      // (re + i im)(c + i s)
      const cells = [
        [c, s],
        [-s, c],
      ];
      for (let from = 0; from < partsIn; from++) {
        for (let to = 0; to < partsOut; to++) {
          matrix[(row * partsIn + from) * columns + bin * partsOut + to] = cells[from][to];
        }
      }
    }
  }
  return matrix;
}

interface TransformOptions {
  readonly inverse: boolean;
  /** Numbers per element before and after: 1 of reals, 2 of complex ones. */
  readonly parts: readonly [1 | 2, 1 | 2];
  readonly window?: readonly number[];
}

/** 1 for `[…, 1]`, 2 for `[…, 2]`. */
function partsOf(node: OnnxNodeView, shape: readonly number[]): 1 | 2 {
  const parts = shape[shape.length - 1];
  return parts === 1 || parts === 2
    ? parts
    : node.refuse(`its input has ${parts} parts per number, not 1 or 2`);
}

const readDft: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const x = out.input(0);
  const shape = out.shape(x);
  const rank = shape.length;
  const parts = partsOf(node, shape);
  const inverse = node.int('inverse', 0) !== 0;
  const onesided = node.int('onesided', 0) !== 0;
  if (onesided && (inverse || parts === 2)) {
    node.refuse('onesided = 1 is supported of real numbers that are not transformed back');
  }
  const given =
    node.opset < 20 ? node.int('axis', 1) : node.inputs[2] ? constantInput(node, 2, 'its axis')[0] : -2;
  const axis = given < 0 ? given + rank : given;
  if (!(axis >= 0 && axis < rank - 1)) node.refuse(`axis = ${given} is not one of a tensor of ${rank} axes`);
  const length = node.inputs[1] ? constantInput(node, 1, 'its length')[0] : shape[axis];
  if (!(length >= 1)) node.refuse(`its length is ${length}`);
  const bins = onesided ? Math.floor(length / 2) + 1 : length;

  const perm = shape.map((_, i) => i);
  [perm[axis], perm[rank - 2]] = [rank - 2, axis];
  const turned = axis === rank - 2 ? x : out.transpose(x, perm, 'turned');
  const outer = perm.slice(0, -2).map((i) => shape[i]);
  const flat = out.reshape(turned, [...outer, shape[axis] * parts], 'flat');
  const row = fitted(out, flat, length * parts);
  const matrix = interleavedMatrix(node, length, bins, { inverse, parts: [parts, 2] });
  const wide = out.constant(floatTensor([length * parts, bins * 2], matrix), 'matrix');
  const product = out.one('MatMul', [row, out.cast(wide, x.type.dtype, 'matrix/cast')], {}, 'product');
  const result = out.ints([...outer, bins, 2], 'shape');
  if (axis === rank - 2) out.last('Reshape', [product, result], { allowZero: true });
  else {
    const pairs = out.one('Reshape', [product, result], { allowZero: true }, 'pairs');
    out.last('Transpose', [pairs], { perm });
  }
};

/** The last axis cut off, or filled up with zeros. */
function fitted(out: OnnxSteps, x: Value, length: number): Value {
  const shape = out.shape(x);
  const axis = shape.length - 1;
  if (shape[axis] === length) return x;
  if (shape[axis] > length) return out.slice(x, axis, 0, length, 1, 'fitted');
  const pads = [...shape.map(() => 0), ...shape.slice(1).map(() => 0), length - shape[axis]];
  const zero = out.scalar(x.type.dtype, 0, 'zero');
  return out.one('Pad', [x, out.ints(pads, 'pads'), zero], { mode: 'constant' }, 'fitted');
}

/** A convolution with windowed cosines and sines. */
const readStft: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const given = out.input(0);
  const [batch, time, parts = 1] = out.shape(given);
  if (parts !== 1) node.refuse('its signal is complex; real ones are supported');
  const [step] = constantInput(node, 1, 'its step');
  const window = node.inputs[2] ? constantInput(node, 2, 'its window') : undefined;
  const length =
    (node.inputs[3] ? constantInput(node, 3, 'its length')[0] : window?.length) ??
    node.refuse('it has neither a window nor a length');
  if (window && window.length !== length) {
    node.refuse(`its window is of ${window.length} elements, its length ${length}`);
  }
  if (!(step >= 1 && length >= 1 && length <= time)) {
    node.refuse(`frames of ${length} elements every ${step} do not fit a signal of ${time}`);
  }
  const bins = node.int('onesided', 1) !== 0 ? Math.floor(length / 2) + 1 : length;
  const matrix = interleavedMatrix(node, length, bins, { inverse: false, parts: [1, 2], window });
  const kernel = out.constant(permute(floatTensor([length, 1, bins * 2], matrix), [2, 1, 0]), 'kernel');
  const signal = out.reshape(given, [batch, 1, time], 'signal');
  const weights = out.cast(kernel, given.type.dtype, 'kernel/cast');
  const attrs = {
    layout: 'NCHW',
    strides: [step],
    dilations: [1],
    pads: [0, 0],
    group: 1,
    activation: 'none',
  };
  const frames = out.one('Conv', [signal, weights, null], attrs, 'frames');
  const turned = out.transpose(frames, [0, 2, 1], 'turned');
  const count = Math.floor((time - length) / step) + 1;
  out.last('Reshape', [turned, out.ints([batch, count, bins, 2], 'shape')], { allowZero: true });
};

/** DFT takes and gives pairs along a last axis. */
const writeRfft: OnnxWriter = (node, context) => {
  const [x] = node.inputs;
  const rank = context.value(x!).type.shape.length;
  const int64 = (what: string, value: number) =>
    context.initializer(`${node.id}/${what}`, scalarTensor('int64', value));
  const raised = context.fresh(`${node.id}/raised`);
  const axes = context.initializer(`${node.id}/axes`, int64Tensor([1], [rank]));
  context.node('Unsqueeze', [x, axes], [raised]);
  const pairs = context.fresh(`${node.id}/pairs`);
  const isAttribute = context.opset < 20;
  context.node('DFT', isAttribute ? [raised] : [raised, null, int64('axis', rank - 1)], [pairs], {
    onesided: int(1),
    ...(isAttribute && { axis: int(rank - 1) }),
  });
  node.outputs.forEach((output, part) => {
    context.node('Gather', [pairs, int64(`part${part}`, part)], [output], { axis: int(rank) });
  });
};

export const fourierOnnx = {
  read: { DFT: { 17: readDft }, STFT: { 17: readStft } },
  write: { RFFT: writeRfft },
} satisfies OnnxFacet;
