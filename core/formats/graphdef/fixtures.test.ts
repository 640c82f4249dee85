/** SavedModels, frozen graphs and TF.js models, against what TensorFlow computes for them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { DType } from '../../ir/dtype.ts';
import { floatTensor, type Tensor, toFloat32 } from '../../ir/tensor.ts';
import { tensorFrom } from '../../ops/fold-helpers.ts';
import { prepareForOnnx } from '../../passes/pipeline.ts';
import { expectClose, runInLiteRt, runInOrt } from '../../testing/check-op.ts';
import { readModel } from '../open-model.ts';

interface Listed {
  readonly dtype: DType;
  readonly shape: number[];
  readonly values: number[];
}

interface Case {
  readonly file: string;
  readonly inputs: Readonly<Record<string, Listed>>;
  readonly outputs: Readonly<Record<string, Listed>>;
}

const folder = fileURLToPath(new URL('fixtures/', import.meta.url));
const cases = JSON.parse(readFileSync(`${folder}cases.json`, 'utf8')) as Case[];

const asFloats = (tensor: Tensor) => floatTensor(tensor.shape, toFloat32(tensor));

describe('models written by TensorFlow', () => {
  it.each(cases)('$file', async ({ file, inputs, outputs }) => {
    const { graph, issues, sizeBytes } = await readModel(folder + file);
    // A loop that was written out is told, and a choice that is made while the model runs.
    expect(issues.filter(({ severity, op }) => severity === 'error' || !/While$|If$/.test(op ?? ''))).toEqual(
      [],
    );
    expect(sizeBytes).toBeGreaterThan(1000);
    expect([...graph!.inputs].sort()).toEqual(Object.keys(inputs).sort());
    expect([...graph!.outputs].sort()).toEqual(Object.keys(outputs).sort());
    const feeds = Object.fromEntries(
      Object.entries(inputs).map(([name, { dtype, shape, values }]) => [
        name,
        tensorFrom(dtype, shape, values),
      ]),
    );
    const inOrt = await runInOrt(prepareForOnnx(graph!).graph, feeds);
    const inLiteRt = (await runInLiteRt(graph!, feeds)).results;
    for (const [name, { dtype, shape, values }] of Object.entries(outputs)) {
      const tolerance = 1e-5 * Math.max(1, ...values.map(Math.abs));
      for (const results of [inOrt, inLiteRt]) {
        expect(results[name].dtype, name).toBe(dtype);
        expectClose(asFloats(results[name]), floatTensor(shape, values), tolerance);
      }
    }
  });
});
