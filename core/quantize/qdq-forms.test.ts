import { describe, expect, it } from 'vitest';
import { writeOnnx } from '../formats/onnx/writer.ts';
import { GraphBuilder } from '../ir/builder.ts';
import type { Engine, Session } from '../ir/engine.ts';
import type { Graph, Value } from '../ir/graph.ts';
import { floatTensor, toFloat32, typedData } from '../ir/tensor.ts';
import { inferTypes } from '../ops/registry.ts';
import { createEngines } from '../runtime/engines.ts';
import { type SettledForm, settleOnnxForm } from './onnx-form.ts';
import { planQuantization, quantizeForOnnx } from './quantize.ts';
import { convAttrs, graphText, ranges, wave } from './test-graphs.ts';

const { ort } = createEngines();

/** A residual block between a convolution with ReLU and one that gives numbers of both signs: x, y `[1, 4, 6, 6]`. */
function residualNet(): Graph {
  const b = new GraphBuilder('residual', inferTypes);
  const conv = (x: Value, name: string, activation: 'relu' | 'none') =>
    b.one(
      'Conv',
      [
        x,
        b.constant(
          `${name}/w`,
          floatTensor(
            [4, 4, 3, 3],
            wave(144, name.length).map((w) => w / 4),
          ),
        ),
        b.constant(
          `${name}/b`,
          floatTensor(
            [4],
            wave(4, 3).map((v) => v / 8),
          ),
        ),
      ],
      { ...convAttrs('NCHW'), activation },
      { name },
    );
  const x = b.input('x', { dtype: 'float32', shape: [1, 4, 6, 6] });
  const first = conv(x, 'a', 'relu');
  const second = conv(first, 'bb', 'none');
  const sum = b.one('Add', [second, first], { activation: 'relu' }, { name: 'sum' });
  const last = conv(sum, 'ccc', 'none');
  return b.finish([last.id], { format: 'onnx' });
}

const samples = Array.from({ length: 4 }, (_, i) => floatTensor([1, 4, 6, 6], wave(144, i + 2)));

async function run(graph: Graph, feeds = samples): Promise<number[]> {
  const session = await ort.open(writeOnnx(graph));
  try {
    const all: number[] = [];
    for (const x of feeds) all.push(...toFloat32(Object.values(await session.run({ x }))[0]));
    return all;
  } finally {
    await session.close();
  }
}

/** Ranges of all activations, as the runtime makes them. */
async function rangesOf(graph: Graph) {
  const inner = graph.nodes.flatMap(({ outputs }) => outputs);
  const session = await ort.open(writeOnnx(graph, { extraOutputs: inner }));
  const found: Record<string, [number, number]> = { x: [-0.9, 0.9] };
  for (const x of samples) {
    for (const [id, tensor] of Object.entries(await session.run({ x }))) {
      const [low, high] = found[id] ?? [0, 0];
      const data = toFloat32(tensor);
      found[id] = [Math.min(low, ...data), Math.max(high, ...data)];
    }
  }
  await session.close();
  return ranges(found);
}

async function quantized(form: SettledForm, io: 'float32' | 'int8' | 'uint8' = 'float32') {
  const graph = residualNet();
  const own = form === 's8s8' || form === 'u8s8' ? undefined : form;
  const plan = planQuantization({ tflite: graph, onnx: graph }, await rangesOf(graph), {
    precision: 'int8',
    io,
    pureInteger: true,
    form: own,
  });
  return { graph, plan, ...{ made: quantizeForOnnx(graph, plan, { io, form }).graph } };
}

function sqnrDb(reference: readonly number[], outputs: readonly number[]): number {
  const signal = reference.reduce((sum, x) => sum + x * x, 0);
  const noise = reference.reduce((sum, x, i) => sum + (x - outputs[i]) ** 2, 0);
  return 10 * Math.log10(signal / noise);
}

