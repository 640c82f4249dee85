/** A whole and valid .tflite that ends the process of LiteRT 2.3 that opens it. */
import { writeTflite } from '../formats/tflite/writer.ts';
import { GraphBuilder } from '../ir/builder.ts';
import { floatTensor } from '../ir/tensor.ts';
import { inferTypes } from '../ops/registry.ts';
import { decidePlan } from '../quantize/decide.ts';
import { quantizeForTflite } from '../quantize/quantize.ts';

/**
 * A square root, which XNNPACK fuses with the conversions around it, and a convolution whose weights have so large a
 * scale that XNNPACK fails to open the part they are both in. Cleaning up, it frees the fused operator twice.
 */
export function crashingFile(): Uint8Array {
  const builder = new GraphBuilder('crashing', inferTypes);
  const root = builder.one('Sqrt', [builder.input('x', { dtype: 'float32', shape: [1, 4, 4, 2] })], {});
  const weights = builder.constant('w', floatTensor([2, 2, 1, 1], [0.5, -1, 1, 0.25]));
  const attrs = { layout: 'NHWC', strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], group: 1 };
  const bias = builder.constant('b', floatTensor([2], [0, 0]));
  const y = builder.one('Conv', [root, weights, bias], { ...attrs, activation: 'none' });
  const graph = builder.finish([y.id], { format: 'keras' });
  const ranges = new Map([...graph.values.keys()].map((id) => [id, { min: -1, max: 1 }]));
  const plan = decidePlan(graph, ranges, { precision: 'int8', io: 'int8', pureInteger: true });
  const { w } = plan.values;
  const values = { ...plan.values, w: { ...w, scales: w.scales.map((scale) => scale * 1e6) } };
  return writeTflite(quantizeForTflite(graph, { ...plan, values }, { io: 'int8' }).graph).bytes;
}
