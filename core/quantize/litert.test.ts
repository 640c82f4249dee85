import { afterAll, describe, expect, it } from 'vitest';
import type { Precision } from '../contract/views.ts';
import { writeOnnx } from '../formats/onnx/writer.ts';
import { writeTflite } from '../formats/tflite/writer.ts';
import type { Engine } from '../ir/engine.ts';
import type { Graph } from '../ir/graph.ts';
import { floatTensor, type Tensor, tensorOf, toFloat32 } from '../ir/tensor.ts';
import { integerRange } from '../kernels/affine.ts';
import { quantizePerTensor } from '../kernels/quantize.ts';
import { createEngines } from '../runtime/engines.ts';
import { planQuantization, quantizeForOnnx, quantizeForTflite } from './quantize.ts';
import { ranges, smallNet, wave } from './test-graphs.ts';

const forms = { tflite: smallNet(), onnx: smallNet('NCHW') };
const engines = createEngines();
const engine: Engine = await engines.tflite();

/** Runs a few samples through LiteRT and returns all outputs, one after the other. */
async function outputsOf(graph: Graph): Promise<number[]> {
  const session = await engine.open(writeTflite(graph).bytes, { threads: 1 });
  try {
    const outputs: number[] = [];
    for (let sample = 1; sample <= 8; sample++) {
      const x = floatTensor([1, 4, 4, 2], wave(32, sample));
      outputs.push(...toFloat32((await session.run({ x })).y));
    }
    return outputs;
  } finally {
    await session.close();
  }
}

function sqnrDb(reference: readonly number[], outputs: readonly number[]): number {
  let signal = 0;
  let noise = 0;
  reference.forEach((value, i) => {
    signal += value * value;
    noise += (value - outputs[i]) ** 2;
  });
  return 10 * Math.log10(signal / noise);
}

describe('a quantized net in LiteRT', () => {
  const calibrated = ranges({ x: [-0.9, 0.9], conv: [0, 7], dense: [-12, 12], y: [0, 1] });
  const reference = outputsOf(smallNet());
  afterAll(async () => {
    await reference;
  });

  it.each([
    ['float16', 60],
    ['int8', 25],
    ['int16x8', 35],
  ] as const satisfies readonly (readonly [Precision, number])[])(
    '%s keeps at least %d dB',
    async (precision, least) => {
      const plan = planQuantization(forms, calibrated, { precision, io: 'float32', pureInteger: false });
      const quantized = await outputsOf(quantizeForTflite(smallNet(), plan, { io: 'float32' }).graph);
      const quality = sqnrDb(await reference, quantized);
      expect(quality).toBeGreaterThan(least);
      if (precision !== 'float16') expect(quality).toBeLessThan(90);
    },
  );

  it('runs a softmax in integers on the specified scale', async () => {
    const plan = planQuantization(forms, calibrated, {
      precision: 'int8',
      io: 'float32',
      pureInteger: true,
    });
    const outputs = await outputsOf(quantizeForTflite(smallNet(), plan, { io: 'float32' }).graph);
    for (const value of outputs) expect(value * 256).toBeCloseTo(Math.round(value * 256), 4);
    expect(sqnrDb(await reference, outputs)).toBeGreaterThan(20);
  });

  it.each([
    ['int8', 'int8', Int8Array],
    ['int8', 'uint8', Uint8Array],
    ['int16x8', 'int16', Int16Array],
  ] as const)('%s takes and gives %s', async (precision, io, array) => {
    const plan = planQuantization(forms, calibrated, { precision, io, pureInteger: false });
    const graph = quantizeForTflite(smallNet(), plan, { io }).graph;
    const [input, output] = ['x', 'y'].map((id) => graph.values.get(id)!.quant!);
    const session = await engine.open(writeTflite(graph).bytes, { threads: 1 });
    const outputs: number[] = [];
    try {
      for (let sample = 1; sample <= 8; sample++) {
        const real = Float32Array.from(wave(32, sample));
        const q = quantizePerTensor(
          real,
          input.scales[0],
          input.zeroPoints[0],
          integerRange[io],
          new array(32),
        );
        const { y } = await session.run({ x: tensorOf(io, [1, 4, 4, 2], q) });
        expect(y.dtype).toBe(io);
        outputs.push(...toFloat32(y).map((value) => output.scales[0] * (value - output.zeroPoints[0])));
      }
    } finally {
      await session.close();
    }
    expect(sqnrDb(await reference, outputs)).toBeGreaterThan(20);
  });

  it('differs from the QDQ form in onnxruntime by at most one step', async () => {
    const plan = planQuantization(forms, calibrated, { precision: 'int8', io: 'float32', pureInteger: true });
    const tflite = await outputsOf(quantizeForTflite(smallNet(), plan, { io: 'float32' }).graph);
    const session = await engines.ort.open(
      writeOnnx(quantizeForOnnx(forms.onnx, plan, { io: 'float32' }).graph),
    );
    try {
      const onnx: number[] = [];
      for (let sample = 1; sample <= 8; sample++) {
        onnx.push(...toFloat32((await session.run({ x: channelsFirst(wave(32, sample)) })).y));
      }
      onnx.forEach((value, i) => {
        expect(Math.abs(value - tflite[i])).toBeLessThanOrEqual(1.01 / 256);
      });
    } finally {
      await session.close();
    }
  });
});

/** `[1, 4, 4, 2]` in the order of `[1, 2, 4, 4]`. */
function channelsFirst(values: readonly number[]): Tensor {
  return floatTensor(
    [1, 2, 4, 4],
    [0, 1].flatMap((c) => Array.from({ length: 16 }, (_, i) => values[i * 2 + c])),
  );
}