describe('forms of QDQ', () => {
  it.each([
    ['s8s8', 30],
    ['u8s8', 30],
    ['u8s8-reduced', 28],
    ['tensorrt', 28],
  ] as const)('%s runs in onnxruntime, near to the float model', async (form, floor) => {
    const { graph, made } = await quantized(form);
    expect(sqnrDb(await run(graph), await run(made))).toBeGreaterThan(floor);
  });

  it('give the same reals with signed and unsigned activations', async () => {
    const [signed, unsigned] = [await quantized('s8s8'), await quantized('u8s8')];
    expect(await run(unsigned.made)).toEqual(await run(signed.made));
    const types = (graph: Graph) =>
      new Set(
        graph.nodes
          .filter(({ op }) => op === 'QuantizeLinear')
          .map(({ outputs }) => graph.values.get(outputs[0])!.type.dtype),
      );
    expect([types(signed.made), types(unsigned.made)]).toEqual([new Set(['int8']), new Set(['uint8'])]);
  });

  it('hold weights within 7 bits where products are added in 16', async () => {
    const { made } = await quantized('u8s8-reduced');
    const weights = [...made.values.values()].filter(
      ({ id, constant }) => constant && id.endsWith('/w/quantized'),
    );
    expect(weights).toHaveLength(3);
    for (const { constant } of weights) {
      const most = Math.max(...[...(typedData(constant!) as Int8Array)].map(Math.abs));
      expect([63, 64]).toContain(most);
    }
  });

  it('stand where TensorRT fuses, without zero points, with biases in float', async () => {
    const { made } = await quantized('tensorrt');
    expect(graphText(made)).toMatchInlineSnapshot(`
      [
        "QuantizeLinear x:float32 -> x/quantized:int8(scale)",
        "DequantizeLinear x/quantized:int8(scale) -> x/dequantized:float32",
        "DequantizeLinear a/w/quantized:int8(4 scales)! -> a/w/dequantized:float32",
        "Conv x/dequantized:float32 a/w/dequantized:float32 a/b:float32! -> a:float32",
        "QuantizeLinear a:float32 -> a/quantized:int8(scale)",
        "DequantizeLinear a/quantized:int8(scale) -> a/dequantized:float32",
        "DequantizeLinear bb/w/quantized:int8(4 scales)! -> bb/w/dequantized:float32",
        "Conv a/dequantized:float32 bb/w/dequantized:float32 bb/b:float32! -> bb:float32",
        "Add bb:float32 a/dequantized:float32 -> sum:float32",
        "QuantizeLinear sum:float32 -> sum/quantized:int8(scale)",
        "DequantizeLinear sum/quantized:int8(scale) -> sum/dequantized:float32",
        "DequantizeLinear ccc/w/quantized:int8(4 scales)! -> ccc/w/dequantized:float32",
        "Conv sum/dequantized:float32 ccc/w/dequantized:float32 ccc/b:float32! -> ccc:float32",
      ]
    `);
    for (const { quant, type } of made.values.values()) {
      if (quant) expect([type.dtype, new Set(quant.zeroPoints)]).toEqual(['int8', new Set([0])]);
    }
  });

  it('bring ports to the type of the rest', async () => {
    const [port, plain] = [await quantized('u8s8', 'int8'), await quantized('s8s8', 'int8')];
    expect(graphText(port.made).slice(0, 3)).toEqual([
      'DequantizeLinear x:int8(scale) -> x/dequantized:float32',
      'QuantizeLinear x/dequantized:float32 -> x/uint8/quantized:uint8(scale)',
      'DequantizeLinear x/uint8/quantized:uint8(scale) -> x/uint8/dequantized:float32',
    ]);
    const { scales, zeroPoints } = plain.made.values.get('x')!.quant!;
    const feeds = samples.map((sample) => ({
      dtype: 'int8' as const,
      shape: sample.shape,
      bytes: new Uint8Array(
        Int8Array.from(toFloat32(sample), (v) => Math.max(-128, Math.round(v / scales[0]) + zeroPoints[0]))
          .buffer,
      ),
    }));
    expect(await run(port.made, feeds)).toEqual(await run(plain.made, feeds));
  });
});

describe('the automatic form', () => {
  it('is what this machine and its runtime are best with', async () => {
    expect(await settleOnnxForm('tensorrt', ort, 'x64')).toBe('tensorrt');
    expect(await settleOnnxForm('auto', ort, 'arm64')).toBe('s8s8');
    expect(['u8s8', 'u8s8-reduced']).toContain(await settleOnnxForm('auto', ort, 'x64'));
  });

  it('has weights of 7 bits where the runtime saturates', async () => {
    const saturating = (sum: number): Engine => ({
      ...ort,
      open: async () =>
        ({
          run: async () => ({ y: floatTensor([1, 1], [sum]) }),
          close: async () => {},
        }) as unknown as Session,
    });
    expect(await settleOnnxForm('auto', saturating(64 * 255 * 127), 'x64')).toBe('u8s8');
    expect(await settleOnnxForm('auto', saturating(32 * 32767), 'x64')).toBe('u8s8-reduced');
  });
});
