/** Fourier transforms in LiteRT against onnxruntime's own, and as products with matrices against its DFT and STFT. */
import { describe, it } from 'vitest';
import { checkOp, type OpCase, x } from '../../testing/check-op.ts';
import { describeRows, i, type Row, scalar64, weights } from '../../testing/onnx-rows.ts';

const cases: OpCase[] = [
  {
    name: 'frames',
    op: 'RFFT',
    inputs: [x(2, 3, 16)],
    outputs: 2,
    builtins: { RESHAPE: 3, RFFT2D: 1, REAL: 1, IMAG: 1 },
  },
  { name: 'a long vector', op: 'RFFT', inputs: [x(1024)], outputs: 2, tolerance: 1e-4 },
];

describe('transforms in LiteRT equal onnxruntime', () => {
  it.each(cases)('$op $name', checkOp);
});

/** What onnxruntime itself loses in lengths that are no powers of two. */
const tolerance = 1e-5;

const rows: Row[] = [
  { op: 'DFT', opset: 17, inputs: [[2, 6, 1]], tolerance },
  { op: 'DFT', opset: 17, inputs: [[2, 6, 2]], attrs: { inverse: i(1) }, tolerance },
  { op: 'DFT', opset: 17, inputs: [[2, 6, 3, 1], scalar64(8)], attrs: { axis: i(1), onesided: i(1) } },
  { op: 'DFT', opset: 20, inputs: [[2, 5, 3, 2], scalar64(3), scalar64(1)], tolerance },
  { op: 'DFT', opset: 20, inputs: [[2, 5, 2], null, scalar64(-2)], tolerance },
  { op: 'STFT', opset: 17, inputs: [[1, 20, 1], scalar64(4), weights(8)] },
  {
    op: 'STFT',
    opset: 17,
    inputs: [[1, 20, 1], scalar64(4), null, scalar64(6)],
    attrs: { onesided: i(0) },
    tolerance,
  },
];

describeRows('Fourier transforms', rows);
