import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeOnnx } from '../formats/onnx/writer.ts';
import { GraphBuilder } from '../ir/builder.ts';
import { floatTensor, int64Tensor, toFloat32 } from '../ir/tensor.ts';
import { inferTypes } from '../ops/registry.ts';
import { createEngines } from '../runtime/engines.ts';
import { openSourceSession } from './float-reference.ts';
import { readSource } from './source-model.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whittle-reference-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('zeros in front of a MaxPool of the user’s file stay zeros', async () => {
  const builder = new GraphBuilder('padded', inferTypes);
  const x = builder.input('x', { dtype: 'float32', shape: [1, 1, 2, 2] });
  const amounts = builder.constant('amounts', int64Tensor([8], [0, 0, 1, 1, 0, 0, 1, 1]));
  const zero = builder.constant('zero', floatTensor([], [0]));
  const padded = builder.one('Pad', [x, amounts, zero], { mode: 'constant' });
  const each = [2, 2];
  const attrs = { layout: 'NCHW', strides: each, dilations: [1, 1], pads: [0, 0, 0, 0], kernelShape: each };
  builder.one('MaxPool', [padded], { ...attrs, ceilMode: false, activation: 'none' }, { outputs: ['y'] });
  const path = join(folder, 'padded.onnx');
  await writeFile(path, writeOnnx(builder.finish(['y'], { format: 'onnx', opset: 17 })));
  const source = await readSource(path, {});
  const session = await openSourceSession(source, () => source.graph!, createEngines());
  const { y } = await session.run({ x: floatTensor([1, 1, 2, 2], [-1, -2, -3, -4]) });
  await session.close();
  expect([...toFloat32(y)]).toEqual([0, 0, 0, 0]);
});
