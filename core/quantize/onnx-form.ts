import type { OnnxForm } from '../contract/views.ts';
import { writeOnnx } from '../formats/onnx/writer.ts';
import { GraphBuilder } from '../ir/builder.ts';
import type { Engine } from '../ir/engine.ts';
import { floatTensor, tensorOf, toFloat32 } from '../ir/tensor.ts';
import { inferTypes } from '../ops/registry.ts';
import { addBorder } from './borders.ts';

export type SettledForm = Exclude<OnnxForm, 'auto'>;

const length = 64;
const largest = { uint8: 255, int8: 127 } as const;

/**
 * The form that `auto` stands for on this machine. x86 CPUs without VNNI add pairs of products in 16 bits, which the
 * largest uint8 and int8 numbers overflow: there weights of 7 bits are needed. It is found out by letting the runtime
 * multiply these numbers.
 * @param engine onnxruntime
 */
export async function settleOnnxForm(form: OnnxForm, engine: Engine): Promise<SettledForm> {
  if (form !== 'auto') return form;
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
    return sum === length * largest.uint8 * largest.int8 ? 's8s8' : 'u8s8-reduced';
  } finally {
    await session.close();
  }
}
