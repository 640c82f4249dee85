import type { Node } from '../../ir/graph.ts';
import type { TfliteFacet, TfliteWriteContext } from '../facets.ts';
import { inputTensor, inputValue, outputTensor, outputValue } from '../tflite-helpers.ts';
import { borderTfliteReaders } from './border.tflite-read.ts';

/** Scale and zero point are properties of the file's tensors, not inputs: they come from the value's parameters. */
function writeQuantize(node: Node, context: TfliteWriteContext): void {
  if (!outputValue(node, context).quant) context.refuse('its scale is computed while the model runs');
  context.op('QUANTIZE', [inputTensor(node, context, 0)], [outputTensor(node, context)]);
}

function writeDequantize(node: Node, context: TfliteWriteContext): void {
  const { type, quant } = inputValue(node, context, 0);
  if (!quant) context.refuse('its scale is computed while the model runs');
  if (type.dtype === 'int16' && quant.zeroPoints.some((zeroPoint) => zeroPoint !== 0))
    context.refuse("its zero point is not 0, as that of LiteRT's 16-bit numbers is");
  context.op('DEQUANTIZE', [inputTensor(node, context, 0)], [outputTensor(node, context)]);
}

export const borderTflite = {
  write: { QuantizeLinear: writeQuantize, DequantizeLinear: writeDequantize },
  read: borderTfliteReaders,
} satisfies TfliteFacet;
