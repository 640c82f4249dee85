import { describe, expect, it } from 'vitest';
import { opsetFor } from '../formats/onnx/writer.ts';
import { floatTensor, int64Tensor, toNumbers, typedData } from '../ir/tensor.ts';
import { halfBitsToNumber } from '../kernels/half.ts';
import { applyPlanForOnnx } from './apply-qdq.ts';
import { applyPlanForTflite } from './apply-tflite.ts';
import { decidePlan } from './decide.ts';
import { estimateSizes } from './estimate.ts';
import type { QuantPlan } from './plan.ts';
import { quantizeForOnnx, quantizeForTflite } from './quantize.ts';
import { graphText, ranges, smallNet, smallRanges, vectorGraph, wave } from './test-graphs.ts';

function plan(overrides: Partial<Parameters<typeof decidePlan>[2]> = {}, graph = smallNet()) {
  return decidePlan(graph, smallRanges, {
    precision: 'int8',
    io: 'float32',
    pureInteger: false,
    ...overrides,
  });
}

describe('a plan applied for TFLite', () => {
  it('stands between float borders and leaves the softmax in float', () => {
    const graph = smallNet('NHWC', 64);
    expect(graphText(applyPlanForTflite(graph, plan({}, graph), { io: 'float32' }))).toMatchInlineSnapshot(`
      [
        "QuantizeLinear x:float32 -> x/quantized:int8(scale)",
        "Conv x/quantized:int8(scale) conv/kernel:int8(4 scales)! conv/bias:int32(4 scales)! -> conv:int8(scale)",
        "MaxPool conv:int8(scale) -> pool:int8(scale)",
        "Reshape pool:int8(scale) flat/shape:int64! -> flat:int8(scale)",
        "DequantizeLinear flat:int8(scale) -> flat/dequantized:float32",
        "FullyConnected flat/dequantized:float32 dense/kernel:int8(scale)! dense/bias:float32! -> dense:float32",
        "Softmax dense:float32 -> y:float32",
      ]
    `);
  });

  it('has integer inputs and outputs where asked to', () => {
    const graph = applyPlanForTflite(smallNet(), plan({ io: 'int8' }), { io: 'int8' });
    expect(graphText(graph)).toMatchInlineSnapshot(`
      [
        "Conv x:int8(scale) conv/kernel:int8(4 scales)! conv/bias:int32(4 scales)! -> conv:int8(scale)",
        "MaxPool conv:int8(scale) -> pool:int8(scale)",
        "Reshape pool:int8(scale) flat/shape:int64! -> flat:int8(scale)",
        "FullyConnected flat:int8(scale) dense/kernel:int8(3 scales)! dense/bias:int32(3 scales)! -> dense:int8(scale)",
        "Softmax dense:int8(scale) -> y:int8(scale)",
      ]
    `);
    expect([graph.inputs, graph.outputs]).toEqual([['x'], ['y']]);
  });

  it('brings uint8 in and out through a QUANTIZE each', () => {
    const graph = applyPlanForTflite(smallNet(), plan({ io: 'uint8' }), { io: 'uint8' });
    const lines = graphText(graph);
    expect(lines[0]).toBe('QuantizeLinear x:uint8(scale) -> x/quantized:int8(scale)');
    expect(lines.at(-1)).toBe('QuantizeLinear y/quantized:int8(scale) -> y:uint8(scale)');
    expect(graph.values.get('x')!.quant!.zeroPoints[0]).toBe(
      graph.values.get('x/quantized')!.quant!.zeroPoints[0] + 128,
    );
  });

  it('stores biases at input scale × weight scale', () => {
    const quantized = applyPlanForTflite(smallNet(), plan({ pureInteger: true }), { io: 'float32' });
    const bias = quantized.values.get('dense/bias')!;
    expect(bias.type.dtype).toBe('int32');
    const x = quantized.values.get('flat')!.quant!.scales[0];
    const w = quantized.values.get('dense/kernel')!.quant!.scales;
    expect(bias.quant!.scales).toEqual(w.map((scale) => Math.fround(x * scale)));
    toNumbers(bias.constant!).forEach((q, i) => {
      expect(Math.abs(q * bias.quant!.scales[i] - [0.1, -0.2, 0][i])).toBeLessThanOrEqual(
        bias.quant!.scales[i] / 2,
      );
    });
    const wide = applyPlanForTflite(smallNet(), plan({ precision: 'int16x8' }), { io: 'float32' });
    expect(wide.values.get('dense/bias')!.type.dtype).toBe('int64');
  });

  it('hands weights to hybrid operators and dequantizes them for float ones', () => {
    const net = () =>
      vectorGraph((b, x) => {
        const w = b.constant('w', floatTensor([130, 8], wave(1040)));
        return [b.one('FullyConnected', [x, w, null], { activation: 'none' }, { name: 'y' })];
      });
    const text = (precision: 'dynamic-int8' | 'weights-int8' | 'weights-int4') => {
      const weights = decidePlan(net(), new Map(), { precision, io: 'float32', pureInteger: false });
      return graphText(applyPlanForTflite(net(), weights, { io: 'float32' }));
    };
    expect(text('dynamic-int8')).toEqual(['FullyConnected x:float32 w:int8(130 scales)! - -> y:float32']);
    expect(text('weights-int8')).toEqual([
      'DequantizeLinear w:int8(130 scales)! -> w/dequantized:float32',
      'FullyConnected x:float32 w/dequantized:float32 - -> y:float32',
    ]);
    expect(text('weights-int4')[0]).toBe('DequantizeLinear w:int4(130 scales)! -> w/dequantized:float32');
  });

  it('keeps reals for float readers of what both kinds read', () => {
    const graph = vectorGraph((b, x) => {
      const positive = b.one('Relu', [x], {}, { name: 'positive' });
      const soft = b.one('Softplus', [positive], {}, { name: 'soft' });
      return [b.one('Add', [soft, positive], { activation: 'none' }, { name: 'y' })];
    });
    const both = decidePlan(graph, ranges({ x: [-1, 1], positive: [0, 1], soft: [0, 3], y: [0, 4] }), {
      precision: 'int8',
      io: 'float32',
      pureInteger: false,
    });
    expect(graphText(applyPlanForTflite(graph, both, { io: 'float32' }))).toMatchInlineSnapshot(`
      [
        "QuantizeLinear x:float32 -> x/quantized:int8(scale)",
        "Relu x/quantized:int8(scale) -> positive:int8(scale)",
        "DequantizeLinear positive:int8(scale) -> positive/dequantized:float32",
        "Softplus positive/dequantized:float32 -> soft:float32",
        "QuantizeLinear soft:float32 -> soft/quantized:int8(scale)",
        "Add soft/quantized:int8(scale) positive:int8(scale) -> y/quantized:int8(scale)",
        "DequantizeLinear y/quantized:int8(scale) -> y:float32",
      ]
    `);
  });
});

