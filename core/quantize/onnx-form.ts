import type { OnnxForm, OutputFormat } from '../contract/views.ts';
import { writeOnnx } from '../formats/onnx/writer.ts';
import { GraphBuilder } from '../ir/builder.ts';
import type { Engine } from '../ir/engine.ts';
import { floatTensor, tensorOf, toFloat32 } from '../ir/tensor.ts';
import { inferTypes } from '../ops/registry.ts';
import { addBorder } from './borders.ts';

export type SettledForm = Exclude<OnnxForm, 'auto'>;

/** Forms whose numbers are not those of the .tflite: weights of 7 bits, or activations without a zero point. */
export type OwnNumbers = 'u8s8-reduced' | 'tensorrt';

/** The form when a file needs a plan of its own for it. */
export function ownNumbers(form: OnnxForm, format: OutputFormat): OwnNumbers | undefined {
  const isOwn = format === 'onnx' && (form === 'u8s8-reduced' || form === 'tensorrt');
  return isOwn ? form : undefined;
}

const length = 64;
const largest = { uint8: 255, int8: 127 } as const;

/**
 * The form that `auto` stands for on this machine: what onnxruntime's kernels are fastest with. ARM's multiply signed
 * numbers. Those of x86 want unsigned activations (depthwise convolutions take nearly twice as long with signed ones);
 * without VNNI they add pairs of products in 16 bits, which the largest numbers overflow, so that weights of 7 bits are
 * needed. It is found out by letting the runtime multiply these numbers.
 * @param engine onnxruntime
 * @param arch as in `process.arch`
 */
export async function settleOnnxForm(form: OnnxForm, engine: Engine, arch: string): Promise<SettledForm> {
  if (form !== 'auto') return form;
  if (arch === 'arm64') return 's8s8';
  const builder = new GraphBuilder('saturation', inferTypes);
  const unit = { scales: [1], zeroPoints: [0], reason: 'exact' };
  const x = builder.input('x', { dtype: 'float32', shape: [1, length] });
  const activation = { ...unit, dtype: 'uint8' } as const;
  const integers = addBorder(builder, 'QuantizeLinear', x, activation, 'integers');
  const reals = addBorder(builder, 'DequantizeLinear', integers, activation, 'reals');
  const matrix = tensorOf('int8', [length, 1], new Int8Array(length).fill(largest.int8));
  const weights = builder.constant('weights', matrix);
  const wide = addBorder(builder, 'DequantizeLinear', weights, { ...unit, dtype: 'int8' }, 'wide');
  const y = builder.one('MatMul', [reals, wide], {}, { name: 'y' });
  const session = await engine.open(writeOnnx(builder.finish([y.id], { format: 'onnx' })));
  try {
    const data = new Float32Array(length).fill(largest.uint8);
    const [sum] = toFloat32((await session.run({ x: floatTensor([1, length], data) })).y);
    return sum === length * largest.uint8 * largest.int8 ? 'u8s8' : 'u8s8-reduced';
  } finally {
    await session.close();
  }
}
