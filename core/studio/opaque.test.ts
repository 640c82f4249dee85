import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OutputFormat, Recipe } from '../contract/views.ts';
import { npy, npz, ramp } from '../data/fixtures/make-arrays.ts';
import { floatTensor, int64Tensor } from '../ir/tensor.ts';
import { createEngines } from '../runtime/engines.ts';
import { modelBytes } from '../testing/onnx-model.ts';
import { i, weights } from '../testing/onnx-rows.ts';
import { estimateArtifacts } from './estimate.ts';
import { inspectModel } from './inspect.ts';
import { optimize } from './optimize.ts';

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whittle-opaque-'));
  path = join(folder, 'regions.onnx');
  const model = {
    opset: 17,
    inputs: { x: { shape: [1, 2, 6, 6] } },
    nodes: [
      { op: 'Conv', inputs: ['x', 'w'], outputs: ['c'], name: 'before' },
      {
        op: 'RoiAlign',
        inputs: ['c', 'regions', 'images'],
        outputs: ['r'],
        name: 'align',
        attrs: { output_height: i(3), output_width: i(3) },
      },
      { op: 'Conv', inputs: ['r', 'v'], outputs: ['d'], name: 'after' },
      { op: 'Relu', inputs: ['d'], outputs: ['y'], name: 'relu' },
    ],
    constants: {
      w: weights(4, 2, 3, 3),
      v: weights(4, 4, 1, 1),
      regions: floatTensor([1, 4], [0, 0, 3, 3]),
      images: int64Tensor([1], [0]),
    },
    outputs: { y: 'float32' as const },
  };
  await writeFile(path, modelBytes(model));
  await writeFile(join(folder, 'x.npz'), npz({ x: npy('<f4', [8, 2, 6, 6], ramp(8 * 72)) }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const recipeOf = (formats: OutputFormat[]) => Recipe.parse({ precisions: ['int8'], formats });

function run(formats: OutputFormat[]) {
  const request = {
    path,
    recipe: recipeOf(formats),
    data: { paths: [join(folder, 'x.npz')] },
    outDir: join(folder, formats.join('-')),
  };
  return optimize(request, { engines: createEngines(), signal: new AbortController().signal });
}

it('says beforehand that an operator passes through ONNX alone', async () => {
  const { support, issues, graph } = await inspectModel(path);
  expect(support).toEqual({ tflite: { ok: false, missing: ['RoiAlign'] }, onnx: { ok: true, missing: [] } });
  expect(issues).toMatchObject([{ severity: 'warning', code: 'model.unsupported-operator', node: 'align' }]);
  expect(graph.opHistogram).toMatchObject({ Conv: 2, 'ai.onnx::RoiAlign': 1 });
  const blocks = async (formats: OutputFormat[]) => {
    const estimates = await estimateArtifacts({ path, recipe: recipeOf(formats), hasData: true });
    return new Set(estimates.map(({ blocked }) => blocked));
  };
  expect([...(await blocks(['tflite']))]).toEqual([expect.stringMatching(/RoiAlign is not supported/)]);
  expect([...(await blocks(['onnx']))]).toEqual([undefined]);
});

it('refuses TFLite before anything runs, and tells the way', async () => {
  await expect(run(['tflite'])).rejects.toMatchObject({
    code: 'model.unsupported-operator',
    message: expect.stringContaining('The operator RoiAlign is not supported; 1 node uses it: "align".'),
    hint: expect.stringContaining('ONNX keeps'),
  });
});

it('quantizes what stands around it, and warns of it by name', async () => {
  const { artifacts } = await run(['tflite', 'onnx']);
  expect(artifacts).toMatchObject([
    { format: 'tflite', path: '', error: { code: 'model.unsupported-operator' } },
    { format: 'onnx', status: 'ok', operators: { Conv: 2, 'ai.onnx::RoiAlign': 1 } },
  ]);
  const [, onnx] = artifacts;
  expect(onnx.operators.QuantizeLinear).toBeGreaterThan(0);
  expect(onnx.quality!.sqnrDb).toBeGreaterThan(25);
  expect(onnx.warnings).toContainEqual(
    expect.objectContaining({ code: 'quantize.float-island', node: 'align' }),
  );
});
