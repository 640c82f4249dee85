/** Files that Keras wrote, against what Keras computes for them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { DType } from '../../ir/dtype.ts';
import { floatTensor, toFloat32 } from '../../ir/tensor.ts';
import { tensorFrom } from '../../ops/fold-helpers.ts';
import { prepareForOnnx } from '../../passes/pipeline.ts';
import { expectClose, runInLiteRt, runInOrt } from '../../testing/check-op.ts';
import { readKeras } from './reader.ts';

interface Case {
  readonly file: string;
  readonly inputs: Readonly<Record<string, { dtype: DType; shape: number[]; values: number[] }>>;
  readonly outputs: readonly { shape: number[]; values: number[] }[];
}

const folder = fileURLToPath(new URL('fixtures/', import.meta.url));
const cases = JSON.parse(readFileSync(`${folder}cases.json`, 'utf8')) as Case[];

describe('files written by Keras', () => {
  it.each(cases)('$file', async ({ file, inputs, outputs }) => {
    const { graph, issues } = await readKeras(folder + file, {});
    expect(issues).toEqual([]);
    expect([...graph!.inputs].sort()).toEqual(Object.keys(inputs).sort());
    const feeds = Object.fromEntries(
      Object.entries(inputs).map(([name, { dtype, shape, values }]) => [
        name,
        tensorFrom(dtype, shape, values),
      ]),
    );
    expect(graph!.outputs).toHaveLength(outputs.length);
    const inOrt = await runInOrt(prepareForOnnx(graph!).graph, feeds);
    const inLiteRt = (await runInLiteRt(graph!, feeds)).results;
    for (const [i, { shape, values }] of outputs.entries()) {
      const expected = floatTensor(shape, values);
      for (const results of [inOrt, inLiteRt]) {
        const actual = results[graph!.outputs[i]];
        expectClose(floatTensor(actual.shape, toFloat32(actual)), expected, 1e-5);
      }
    }
  });
});
