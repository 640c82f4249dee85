import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Recipe, type SourceView } from '../../contract/views.ts';
import { writePythonScript } from './python-script.ts';

const source: SourceView = {
  path: '/models/digits "2".h5',
  name: 'digits "2".h5',
  format: 'keras-h5',
  version: 'Keras 3.15.1',
  sizeBytes: 1,
  sha256: '',
  operators: 1,
  parameters: 1,
  macs: 1,
  inputs: [{ name: 'image\\"1', dtype: 'float32', shape: [1, 8, 8, 1] }],
  outputs: [],
};
const onnxSource: SourceView = { ...source, name: 'digits.onnx', format: 'onnx', version: 'opset 17' };

const scripts = {
  keras: writePythonScript(
    Recipe.parse({ precisions: ['float16', 'int8', 'auto'], io: 'uint8', pureInteger: true }),
    source,
  ),
  onnx: writePythonScript(
    Recipe.parse({
      precisions: ['float32', 'dynamic-int8', 'int8', 'int16x8'],
      formats: ['onnx'],
      onnxForm: 'tensorrt',
      calibration: 'moving-average',
      overrides: [
        { match: 'block[1]/*', op: 'Conv', precision: 'float32' },
        { op: 'Add', calibration: 'mse' },
      ],
      preprocess: { fit: 'crop', colour: 'bgr', mean: [127.5], scale: [127.5], layout: 'NHWC' },
    }),
    onnxSource,
  ),
  both: writePythonScript(
    Recipe.parse({ precisions: ['int8', 'float16'], formats: ['tflite', 'onnx'], calibration: 'mse' }),
    { ...source, version: 'Keras 2.15.0', inputs: [{ name: 'x', dtype: 'float32', shape: [1, 40] }] },
  ),
  savedModel: writePythonScript(Recipe.parse({ precisions: ['dynamic-int8'] }), {
    ...source,
    format: 'savedmodel',
  }),
};

describe('a recipe as a Python script', () => {
  it.each(Object.entries(scripts))('is the text that was agreed on (%s)', (name, { text }) => {
    const golden = join(dirname(fileURLToPath(import.meta.url)), 'fixtures', `${name}.txt`);
    if (process.env.UPDATE_GOLDEN) writeFileSync(golden, text);
    expect(text).toBe(readFileSync(golden, 'utf8'));
  });

  it('says what its tools cannot do', () => {
    expect(scripts.keras.notes).toEqual(["TensorFlow's converter has no auto: that .tflite is not made."]);
    expect(scripts.onnx.notes).toEqual([
      'Of the overrides only those that keep an operator in float32 are carried out for ONNX.',
    ]);
    expect(scripts.both.notes.join(' ')).toMatch(/not by mse.*--onnx.*no mse/);
  });

  it('is refused where they can do nothing, or shapes are open', () => {
    const recipe = Recipe.parse({ precisions: ['int8'] });
    expect(() => writePythonScript(recipe, onnxSource)).toThrow('no file of this recipe from digits.onnx');
    const open = { ...source, inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 8] }] };
    expect(() => writePythonScript(recipe, open)).toThrow('x [batch, 8]');
  });

  const hasPython = spawnSync('python3', ['--version']).status === 0;
  it.skipIf(!hasPython)('compiles', () => {
    const folder = mkdtempSync(join(tmpdir(), 'whittle-python-'));
    try {
      const files = Object.values(scripts).map(({ text }, i) => {
        const file = join(folder, `script${i}.py`);
        writeFileSync(file, text);
        return file;
      });
      const { status, stderr } = spawnSync('python3', ['-m', 'py_compile', ...files], { encoding: 'utf8' });
      expect(stderr).toBe('');
      expect(status).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