describe('a plan applied for ONNX', () => {
  it('puts pairs where integer operators read, also on values that only this graph has', () => {
    const hybrid = plan({}, smallNet('NHWC', 64));
    expect(graphText(applyPlanForOnnx(smallNet('NCHW', 64), hybrid))).toMatchInlineSnapshot(`
      [
        "QuantizeLinear x:float32 -> x/quantized:int8(scale)",
        "DequantizeLinear x/quantized:int8(scale) -> x/dequantized:float32",
        "DequantizeLinear conv/kernel/quantized:int8(4 scales)! -> conv/kernel/dequantized:float32",
        "DequantizeLinear conv/bias/quantized:int32(4 scales)! -> conv/bias/dequantized:float32",
        "Conv x/dequantized:float32 conv/kernel/dequantized:float32 conv/bias/dequantized:float32 -> conv:float32",
        "QuantizeLinear conv:float32 -> conv/quantized:int8(scale)",
        "DequantizeLinear conv/quantized:int8(scale) -> conv/dequantized:float32",
        "MaxPool conv/dequantized:float32 -> pool:float32",
        "QuantizeLinear pool:float32 -> pool/quantized:int8(scale)",
        "DequantizeLinear pool/quantized:int8(scale) -> pool/dequantized:float32",
        "Transpose pool/dequantized:float32 -> nhwc:float32",
        "QuantizeLinear nhwc:float32 -> nhwc/quantized:int8(scale)",
        "DequantizeLinear nhwc/quantized:int8(scale) -> nhwc/dequantized:float32",
        "Reshape nhwc/dequantized:float32 flat/shape:int64! -> flat:float32",
        "QuantizeLinear flat:float32 -> flat/quantized:int8(scale)",
        "DequantizeLinear flat/quantized:int8(scale) -> flat/dequantized:float32",
        "FullyConnected flat/dequantized:float32 dense/kernel/quantized:int8(scale)! dense/bias:float32! -> dense:float32",
        "Softmax dense:float32 -> y:float32",
      ]
    `);
  });

  it('quantizes both operands of a residual addition', () => {
    const graph = vectorGraph((b, x) => {
      const w = b.constant('w', floatTensor([8, 8], wave(64)));
      const dense = b.one('FullyConnected', [x, w, null], { activation: 'none' }, { name: 'dense' });
      return [b.one('Add', [dense, x], { activation: 'none' }, { name: 'y' })];
    });
    const residual = decidePlan(graph, ranges({ x: [-1, 1], dense: [-2, 2], y: [-3, 3] }), {
      precision: 'int8',
      io: 'float32',
      pureInteger: false,
    });
    const lines = graphText(applyPlanForOnnx(graph, residual));
    expect(lines).toContain('Add dense/dequantized:float32 x/dequantized:float32 -> y/float:float32');
    expect(lines.at(-1)).toBe('DequantizeLinear y/quantized:int8(scale) -> y:float32');
  });

  it('keeps a move of integers between pairs though its reader is a float operator', () => {
    const graph = vectorGraph((b, x) => {
      const w = b.constant('w', floatTensor([8, 8], wave(64)));
      const dense = b.one('FullyConnected', [x, w, null], { activation: 'none' }, { name: 'dense' });
      const shape = b.constant('shape', int64Tensor([2], [2, 4]));
      const moved = b.one('Reshape', [dense, shape], { allowZero: false }, { name: 'moved' });
      return [b.one('Erf', [moved], {}, { name: 'y' })];
    });
    const integers = decidePlan(graph, ranges({ x: [-1, 1], dense: [-2, 2], moved: [-2, 2] }), {
      precision: 'int8',
      io: 'float32',
      pureInteger: true,
    });
    const nodes = { ...integers.nodes, moved: { mode: 'float', reason: 'as in another form' } } as const;
    const lines = graphText(applyPlanForOnnx(graph, { ...integers, nodes }));
    expect(lines.slice(-3)).toEqual([
      'QuantizeLinear moved:float32 -> moved/quantized:int8(scale)',
      'DequantizeLinear moved/quantized:int8(scale) -> moved/dequantized:float32',
      'Erf moved/dequantized:float32 -> y:float32',
    ]);
  });

  it('has integer ports where asked to', () => {
    const graph = applyPlanForOnnx(smallNet('NCHW'), plan({ io: 'uint8' }), { io: 'uint8' });
    const lines = graphText(graph);
    expect(lines[0]).toBe('DequantizeLinear x:uint8(scale) -> x/dequantized:float32');
    expect(lines.at(-1)).toBe('QuantizeLinear y/dequantized:float32 -> y:uint8(scale)');
  });

  it('needs opset 21 only for 16-bit and 4-bit types', () => {
    const opset = (made: QuantPlan) =>
      opsetFor(quantizeForOnnx(smallNet('NCHW'), made, { io: 'float32' }).graph);
    expect(opset(plan())).toBe(13);
    expect(opset(plan({ precision: 'int16x8' }))).toBe(21);
  });
});

