import { describe, expect, it } from 'vitest';
import { viewModel } from '../formats/tflite/model-view.ts';
import { writeTflite } from '../formats/tflite/writer.ts';
import { GraphBuilder } from '../ir/builder.ts';
import type { Graph } from '../ir/graph.ts';
import { floatTensor } from '../ir/tensor.ts';
import { inferTypes } from '../ops/registry.ts';
import { prepareForTflite } from '../passes/pipeline.ts';
import { decidePlan } from '../quantize/decide.ts';
import { quantizeForTflite } from '../quantize/quantize.ts';
import { describeTargets } from './targets.ts';

/** A convolution with ReLU, pooled and classified. */
function smallCnn(): Graph {
  const builder = new GraphBuilder('small', inferTypes);
  const x = builder.input('x', { dtype: 'float32', shape: [1, 8, 8, 3] });
  const weights = (name: string, ...shape: number[]) =>
    builder.constant(
      name,
      floatTensor(
        shape,
        Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i)),
      ),
    );
  const conv = builder.one('Conv', [x, weights('w', 4, 3, 3, 3), weights('b', 4)], {
    layout: 'NHWC',
    strides: [1, 1],
    dilations: [1, 1],
    pads: [1, 1, 1, 1],
    group: 1,
    activation: 'relu',
  });
  const flat = builder.one(
    'Reshape',
    [
      conv,
      builder.constant('shape', {
        dtype: 'int64',
        shape: [2],
        bytes: new Uint8Array(BigInt64Array.of(1n, 256n).buffer),
      }),
    ],
    { allowZero: false },
  );
  const dense = builder.one('FullyConnected', [flat, weights('v', 5, 256), weights('c', 5)], {
    activation: 'none',
  });
  return builder.finish([builder.one('Softmax', [dense], { axis: 1 }).id], { format: 'keras' });
}

function verdicts(precision: 'float32' | 'int8', pureInteger: boolean): Record<string, string> {
  const { graph } = prepareForTflite(smallCnn(), { layout: 'nhwc' });
  const ranges = new Map([...graph.values.keys()].map((id) => [id, { min: -1, max: 1 }]));
  const io = pureInteger ? 'int8' : 'float32';
  const plan = decidePlan(graph, ranges, { precision, io, pureInteger });
  const { bytes } = writeTflite(quantizeForTflite(graph, plan, { io }).graph);
  return Object.fromEntries(describeTargets(viewModel(bytes)).map(({ id, verdict }) => [id, verdict]));
}

describe('what targets take of a small classifier', () => {
  it('in float32: the CPU and GPU all of it, integer accelerators none', () => {
    const found = verdicts('float32', false);
    expect(found).toMatchObject({ xnnpack: 'all', 'litert-gpu': 'all', 'core-ml': 'all' });
    expect(['none', 'unfit']).toContain(found['edge-tpu']);
    expect(found['ethos-u']).not.toBe('all');
  });

  it('in pure int8: the Edge TPU and microcontrollers all of it', () => {
    expect(verdicts('int8', true)).toMatchObject({ 'edge-tpu': 'all', 'ethos-u': 'all', tflm: 'all' });
  });

  it('says what is in the way', () => {
    const { graph } = prepareForTflite(smallCnn(), { layout: 'nhwc' });
    const edgeTpu = describeTargets(viewModel(writeTflite(graph).bytes)).find(({ id }) => id === 'edge-tpu');
    expect(edgeTpu?.taken).toBe(0);
    expect(edgeTpu?.first?.reason).toMatch(/float32|8-bit|integer/);
    expect(edgeTpu?.first?.fix?.text).toBeTruthy();
  });

  it('names every operator in its stretch', () => {
    const { graph } = prepareForTflite(smallCnn(), { layout: 'nhwc' });
    for (const { parts, nodes, taken } of describeTargets(viewModel(writeTflite(graph).bytes))) {
      const names = parts!.flatMap((part) => part.nodes);
      expect(names).toEqual(graph.nodes.map(({ outputs }) => outputs[0]));
      expect(names).toHaveLength(nodes);
      expect(parts!.flatMap((part) => (part.taken ? part.nodes : []))).toHaveLength(taken);
    }
  });
});
