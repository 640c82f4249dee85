import { describe, expect, it } from 'vitest';
import type { IoType, Precision } from '../contract/views.ts';
import { viewModel } from '../formats/tflite/model-view.ts';
import { writeTflite } from '../formats/tflite/writer.ts';
import type { Graph } from '../ir/graph.ts';
import { prepareForTflite } from '../passes/pipeline.ts';
import { randomFeeds } from '../profile/feeds.ts';
import { partitionOfRun } from '../profile/partition-of-run.ts';
import { decidePlan } from '../quantize/decide.ts';
import { quantizeForTflite } from '../quantize/quantize.ts';
import { createEngines } from '../runtime/engines.ts';
import { GraphKit } from '../testing/graph-kit.ts';
import { mainSubgraph, predict } from './predict.ts';
import { xnnpack } from './xnnpack.ts';

const { litert } = createEngines();
const missing = await litert.unavailable();
if (missing) console.warn(`XNNPACK's real partition is not compared: ${missing.reason}; ${missing.hint}`);

/** Convolutions of all kinds with activations that XNNPACK has in float, in 8 bits, or in neither. */
function convolutions(): Graph {
  const kit = new GraphKit(3, 'NHWC');
  const stem = kit.relu6(kit.conv(kit.input(1, 8, 8, 4), 8, 3, { pads: [1, 1, 1, 1] }));
  const depthwise = kit.conv(stem, 8, 3, { group: 8, pads: [1, 1, 1, 1] });
  const swish = kit.op('HardSwish', [kit.conv(depthwise, 8, 1, { bias: false })]);
  const gate = kit.op('Sigmoid', [kit.op('LeakyRelu', [kit.conv(swish, 8, 1)], { alpha: 0.1 })]);
  const gated = kit.binary('Mul', swish, gate);
  const up = kit.convTranspose(kit.pool('MaxPool', kit.op('Elu', [gated], { alpha: 1 }), 2), 4, 2, {
    strides: [2, 2],
  });
  const joined = kit.op(
    'Concat',
    [kit.op('Tanh', [up]), kit.pad(kit.pool('AveragePool', stem, 2), [2, 2], [2, 2])],
    {
      axis: 3,
    },
  );
  const mean = kit.globalMean(kit.relu(kit.binary('Add', joined, kit.weight([12]))));
  return kit.finish(kit.op('Softmax', [kit.dense(kit.relu(kit.dense(mean, 96)), 4)], { axis: 1 }));
}

/** A transformer's operators. */
function attention(): Graph {
  const kit = new GraphKit(5);
  const x = kit.input(1, 6, 32);
  const norm = kit.op('LayerNormalization', [x, kit.weight([32]), kit.weight([32])], {
    axis: -1,
    epsilon: 1e-5,
  });
  const scores = kit.op('MatMul', [kit.dense(norm, 32), kit.transpose(kit.dense(norm, 32), 0, 2, 1)]);
  const mixed = kit.op('MatMul', [kit.op('Softmax', [scores], { axis: -1 }), kit.dense(norm, 32)]);
  const hidden = kit.op('Gelu', [kit.dense(kit.binary('Add', x, mixed), 48)], { approximate: false });
  const square = kit.binary('Sub', kit.op('Exp', [kit.op('Neg', [kit.op('Abs', [hidden])])]), hidden);
  return kit.finish(kit.op('ReduceMax', [kit.dense(square, 7), kit.ints(1)], { keepDims: true }));
}

const graphs = { convolutions, attention };
const precisions: readonly { precision: Exclude<Precision, 'auto'>; io?: IoType; pureInteger?: boolean }[] = [
  { precision: 'float32' },
  { precision: 'float16' },
  { precision: 'dynamic-int8' },
  { precision: 'weights-int8' },
  { precision: 'weights-int4' },
  { precision: 'int8' },
  { precision: 'int8', io: 'uint8' },
  { precision: 'int8', io: 'int8', pureInteger: true },
  { precision: 'int16x8' },
];

const cases = Object.keys(graphs).flatMap((name) =>
  precisions.map((choice) => ({ ...choice, name: name as keyof typeof graphs })),
);

describe.skipIf(missing)('what XNNPACK takes, as LiteRT’s profiler shows it', () => {
  it.each(cases)(
    '$name in $precision $io',
    async ({ name, precision, io = 'float32', pureInteger = false }) => {
      const { graph } = prepareForTflite(graphs[name](), { layout: 'nhwc' });
      const ranges = new Map([...graph.values.keys()].map((id, i) => [id, { min: -1 - (i % 3), max: 2 }]));
      const plan = decidePlan(graph, ranges, { precision, io, pureInteger });
      const { bytes } = writeTflite(quantizeForTflite(graph, plan, { io }).graph);
      const model = viewModel(bytes);
      const names = mainSubgraph(model).operators.map(({ builtin }, index) => `${index} ${builtin}`);
      const predicted = predict(model, xnnpack);

      const session = await litert.open(bytes, { threads: 1, profile: true });
      await session.run(randomFeeds(session.inputs));
      const { builtin, delegated } = partitionOfRun(await session.operatorTimes!());
      await session.close();
      expect(names.filter((_, index) => !predicted.taken.has(index))).toEqual(
        names.filter((_, index) => builtin.has(index)),
      );
      expect(predicted.parts.filter(({ taken }) => taken)).toHaveLength(delegated);
      expect(predicted.taken.size).toBeGreaterThan(0);
    },
  );
});
