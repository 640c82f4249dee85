import { describe, expect, it } from 'vitest';
import { Recipe, type RecipeChange } from '../contract/views.ts';
import { listTargets } from './artifact-targets.ts';
import { trialRun } from './trial.ts';

const project = Recipe.parse({ precisions: ['float16', 'int8'], formats: ['tflite', 'onnx'] });
const int8 = { id: 'int8-float32-tflite', precision: 'int8', io: 'float32', format: 'tflite' } as const;
const run = (change: RecipeChange, base = project) => trialRun(int8, base, project, change, 'a try');
const idOf = ({ recipe, mark }: ReturnType<typeof run>) =>
  listTargets('/m/net.h5', recipe, '/out', mark).map(({ id, path, label }) => [id, path, label]);

describe('a trial', () => {
  it('makes one file, beside the one it starts from', () => {
    const first = run({ calibration: 'mse' });
    expect(first.recipe).toMatchObject({ precisions: ['int8'], formats: ['tflite'], calibration: 'mse' });
    const [[id, path, label], ...others] = idOf(first);
    expect(others).toEqual([]);
    expect(id).toMatch(/^int8-float32-tflite-[0-9a-f]{8}$/);
    expect(path).toMatch(/net_int8_[0-9a-f]{8}\.tflite$/);
    expect(label).toBe('a try');
    expect(idOf(run({ calibration: 'mse' }))).toEqual(idOf(first));
    expect(idOf(run({ calibration: 'entropy' }))).not.toEqual(idOf(first));
  });

  it('only of another precision or type is the recipe’s own file', () => {
    expect(idOf(run({ precision: 'float16' }))).toEqual([
      ['float16-float32-tflite', '/out/net_float16.tflite', undefined],
    ]);
    expect(idOf(run({ io: 'uint8' }))[0][0]).toBe('int8-uint8-tflite');
  });

  it('goes on from what the file was made with', () => {
    const conv = { match: 'conv_1', precision: 'float32' } as const;
    const dense = { match: 'dense', precision: 'float32' } as const;
    const base = { ...project, overrides: [conv], samples: 7 };
    expect(run({ overrides: [dense] }, base).recipe).toMatchObject({ overrides: [conv, dense], samples: 7 });
  });

  it('that changes nothing is refused', () => {
    expect(() => run({ precision: 'int8', io: 'float32' })).toThrow(/made that way already/);
    expect(() => run({})).toThrow(/made that way already/);
  });
});
