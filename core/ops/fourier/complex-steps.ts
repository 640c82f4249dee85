/**
 * Complex numbers as pairs of reals, and Fourier transforms of them. The IR has real tensors only: what is complex in a
 * source exists while it is read, and leaves real operators.
 */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Attrs, Value } from '../../ir/graph.ts';
import { int64Tensor } from '../../ir/tensor.ts';
import { type FourierMatrices, fourierMatrices } from '../../kernels/fourier.ts';
import type { Complex } from '../facets.ts';
import { tensorFrom } from '../fold-helpers.ts';
import { scalarTensor } from '../onnx-helpers.ts';
import { isPowerOfTwo } from './fourier.op.ts';

/** Elements of the largest matrix that a transform is written out with: 64 MiB of float32. */
export const largestMatrix = 1 << 24;

/** Adds nodes named `name/what` for one node of the source. */
export class ComplexSteps {
  private readonly builder: GraphBuilder;
  private readonly name: string;
  private readonly refuse: (message: string) => never;

  /** @param refuse ends the reading of the node. */
  constructor(builder: GraphBuilder, name: string, refuse: (message: string) => never) {
    this.builder = builder;
    this.name = name;
    this.refuse = refuse;
  }

  one(op: string, inputs: readonly (Value | null)[], what: string, attrs: Attrs = {}): Value {
    return this.builder.one(op, inputs, attrs, { name: `${this.name}/${what}` });
  }

  two(op: 'Add' | 'Sub' | 'Mul' | 'Div', a: Value, b: Value, what: string): Value {
    return this.one(op, [a, b], what, { activation: 'none' });
  }

  ints(values: readonly number[], what: string): Value {
    return this.builder.constant(`${this.name}/${what}`, int64Tensor([values.length], values));
  }

  scalar(like: Value, value: number, what: string): Value {
    return this.builder.constant(`${this.name}/${what}`, scalarTensor(like.type.dtype, value));
  }

  shape(x: Value): number[] {
    return x.type.shape.map((dim) =>
      typeof dim === 'number' ? dim : this.refuse(`the size ${dim} of its input ${x.id} is open`),
    );
  }

  /** A real number as a complex one. */
  ofReal(real: Value): Complex {
    return { real, imaginary: this.two('Mul', real, this.scalar(real, 0, 'zero'), 'imaginary') };
  }

  /** √(re² + im²). */
  magnitude({ real, imaginary }: Complex): Value {
    return this.one('Sqrt', [this.power({ real, imaginary })], 'magnitude');
  }

  /** re² + im². */
  power({ real, imaginary }: Complex): Value {
    const squares = [real, imaginary].map((part, i) => this.two('Mul', part, part, `square${i}`));
    return this.two('Add', squares[0], squares[1], 'power');
  }

  /**
   * The angle of (x, y) in (−π, π], 0 at the origin: 2 atan(y / (r + x)) in the right half of the plane and
   * 2 atan((r − x) / y) in the left one, where the sum would lose its digits.
   */
  angle({ real: x, imaginary: y }: Complex): Value {
    const zero = this.scalar(x, 0, 'zero');
    const radius = this.magnitude({ real: x, imaginary: y });
    const isLeft = this.one('Less', [x, zero], 'is_left');
    const over = this.one('Where', [isLeft, this.two('Sub', radius, x, 'difference'), y], 'over');
    const under = this.one('Where', [isLeft, y, this.two('Add', radius, x, 'sum')], 'under');
    const isOrigin = this.one('Equal', [radius, zero], 'is_origin');
    const divisor = this.one('Where', [isOrigin, this.scalar(x, 1, 'one'), under], 'divisor');
    const half = this.one('Atan', [this.two('Div', over, divisor, 'ratio')], 'half_angle');
    return this.two('Mul', half, this.scalar(x, 2, 'two'), 'angle');
  }

  conjugate({ real, imaginary }: Complex): Complex {
    return { real, imaginary: this.one('Neg', [imaginary], 'conjugate') };
  }

  sum(op: 'Add' | 'Sub', a: Complex, b: Complex): Complex {
    return {
      real: this.two(op, a.real, b.real, 'real'),
      imaginary: this.two(op, a.imaginary, b.imaginary, 'imaginary'),
    };
  }

  product(a: Complex, b: Complex): Complex {
    const term = (x: Value, y: Value, what: string) => this.two('Mul', x, y, what);
    return {
      real: this.two('Sub', term(a.real, b.real, 'rr'), term(a.imaginary, b.imaginary, 'ii'), 'real'),
      imaginary: this.two(
        'Add',
        term(a.real, b.imaginary, 'ri'),
        term(a.imaginary, b.real, 'ir'),
        'imaginary',
      ),
    };
  }

  /** a × conj(b) / |b|². */
  quotient(a: Complex, b: Complex): Complex {
    const over = this.power(b);
    const { real, imaginary } = this.product(a, this.conjugate(b));
    return {
      real: this.two('Div', real, over, 'real'),
      imaginary: this.two('Div', imaginary, over, 'imaginary'),
    };
  }

