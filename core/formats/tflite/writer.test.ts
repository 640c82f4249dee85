import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { WhittleError } from '../../contract/errors.ts';
import { GraphBuilder } from '../../ir/builder.ts';
import type { Graph } from '../../ir/graph.ts';
import { floatTensor, tensorOf } from '../../ir/tensor.ts';
import { packInt4 } from '../../kernels/int4.ts';
import { inferTypes } from '../../ops/registry.ts';
import { createEngines } from '../../runtime/engines.ts';
import { GraphKit } from '../../testing/graph-kit.ts';
import { smallFile, smallNet } from '../../testing/tflite-files.ts';
import { type DumpedTensor, dumpTflite } from './dump.ts';
import { decodeModel } from './flatbuffer.ts';
import { writeTflite } from './writer.ts';

const plainWindow = { layout: 'NHWC', strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };

function graphOf(build: (builder: GraphBuilder) => string[]): Graph {
  const builder = new GraphBuilder('test', inferTypes);
  return builder.finish(build(builder), { format: 'keras' });
}

function dumpOf(graph: Graph) {
  return dumpTflite(writeTflite(graph).bytes).subgraphs[0];
}

function tensorNamed(graph: Graph, name: string): DumpedTensor {
  const found = dumpOf(graph).tensors.find((tensor) => tensor.name === name);
  if (!found) throw new Error(`no tensor ${name}`);
  return found;
}

describe('writeTflite', () => {
  it('writes a small net as the golden dump says', () => {
    const path = fileURLToPath(new URL('./fixtures/small-net.json', import.meta.url));
    const dump = dumpTflite(smallFile());
    if (process.env.UPDATE_GOLDEN) writeFileSync(path, `${JSON.stringify(dump, null, 2)}\n`);
    expect(dump).toEqual(JSON.parse(readFileSync(path, 'utf8')));
  });

  it('counts operators and names the oldest runtime', () => {
    const { operators, minRuntime } = writeTflite(smallNet());
    expect(operators).toEqual({
      CONV_2D: 1,
      PAD: 1,
      DEPTHWISE_CONV_2D: 1,
      MEAN: 1,
      FULLY_CONNECTED: 1,
      SOFTMAX: 1,
    });
    expect(minRuntime).toBe('1.6.0');
  });

  it('gives equal bytes for equal graphs', () => {
    expect(smallFile()).toEqual(smallFile());
  });

  it('refuses everything it cannot write at once, by name', () => {
    const graph = graphOf((builder) => {
      const x = builder.input('x', { dtype: 'float32', shape: [1, 2, 1, 3, 1, 4, 5] });
      const perm = [0, 6, 5, 4, 3, 2, 1];
      const first = builder.one('Transpose', [x], { perm }, { name: 'first' });
      const relu = builder.one('Relu', [first]);
      return [builder.one('Transpose', [relu], { perm }, { name: 'second' }).id];
    });
    try {
      writeTflite(graph);
      expect.unreachable();
    } catch (error) {
      const { code, issues } = error as WhittleError;
      expect(error).toBeInstanceOf(WhittleError);
      expect(code).toBe('model.unsupported-operator');
      expect(issues.map(({ node, op }) => [node, op])).toEqual([
        ['first', 'Transpose'],
        ['second', 'Transpose'],
      ]);
    }
  });

  it('keeps equal constants once', () => {
    const graph = graphOf((builder) => {
      const x = builder.input('x', { dtype: 'float32', shape: [1, 4] });
      const weights = () => builder.constant('w', floatTensor([4, 4], new Array(16).fill(0.5)));
      const a = builder.one('FullyConnected', [x, weights(), null], { activation: 'none' });
      return [builder.one('FullyConnected', [a, weights(), null], { activation: 'none' }).id];
    });
    const constants = dumpOf(graph).tensors.filter(({ data }) => data);
    expect(constants.map(({ shape }) => shape)).toEqual([[4, 4], [4]]);
  });

  it.each([
    ['the input', (builder: GraphBuilder) => builder.input('x', { dtype: 'float32', shape: [2] }).id],
    ['a constant', (builder: GraphBuilder) => builder.constant('c', floatTensor([2], [1, 2])).id],
  ])('copies an output that is %s', (_, make) => {
    const graph = graphOf((builder) => [make(builder)]);
    const { operators, outputs, tensors } = dumpOf(graph);
    expect(operators.map(({ op }) => op)).toEqual(['RESHAPE']);
    expect(tensors.find(({ name }) => name === outputs[0])?.data).toBeUndefined();
    expect(dumpTflite(writeTflite(graph).bytes).signatures[0].outputs).toEqual({
      [graph.outputs[0]]: outputs[0],
    });
  });
});

