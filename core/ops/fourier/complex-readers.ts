/** Operators on complex numbers, as TensorFlow and TFLite have them. */

import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { toNumbers } from '../../ir/tensor.ts';
import {
  type Complex,
  type ComplexNode,
  type ComplexReader,
  isComplex,
  type RealOrComplex,
} from '../facets.ts';
import { ComplexSteps } from './complex-steps.ts';

type Work = (steps: ComplexSteps, node: ComplexNode) => RealOrComplex;

function reader(work: Work): ComplexReader {
  return (node, builder: GraphBuilder) =>
    work(new ComplexSteps(builder, node.name, (message) => node.refuse(message)), node);
}

function at(node: ComplexNode, index: number): RealOrComplex {
  return node.inputs[index] ?? node.refuse(`its input ${index} is missing`);
}

function real(node: ComplexNode, index: number): Value {
  const item = at(node, index);
  return isComplex(item) ? node.refuse(`its input ${index} is complex`) : item;
}

function complex(node: ComplexNode, steps: ComplexSteps, index = 0): Complex {
  const item = at(node, index);
  return isComplex(item) ? item : steps.ofReal(item);
}

/** Lengths of the last axes that are transformed. */
function lengthsOf(node: ComplexNode, count: number): number[] {
  const { constant } = real(node, 1);
  const lengths = constant
    ? toNumbers(constant)
    : node.refuse('its lengths are computed while the model runs');
  if (lengths.length !== count || lengths.some((length) => length < 1)) {
    node.refuse(`its lengths are [${lengths.join(', ')}]`);
  }
  return lengths;
}

function rankOf(item: RealOrComplex): number {
  return (isComplex(item) ? item.real : item).type.shape.length;
}

/** Over the last axis, or the last two. */
function transform(axes: 1 | 2, inverse: boolean): ComplexReader {
  return reader((steps, node) => {
    let z = complex(node, steps);
    const rank = rankOf(z);
    for (let axis = rank - 1; axis >= rank - axes; axis--) {
      const length = steps.shape(z.real)[axis];
      z = steps.along(z, axis, (turned) => steps.spectrum(turned, length, inverse));
    }
    return z;
  });
}

const rfft = reader((steps, node) => steps.halfSpectrum(real(node, 0), lengthsOf(node, 1)[0]));

const rfft2d = reader((steps, node) => {
  const x = real(node, 0);
  const [height, width] = lengthsOf(node, 2);
  const axis = rankOf(x) - 2;
  const half = steps.halfSpectrum(x, width);
  const isRow = height === 1 && steps.shape(x)[axis] === 1;
  return isRow ? half : steps.along(half, axis, (turned) => steps.spectrum(turned, height, false));
});

const irfft = reader((steps, node) => steps.signalOf(complex(node, steps), lengthsOf(node, 1)[0]));

const irfft2d = reader((steps, node) => {
  const z = complex(node, steps);
  const [height, width] = lengthsOf(node, 2);
  const columns = steps.along(z, rankOf(z) - 2, (turned) => steps.spectrum(turned, height, true));
  return steps.signalOf(columns, width);
});

function part(name: 'real' | 'imaginary'): ComplexReader {
  return reader((steps, node) => steps.one('Identity', [complex(node, steps)[name]], name));
}

const magnitude = reader((steps, node) => steps.magnitude(complex(node, steps)));

const angle = reader((steps, node) => steps.angle(complex(node, steps)));

function arithmetic(op: 'Add' | 'Sub'): ComplexReader {
  return reader((steps, node) => steps.sum(op, complex(node, steps, 0), complex(node, steps, 1)));
}

const product = reader((steps, node) => steps.product(complex(node, steps, 0), complex(node, steps, 1)));

const square = reader((steps, node) => steps.product(complex(node, steps), complex(node, steps)));

const quotient = reader((steps, node) => steps.quotient(complex(node, steps, 0), complex(node, steps, 1)));

const conjugate = reader((steps, node) => steps.conjugate(complex(node, steps)));

const pair = reader((_, node) => ({ real: real(node, 0), imaginary: real(node, 1) }));

/** Complex to real keeps the real part. */
const cast = reader((steps, node) => {
  const item = at(node, 0);
  return isComplex(item) ? item.real : steps.ofReal(steps.one('Cast', [item], 'real', { to: 'float32' }));
});

export const complexGraphDef: Readonly<Record<string, ComplexReader>> = {
  FFT: transform(1, false),
  IFFT: transform(1, true),
  FFT2D: transform(2, false),
  IFFT2D: transform(2, true),
  RFFT: rfft,
  RFFT2D: rfft2d,
  IRFFT: irfft,
  IRFFT2D: irfft2d,
  Complex: pair,
  Real: part('real'),
  Imag: part('imaginary'),
  ComplexAbs: magnitude,
  Angle: angle,
  Conj: conjugate,
  Cast: cast,
  Add: arithmetic('Add'),
  AddV2: arithmetic('Add'),
  Sub: arithmetic('Sub'),
  Mul: product,
  Square: square,
  RealDiv: quotient,
};

export const complexTflite: Readonly<Record<string, ComplexReader>> = {
  RFFT2D: rfft2d,
  REAL: part('real'),
  IMAG: part('imaginary'),
  COMPLEX_ABS: magnitude,
  CAST: cast,
};

/** Operators that do the same to both parts: they move elements, or add some up. */
export const partwiseGraphDef: ReadonlySet<string> = new Set([
  'Identity',
  'Neg',
  'Reshape',
  'Transpose',
  'ExpandDims',
  'Squeeze',
  'StridedSlice',
  'Slice',
  'ConcatV2',
  'Pack',
  'Unpack',
  'GatherV2',
  'Pad',
  'Tile',
  'ReverseV2',
  'Split',
  'SplitV',
  'BroadcastTo',
  'Sum',
  'Mean',
  'AddN',
]);

export const partwiseTflite: ReadonlySet<string> = new Set([
  'RESHAPE',
  'TRANSPOSE',
  'EXPAND_DIMS',
  'SQUEEZE',
  'STRIDED_SLICE',
  'SLICE',
  'CONCATENATION',
  'PACK',
  'UNPACK',
  'GATHER',
  'PAD',
  'TILE',
  'REVERSE_V2',
  'SPLIT',
  'SPLIT_V',
]);