  /** The last axis cut off, or filled up with zeros. */
  fit(x: Value, length: number, what = 'fitted'): Value {
    const shape = this.shape(x);
    const size = shape[shape.length - 1];
    if (size === length) return x;
    if (size > length) {
      const parts = [0, length, -1].map((value, i) => this.ints([value], `${what}/slice${i}`));
      return this.one('Slice', [x, ...parts, null], what);
    }
    const pads = [...shape.map(() => 0), ...shape.slice(1).map(() => 0), length - size];
    const zero = this.scalar(x, 0, `${what}/zero`);
    return this.one('Pad', [x, this.ints(pads, `${what}/pads`), zero], what, { mode: 'constant' });
  }

  fitBoth({ real, imaginary }: Complex, length: number): Complex {
    return {
      real: this.fit(real, length, 'fitted_real'),
      imaginary: this.fit(imaginary, length, 'fitted_imaginary'),
    };
  }

  /** Transform of a real last axis of `length` elements: frequencies 0 to ⌊length / 2⌋. */
  halfSpectrum(x: Value, length: number): Complex {
    const signal = this.fit(x, length);
    if (isPowerOfTwo(length) && signal.type.dtype === 'float32') {
      const [real, imaginary] = this.builder.add('RFFT', [signal], {}, { name: this.name });
      return { real, imaginary };
    }
    const bins = Math.floor(length / 2) + 1;
    const { cosines, sines } = this.matrices(length, bins, length);
    const by = (values: Float64Array, what: string) => this.times(signal, [length, bins], values, what);
    return {
      real: by(cosines, 'real'),
      imaginary: by(
        sines.map((value) => -value),
        'imaginary',
      ),
    };
  }

  /** Transform, or its inverse, of a complex last axis of `length` elements. */
  spectrum(z: Complex, length: number, inverse: boolean): Complex {
    const { cosines, sines } = this.matrices(length, length, length, 2);
    const half = length * length;
    const scale = inverse ? 1 / length : 1;
    const sign = inverse ? -scale : scale;
    const real = new Float64Array(2 * half);
    const imaginary = new Float64Array(2 * half);
    for (let i = 0; i < half; i++) {
      real[i] = scale * cosines[i];
      real[half + i] = sign * sines[i];
      imaginary[i] = -sign * sines[i];
      imaginary[half + i] = scale * cosines[i];
    }
    const both = this.joined(this.fitBoth(z, length));
    return {
      real: this.times(both, [2 * length, length], real, 'real'),
      imaginary: this.times(both, [2 * length, length], imaginary, 'imaginary'),
    };
  }

  /** The real last axis of `length` elements that has these frequencies 0 to ⌊length / 2⌋. */
  signalOf(z: Complex, length: number): Value {
    const bins = Math.floor(length / 2) + 1;
    const both = this.joined(this.fitBoth(z, bins));
    return this.times(both, [2 * bins, length], this.signalMatrix(length), 'signal');
  }

  /** Rows of real, then of imaginary parts of the frequencies 0 to ⌊length / 2⌋, by `length` elements of the signal. */
  signalMatrix(length: number): Float64Array {
    const bins = Math.floor(length / 2) + 1;
    const { cosines, sines } = this.matrices(bins, length, length, 2);
    const matrix = new Float64Array(2 * bins * length);
    for (let row = 0; row < bins; row++) {
      // All but the first, and the last of an even length, stand for two frequencies.
      const weight = (row === 0 || 2 * row === length ? 1 : 2) / length;
      for (let i = row * length; i < (row + 1) * length; i++) {
        matrix[i] = weight * cosines[i];
        matrix[bins * length + i] = -weight * sines[i];
      }
    }
    return matrix;
  }

  /** Does `work` along an axis, counted from the front, that is made the last one for it. */
  along(z: Complex, axis: number, work: (turned: Complex) => Complex): Complex {
    const rank = z.real.type.shape.length;
    if (axis === rank - 1) return work(z);
    const perm = Array.from({ length: rank }, (_, i) => i);
    [perm[axis], perm[rank - 1]] = [rank - 1, axis];
    const turn = ({ real, imaginary }: Complex): Complex => ({
      real: this.one('Transpose', [real], 'turned_real', { perm }),
      imaginary: this.one('Transpose', [imaginary], 'turned_imaginary', { perm }),
    });
    return turn(work(turn(z)));
  }

  /** A product of the last axis with a constant matrix. */
  times(x: Value, shape: readonly [number, number], values: Float64Array, what: string): Value {
    const matrix = tensorFrom(x.type.dtype, shape, values);
    return this.one('MatMul', [x, this.builder.constant(`${this.name}/${what}_matrix`, matrix)], what);
  }

  /** Real parts, then imaginary parts along the last axis. */
  joined({ real, imaginary }: Complex): Value {
    return this.one('Concat', [real, imaginary], 'parts', { axis: real.type.shape.length - 1 });
  }

  /** @param stacked how many of such a height stand in the matrix that is written */
  private matrices(rows: number, columns: number, length: number, stacked = 1): FourierMatrices {
    if (stacked * rows * columns > largestMatrix) {
      this.refuse(`written out, it would take a matrix of ${stacked * rows} × ${columns} elements`);
    }
    return fourierMatrices(rows, columns, length);
  }
}
