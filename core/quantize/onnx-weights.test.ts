import { describe, expect, it } from 'vitest';
import { opsetFor, writeOnnx } from '../formats/onnx/writer.ts';
import { GraphBuilder } from '../ir/builder.ts';
import type { Graph } from '../ir/graph.ts';
import { floatTensor, toFloat32 } from '../ir/tensor.ts';
import { inferTypes } from '../ops/registry.ts';
import { createEngines } from '../runtime/engines.ts';
import { quantizeElements } from './constants.ts';
import type { SettledForm } from './onnx-form.ts';
import { planQuantization, quantizeForOnnx } from './quantize.ts';
import { convAttrs, graphText, wave } from './test-graphs.ts';

const { ort } = createEngines();

const weightShapes = { 'conv/w': [32, 4, 3, 3], 'rows/w': [40, 36], 'y/w': [8, 40 * 32] } as const;

function weights(name: keyof typeof weightShapes): Float32Array {
  const shape = weightShapes[name];
  const count = shape.reduce((a, b) => a * b);
  // Channels of very different size, so that scales per channel matter.
  return Float32Array.from(
    wave(count, shape[0]),
    (w, i) => w * (1 + (Math.floor((i * shape[0]) / count) % 5)),
  );
}

/** A convolution, a dense layer on rows (rank 3) and one on a vector: x `[1, 4, 6, 6]`, y `[1, 8]`. */
function weightedNet(of = weights): Graph {
  const b = new GraphBuilder('weighted', inferTypes);
  const constant = (name: keyof typeof weightShapes) =>
    b.constant(name, floatTensor([...weightShapes[name]], of(name)));
  const x = b.input('x', { dtype: 'float32', shape: [1, 4, 6, 6] });
  const bias = b.constant('conv/b', floatTensor([32], wave(32)));
  const conv = b.one('Conv', [x, constant('conv/w'), bias], convAttrs('NCHW'), { name: 'conv' });
  const flat = b.one(
    'Reshape',
    [
      conv,
      b.constant('rows/shape', {
        dtype: 'int64',
        shape: [3],
        bytes: new Uint8Array(BigInt64Array.from([1n, 32n, 36n]).buffer),
      }),
    ],
    { allowZero: false },
    { name: 'flat' },
  );
  const rowBias = b.constant('rows/b', floatTensor([40], wave(40, 3)));
  const rows = b.one(
    'FullyConnected',
    [flat, constant('rows/w'), rowBias],
    { activation: 'relu' },
    { name: 'rows' },
  );
  const vector = b.one(
    'Reshape',
    [
      rows,
      b.constant('y/shape', {
        dtype: 'int64',
        shape: [2],
        bytes: new Uint8Array(BigInt64Array.from([1n, 1280n]).buffer),
      }),
    ],
    { allowZero: false },
    { name: 'vector' },
  );
  const y = b.one('FullyConnected', [vector, constant('y/w'), null], { activation: 'none' }, { name: 'y' });
  return b.finish([y.id], { format: 'onnx' });
}

async function run(graph: Graph, graphOptimization: 'off' | 'all' = 'all'): Promise<number[]> {
  const session = await ort.open(writeOnnx(graph), { graphOptimization });
  try {
    const results = await session.run({ x: floatTensor([1, 4, 6, 6], wave(144, 5)) });
    return [...toFloat32(results.y)];
  } finally {
    await session.close();
  }
}

type Stored = 'dynamic-int8' | 'weights-int8' | 'weights-int4';

function planned(precision: Stored) {
  const graph = weightedNet();
  const options = { precision, io: 'float32', pureInteger: false } as const;
  return planQuantization({ tflite: graph, onnx: graph }, new Map(), options);
}

function made(precision: Stored, form?: SettledForm): Graph {
  return quantizeForOnnx(weightedNet(), planned(precision), { io: 'float32', form }).graph;
}

/** The float network with each weight replaced by what its integers stand for. */
function dequantizedNet(precision: Stored): Graph {
  const { values } = planned(precision);
  return weightedNet((name) => {
    const plan = values[name];
    const type = precision === 'weights-int4' ? 'int4' : 'int8';
    const integers = quantizeElements(floatTensor([...weightShapes[name]], weights(name)), type, plan);
    const perChannel = integers.length / plan.scales.length;
    return Float32Array.from(integers, (q, i) => Math.fround(q * plan.scales[Math.floor(i / perChannel)]));
  });
}

function largestError(reference: readonly number[], outputs: readonly number[]): number {
  const most = Math.max(...reference.map(Math.abs));
  return Math.max(...reference.map((value, i) => Math.abs(value - outputs[i]))) / most;
}

describe('integer weights in ONNX', () => {
  it.each(['weights-int8', 'weights-int4'] as const)(
    '%s computes with what the integers stand for',
    async (precision) => {
      expect(largestError(await run(dequantizedNet(precision)), await run(made(precision)))).toBeLessThan(
        1e-6,
      );
      expect(graphText(made(precision)).slice(0, 3)).toEqual([
        `Cast conv/w/integers:${precision.slice(8)}! -> conv/w/cast:float32`,
        'Mul conv/w/cast:float32 conv/w/scale:float32! -> conv/w/dequantized:float32',
        'Conv x:float32 conv/w/dequantized:float32 conv/b:float32! -> conv:float32',
      ]);
      expect(opsetFor(made(precision))).toBe(precision === 'weights-int4' ? 21 : 13);
    },
  );

  it('stand behind a DequantizeLinear for TensorRT', async () => {
    const graph = made('weights-int4', 'tensorrt');
    expect(graphText(graph)[0]).toBe(
      'DequantizeLinear conv/w/quantized:int4(32 scales)! -> conv/w/dequantized:float32',
    );
    // As written: onnxruntime's own kernel for such a product rounds the activations too.
    expect(largestError(await run(dequantizedNet('weights-int4')), await run(graph, 'off'))).toBeLessThan(
      1e-6,
    );
  });

  it('meet activations that are quantized at run time, in dense layers', async () => {
    const graph = made('dynamic-int8');
    expect(graphText(graph).at(-1)).toBe(
      'FullyConnected vector:float32 y/w/quantized:int8(8 scales)! - -> y:float32',
    );
    // Activations of 8 bits per tensor: half a step of 1/255 at most, less on average over 1,280 products.
    expect(largestError(await run(dequantizedNet('dynamic-int8')), await run(graph))).toBeLessThan(5e-3);
  });

  it('take the activations in one kernel', async () => {
    const session = await ort.open(writeOnnx(made('dynamic-int8')), { profile: true });
    try {
      await session.time({ x: floatTensor([1, 4, 6, 6], wave(144, 5)) }, 2);
      const kernels = (await session.operatorTimes!()).map(({ op }) => op);
      expect(kernels.filter((op) => op === 'DynamicQuantizeMatMul')).toHaveLength(2);
    } finally {
      await session.close();
    }
  });
});