describe('stored weights', () => {
  const floatNet = (weights: (builder: GraphBuilder) => ReturnType<GraphBuilder['constant']>) =>
    graphOf((builder) => {
      const x = builder.input('x', { dtype: 'float32', shape: [1, 4, 4, 2] });
      const attrs = { ...plainWindow, group: 1, activation: 'none' };
      return [builder.one('Conv', [x, weights(builder), null], attrs, { name: 'y' }).id];
    });

  it('puts float16 weights behind one DEQUANTIZE, in the axis order of the file', () => {
    const graph = floatNet((builder) => {
      const half = builder.constant(
        'w16',
        tensorOf('float16', [3, 2, 1, 1], new Uint16Array(6).fill(0x3c00)),
      );
      return builder.one('Cast', [half], { to: 'float32' }, { name: 'w' });
    });
    expect(dumpOf(graph).operators.map(({ op, version }) => [op, version])).toEqual([
      ['DEQUANTIZE', 3],
      ['CONV_2D', 1],
    ]);
    expect(tensorNamed(graph, 'w16')).toMatchObject({ dtype: 'float16', shape: [3, 1, 1, 2] });
  });

  it('moves the quantized axis along with the weights', () => {
    const quant = { scales: [0.5, 0.25, 0.125], zeroPoints: [0, 0, 0], axis: 0 };
    const plain = floatNet((builder) =>
      builder.constant('w', tensorOf('int8', [3, 2, 1, 1], new Int8Array(6)), quant),
    );
    expect(tensorNamed(plain, 'w')).toMatchObject({ shape: [3, 1, 1, 2], quant: { axis: 0 } });
    const depthwise = graphOf((builder) => {
      const x = builder.input('x', { dtype: 'float32', shape: [1, 4, 4, 3] });
      const w = builder.constant('w', tensorOf('int8', [3, 1, 2, 2], new Int8Array(12)), quant);
      const attrs = { ...plainWindow, group: 3, activation: 'none' };
      return [builder.one('Conv', [x, w, null], attrs, { name: 'y' }).id];
    });
    expect(tensorNamed(depthwise, 'w')).toMatchObject({ shape: [1, 2, 2, 3], quant: { axis: 3 } });
  });

  it('permutes and packs int4 weights', () => {
    // [1, 3, 1, 1] elements 1, 2, 3 become [1, 1, 1, 3]; [3, 1, 2, 1] elements are transposed.
    const graph = graphOf((builder) => {
      const x = builder.input('x', { dtype: 'int8', shape: [1, 4, 4, 3] }, { scales: [1], zeroPoints: [0] });
      const bytes = packInt4(Int8Array.of(1, 2, 3, 4, 5, 6));
      const quant = { scales: [1], zeroPoints: [0] };
      const w = builder.constant('w', { dtype: 'int4', shape: [3, 1, 2, 1], bytes }, quant);
      const attrs = { ...plainWindow, group: 3, activation: 'none' };
      const y = builder.one('Conv', [x, w, null], attrs, { name: 'y' });
      return [builder.quantize(y.id, y.type, quant).id];
    });
    const expected = packInt4(Int8Array.of(1, 3, 5, 2, 4, 6));
    const { bytes } = writeTflite(graph);
    expect(Buffer.from(bytes).includes(Buffer.from(expected))).toBe(true);
    expect(tensorNamed(graph, 'w')).toMatchObject({ dtype: 'int4', shape: [1, 2, 1, 3] });
  });

  it('gives an integer convolution without bias a zero one with the scale of the product', () => {
    const graph = graphOf((builder) => {
      const x = builder.input(
        'x',
        { dtype: 'int8', shape: [1, 4, 4, 2] },
        { scales: [0.5], zeroPoints: [3] },
      );
      const quant = { scales: [0.5, 0.25], zeroPoints: [0, 0], axis: 0 };
      const w = builder.constant('w', tensorOf('int8', [2, 2, 1, 1], new Int8Array(4).fill(1)), quant);
      const attrs = { ...plainWindow, group: 1, activation: 'none' };
      const y = builder.one('Conv', [x, w, null], attrs, { name: 'y' });
      return [builder.quantize(y.id, y.type, { scales: [1], zeroPoints: [0] }).id];
    });
    expect(tensorNamed(graph, 'conv/bias'.replace('conv', 'y'))).toMatchObject({
      dtype: 'int32',
      shape: [2],
      quant: { scales: [0.25, 0.125], zeroPoints: [0, 0], axis: 0 },
    });
  });

  it('refuses one scale for integer depthwise weights of a float model, which LiteRT computes wrongly', () => {
    const graph = graphOf((builder) => {
      const x = builder.input('x', { dtype: 'float32', shape: [1, 4, 4, 3] });
      const quant = { scales: [0.5], zeroPoints: [0] };
      const w = builder.constant('w', tensorOf('int8', [3, 1, 1, 1], new Int8Array(3)), quant);
      return [builder.one('Conv', [x, w, null], { ...plainWindow, group: 3, activation: 'none' }).id];
    });
    expect(() => writeTflite(graph)).toThrow(/one per channel/);
  });
});

/** Weights above what stays among the tables. */
function wideNet() {
  const kit = new GraphKit(5, 'NHWC');
  const graph = kit.finish(kit.conv(kit.conv(kit.input(1, 8, 8, 3), 64, 3), 8, 3));
  return { graph, feeds: kit.feeds };
}

describe('the form of files above 2 GiB', () => {
  const { graph, feeds } = wideNet();
  const plain = writeTflite(graph).bytes;
  const large = writeTflite(graph, { large: true }).bytes;

  it('keeps large data behind the tables, at multiples of 16 bytes', () => {
    const outside = decodeModel(large).buffers!.filter(({ offset }) => offset > 1);
    expect(outside.map(({ size }) => size).sort()).toEqual([64 * 8 * 9 * 4, 64 * 3 * 9 * 4].sort());
    expect(outside.every(({ offset }) => offset % 16 === 0)).toBe(true);
    expect(Math.max(...outside.map(({ offset, size }) => offset + size))).toBe(large.length);
  });

  it('says the same, and runs in LiteRT with the same results', async () => {
    expect(dumpTflite(large)).toEqual(dumpTflite(plain));
    const answers = [];
    for (const bytes of [plain, large]) {
      const session = await (await createEngines().tflite()).open(bytes);
      answers.push(await session.run(feeds));
      await session.close();
    }
    expect(answers[1]).toEqual(answers[0]);
  });
});