describe('both forms', () => {
  it('hold the same integers and scales', () => {
    const integers = plan({ pureInteger: true });
    const tflite = applyPlanForTflite(smallNet(), integers, { io: 'float32' });
    const onnx = applyPlanForOnnx(smallNet('NCHW'), integers);
    for (const id of ['conv/kernel', 'conv/bias', 'dense/kernel', 'dense/bias']) {
      const a = tflite.values.get(id)!;
      const b = onnx.values.get(`${id}/quantized`)!;
      expect(typedData(b.constant!)).toEqual(typedData(a.constant!));
      expect(b.quant).toEqual(a.quant);
    }
  });
});

describe('float16', () => {
  it('stores large constants in half size behind a cast, held inside of the range', () => {
    const values = [1e6, -1e6, ...wave(62)];
    const graph = vectorGraph((b, x) => {
      const w = b.constant('w', floatTensor([8, 8], values));
      const small = b.constant('b', floatTensor([8], wave(8)));
      return [b.one('FullyConnected', [x, w, small], { activation: 'none' }, { name: 'y' })];
    });
    const half = decidePlan(graph, new Map(), { precision: 'float16', io: 'float32', pureInteger: false });
    const { graph: stored, warnings } = quantizeForTflite(graph, half, { io: 'float32' });
    expect(graphText(stored)).toEqual([
      'Cast w/float16:float16! -> w:float32',
      'FullyConnected x:float32 w:float32 b:float32! -> y:float32',
    ]);
    const bits = typedData(stored.values.get('w/float16')!.constant!) as Uint16Array;
    expect([...bits.subarray(0, 2)].map(halfBitsToNumber)).toEqual([65504, -65504]);
    expect(warnings).toMatchObject([{ code: 'quantize.float16-overflow', node: 'w' }]);
  });
});

describe('size estimates', () => {
  it('shrink with the precision', () => {
    const graph = vectorGraph((b, x) => {
      const w = b.constant('w', floatTensor([1000, 8], wave(8000)));
      return [b.one('FullyConnected', [x, w, null], { activation: 'none' }, { name: 'y' })];
    });
    const sizes = estimateSizes(graph);
    expect(sizes.float32).toBeGreaterThan(32_000);
    expect(sizes.float16).toBeLessThan(sizes.float32 * 0.6);
    expect(sizes['weights-int4']).toBeLessThan(sizes['weights-int8']);
    expect(sizes['weights-int8']).toBeLessThan(sizes.float32 * 0.7);
  });

  it('tell weights apart whose reals have zeros in their low bytes', () => {
    const halves = (seed: number) =>
      floatTensor(
        [64, 64],
        wave(4096, seed).map((x) => Math.round(x * 64) / 64),
      );
    const graph = vectorGraph((b, x) => {
      const layer = (from: typeof x, seed: number, name: string) =>
        b.one(
          'FullyConnected',
          [from, b.constant(`w${seed}`, halves(seed)), null],
          { activation: 'none' },
          { name },
        );
      const first = b.constant('first', floatTensor([64, 8], wave(512)));
      const wide = b.one('FullyConnected', [x, first, null], { activation: 'none' }, { name: 'wide' });
      return [layer(layer(wide, 1, 'h'), 2, 'y')];
    });
    expect(estimateSizes(graph).float32).toBeGreaterThan(2 * 4 * 4096);
  });
});
