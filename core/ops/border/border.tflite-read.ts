import type { GraphBuilder } from '../../ir/builder.ts';
import type { TfliteOpView } from '../facets.ts';
import { addInner, addLast, borderParameters, inputOf } from '../tflite-read-helpers.ts';

/** DEQUANTIZE of float16 is a cast: that is how files with half-precision weights are written. */
function readDequantize(op: TfliteOpView, builder: GraphBuilder): void {
  const x = inputOf(op, 0);
  if (x.type.dtype === 'float16') {
    addLast(op, builder, 'Cast', [x], { to: op.outputs[0].type.dtype });
    return;
  }
  const { inputs, attrs } = borderParameters(op, builder, x, `${op.name}/`);
  addLast(op, builder, 'DequantizeLinear', [x, ...inputs], attrs);
}

/** QUANTIZE of integers changes their scale: back to reals, then to integers again. */
function readQuantize(op: TfliteOpView, builder: GraphBuilder): void {
  let x = inputOf(op, 0);
  if (x.quant) {
    const source = borderParameters(op, builder, x, `${op.name}/input_`);
    x = addInner(op, builder, 'DequantizeLinear', [x, ...source.inputs], source.attrs);
  }
  const { inputs, attrs } = borderParameters(op, builder, op.outputs[0], `${op.name}/`);
  addLast(op, builder, 'QuantizeLinear', [x, ...inputs], attrs);
}

export const borderTfliteReaders = { QUANTIZE: readQuantize, DEQUANTIZE: readDequantize };
