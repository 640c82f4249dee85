import { describe, expect, it } from 'vitest';
import { writeOnnx } from '../formats/onnx/writer.ts';
import { readTfliteBytes } from '../formats/tflite/reader.ts';
import { writeTflite } from '../formats/tflite/writer.ts';
import { floatTensor, type Tensor, toFloat32 } from '../ir/tensor.ts';
import { prepareForOnnx } from '../passes/pipeline.ts';
import { createEngines } from '../runtime/engines.ts';
import { asQdqGraph } from './as-qdq.ts';
import { planQuantization, quantizeForTflite } from './quantize.ts';
import { ranges, smallNet, wave } from './test-graphs.ts';

const engines = createEngines();
const calibrated = ranges({ x: [-0.9, 0.9], conv: [0, 7], dense: [-12, 12], y: [0, 1] });

describe('a quantized file as a QDQ graph', () => {
  it.each([
    ['int8', 'float32', true, 1.01 / 256],
    ['int8', 'int8', true, 1],
    ['int16x8', 'float32', false, 2e-4],
  ] as const)('%s with %s ports computes as LiteRT does', async (precision, io, pureInteger, tolerance) => {
    const forms = { tflite: smallNet(), onnx: smallNet('NCHW') };
    const plan = planQuantization(forms, calibrated, { precision, io, pureInteger });
    const { bytes } = writeTflite(quantizeForTflite(smallNet(), plan, { io }).graph);
    const { graph } = readTfliteBytes(bytes, 'small');
    const qdq = prepareForOnnx(asQdqGraph(graph!)).graph;
    const x: Tensor =
      io === 'int8'
        ? { dtype: 'int8', shape: [1, 4, 4, 2], bytes: Uint8Array.from({ length: 32 }, (_, i) => i * 37) }
        : floatTensor([1, 4, 4, 2], wave(32, 3));
    const answers = [];
    for (const [engine, model] of [
      [await engines.tflite(), bytes],
      [engines.ort, writeOnnx(qdq)],
    ] as const) {
      const session = await engine.open(model, { threads: 1 });
      answers.push((await session.run({ x })).y);
      await session.close();
    }
    const [litert, ort] = answers.map(toFloat32);
    expect(answers[1].dtype).toBe(answers[0].dtype);
    litert.forEach((value, i) => {
      expect(Math.abs(value - ort[i])).toBeLessThanOrEqual(tolerance);
    });
    const stored = [...qdq.values.values()].filter(({ constant, quant }) => constant && quant);
    expect(stored.some(({ type }) => type.dtype === 'int8')).toBe(true);
  });
});
