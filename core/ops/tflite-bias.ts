import { isFloat } from '../ir/dtype.ts';
import type { Node, QuantParams, Value } from '../ir/graph.ts';
import type { TfliteTensorRef, TfliteWriteContext } from './facets.ts';
import { numberTensor } from './tflite-helpers.ts';

/**
 * The bias tensor, zeros when the source has none: LiteRT's accelerated kernels want one. With integer inputs its
 * scale is the product of the scales of x and weights (LiteRT 8-bit specification).
 */
export function biasTensor(
  node: Node,
  context: TfliteWriteContext,
  x: Value,
  weights: Value,
  weightAxis: number,
  channels: number,
): TfliteTensorRef {
  const id = node.inputs[2];
  if (id !== null && id !== undefined) return context.tensor(id);
  const zeros = new Array<number>(channels).fill(0);
  const name = `${node.id}/bias`;
  if (isFloat(x.type.dtype)) return context.constant(name, numberTensor('float32', [channels], zeros));
  if (!x.quant || !weights.quant) context.refuse('its integers have no scale');
  const scales = weights.quant.scales.map((scale) => scale * x.quant!.scales[0]);
  const quant: QuantParams =
    scales.length > 1 && weights.quant.axis === weightAxis
      ? { scales, zeroPoints: scales.map(() => 0), axis: 0 }
      : { scales: [scales[0]], zeroPoints: [0] };
  return context.constant(
    name,
    numberTensor(x.type.dtype === 'int16' ? 'int64' : 'int32', [channels], zeros),
    quant,
  );
}
