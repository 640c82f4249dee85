import { afterAll, describe, expect, it } from 'vitest';
import type { Precision } from '../contract/views.ts';
import { writeTflite } from '../formats/tflite/writer.ts';
import type { Engine } from '../ir/engine.ts';
import type { Graph } from '../ir/graph.ts';
import { floatTensor, toFloat32 } from '../ir/tensor.ts';
import { createEngines } from '../runtime/engines.ts';
import { planQuantization, quantizeForTflite } from './quantize.ts';
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
});
