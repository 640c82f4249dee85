import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { npy, npz, ramp } from '../data/fixtures/make-arrays.ts';
import { writeOnnx } from '../formats/onnx/writer.ts';
import { GraphBuilder } from '../ir/builder.ts';
import { floatTensor } from '../ir/tensor.ts';
import { inferTypes } from '../ops/registry.ts';
import { findSample } from '../studio/places.ts';
import { runCli } from './program.ts';

let folder: string;
let model: string;
let open: string;
let samples: string;

/** A dense layer with a softmax: 8 inputs, 4 classes. What stands before them may be open. */
function tinyModel(...shape: (number | string)[]): Uint8Array {
  const builder = new GraphBuilder('tiny', inferTypes);
  const x = builder.input('x', { dtype: 'float32', shape: [...shape, 8] });
  const weights = builder.constant(
    'w',
    floatTensor(
      [4, 8],
      Array.from({ length: 32 }, (_unused, i) => Math.sin(i * 7)),
    ),
  );
  const bias = builder.constant('b', floatTensor([4], [0.1, -0.2, 0.3, 0]));
  const dense = builder.one('FullyConnected', [x, weights, bias], { activation: 'none' }, { name: 'dense' });
  const y = builder.one('Softmax', [dense], { axis: shape.length }, { name: 'probabilities' });
  return writeOnnx(builder.finish([y.id], { format: 'onnx', opset: 13 }));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whittle-cli-'));
  model = join(folder, 'tiny.onnx');
  open = join(folder, 'open.onnx');
  samples = join(folder, 'samples.npz');
  await writeFile(model, tinyModel(1));
  await writeFile(open, tinyModel('N'));
  const x = Float32Array.from(ramp(160), (value) => Math.sin(value * 3));
  await writeFile(samples, npz({ x: npy('<f4', [20, 8], x) }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function whittle(...args: string[]) {
  let out = '';
  let err = '';
  const code = await runCli(args, {
    out: async (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    isTerminal: false,
  });
  return { code, out, err, json: () => JSON.parse(out) };
}

test.each([
  ['no command', []],
  ['an unknown command', ['shrink', 'x']],
  ['an unknown option', ['inspect', 'x', '--loud']],
  ['a missing argument', ['inspect']],
  ['no precision', ['optimize', 'x']],
  ['an unknown precision', ['optimize', 'x', '--precision', 'int7']],
  ['a shape that is none', ['inspect', 'x', '--shape', 'x=1xN']],
  ['a value that is none', ['inspect', 'x', '--fix', 'rate=fast']],
  ['no samples at all', ['optimize', 'x', '--precision', 'int8', '--samples', '0']],
  ['a port that is none', ['serve', '--port', '70000']],
])('%s: exit code 2, nothing on stdout', async (_name, args) => {
  const { code, out, err } = await whittle(...args);
  expect([code, out]).toEqual([2, '']);
  expect(err).not.toBe('');
});

test('wrong usage with --json is a JSON document too', async () => {
  const { code, json } = await whittle('inspect', '--json');
  expect(code).toBe(2);
  expect(json()).toMatchObject({ error: { code: 'usage', message: expect.stringContaining('model') } });
});

test.each(['--help', 'optimize --help', '--version'])('%s: exit code 0', async (line) => {
  const args = line.split(' ');
  const { code, out } = await whittle(...args);
  expect(code).toBe(0);
  expect(out).not.toBe('');
});

test('inspect', async () => {
  const { code, json, err } = await whittle('inspect', model, '--json');
  expect(code).toBe(0);
  expect(json()).toMatchObject({
    source: { format: 'onnx', inputs: [{ name: 'x', dtype: 'float32', shape: [1, 8] }], parameters: 36 },
    graph: { dynamicDims: [], quantized: false },
    support: { tflite: { ok: true, missing: [] }, onnx: { ok: true } },
  });
  expect(err).toContain('tiny.onnx');
});

test('optimize writes verified files, and the same ones again', async () => {
  const out = join(folder, 'out');
  const args = [
    'optimize',
    model,
    '--precision',
    'float32,float16,int8',
    '--data',
    samples,
    '--format',
    'tflite,onnx',
    '--json',
  ];
  const first = await whittle(...args, '--out', out);
  expect(first.err).toContain('int8');
  const report = first.json();
  const table = report.artifacts.map((artifact: Record<string, unknown>) => [
    artifact.precision,
    artifact.format,
    artifact.status,
  ]);
  expect(table).toEqual(
    ['float32', 'float16', 'int8'].flatMap((precision) =>
      ['tflite', 'onnx'].map((format) => [precision, format, 'ok']),
    ),
  );
  expect(first.code).toBe(0);
  expect(report.timingsMs.total).toBeGreaterThan(0);
  for (const artifact of report.artifacts) {
    expect((await stat(artifact.path)).size).toBe(artifact.sizeBytes);
    expect(artifact.quality.samples).toBe(20);
    expect(artifact.latency.medianMs).toBeGreaterThan(0);
  }
  const again = (await whittle(...args, '--out', join(folder, 'again'))).json();
  const hashes = (of: typeof report) => of.artifacts.map((artifact: { sha256: string }) => artifact.sha256);
  expect(hashes(again)).toEqual(hashes(report));

  const refused = await whittle(...args, '--out', out);
  expect(refused.code).toBe(1);
  expect(refused.json()).toMatchObject({
    error: { code: 'file.exists', hint: expect.stringContaining('--force') },
  });
  expect((await whittle(...args, '--out', out, '--force')).code).toBe(0);

  const html = join(folder, 'report.html');
  const compared = await whittle('compare', out, '--report', html, '--json');
  expect(compared.code).toBe(0);
  expect(compared.json().rows).toHaveLength(7);
  expect(await readFile(html, 'utf8')).toContain('tiny.onnx');
  expect((await whittle('compare', out, '--report', html)).code).toBe(1);
});

test('a budget that is not met: exit code 3, the file is there', async () => {
  const out = join(folder, 'budget');
  const { code, json } = await whittle(
    'optimize',
    model,
    '--precision',
    'float16',
    '--max-size',
    '10',
    '--out',
    out,
    '--json',
  );
  expect(code).toBe(3);
  expect(json().artifacts[0]).toMatchObject({
    status: 'ok',
    warnings: expect.arrayContaining([expect.objectContaining({ code: 'budget.size' })]),
  });
});

interface Failure {
  name: string;
  args: () => string[];
  code: string;
  says: string[];
}

const failures: Failure[] = [
  {
    name: 'no such file',
    args: () => [join(folder, 'none.onnx'), '--precision', 'float16'],
    code: 'file.not-found',
    says: ['none.onnx'],
  },
  {
    name: 'int8 without samples',
    args: () => [model, '--precision', 'int8'],
    code: 'data.missing',
    says: ['int8', 'samples'],
  },
  {
    name: 'samples of another shape',
    args: () => [model, '--precision', 'int8', '--data', join(folder, 'wrong.npz')],
    code: 'data.mismatch',
    says: ['float32 [1, 8]', '[5] per sample'],
  },
  {
    name: 'a cut model',
    args: () => [join(folder, 'cut.onnx'), '--precision', 'float16'],
    code: 'format.damaged',
    says: ['cut.onnx'],
  },
  {
    name: 'not a model',
    args: () => [join(folder, 'notes.h5'), '--precision', 'float16'],
    code: 'format.',
    says: ['notes.h5'],
  },
  {
    name: 'a recipe that is none',
    args: () => [model, '--recipe', join(folder, 'recipe.json')],
    code: 'recipe.invalid',
    says: ['samples', 'colour'],
  },
];

beforeAll(async () => {
  await writeFile(join(folder, 'wrong.npz'), npz({ x: npy('<f4', [4, 5], ramp(20)) }));
  await writeFile(join(folder, 'cut.onnx'), tinyModel(1).subarray(0, 150));
  await writeFile(join(folder, 'notes.h5'), 'shopping list');
  await writeFile(
    join(folder, 'recipe.json'),
    JSON.stringify({ precisions: ['int8'], samples: -1, colour: 'red' }),
  );
});

test.each(failures)('$name: exit code 1, a JSON error, nothing written', async ({ args, code, says }) => {
  const out = join(folder, 'failed');
  const result = await whittle('optimize', ...args(), '--out', out, '--json');
  expect(result.code).toBe(1);
  const { error } = result.json();
  expect(error.code).toContain(code);
  for (const text of says) expect(error.message).toContain(text);
  expect(result.err).toContain(`error ${error.code}`);
  expect(await readdir(out).catch(() => [])).toEqual([]);
});

test('an open batch becomes 1; --shape says otherwise', async () => {
  const shapeOf = async (...more: string[]) =>
    (await whittle('inspect', open, '--json', ...more)).json().source.inputs[0].shape;
  expect(await shapeOf()).toEqual([1, 8]);
  expect(await shapeOf('--shape', 'x=3x8')).toEqual([3, 8]);
});

test('inspect says what needs open dimensions fixed', async () => {
  const kept = await whittle('inspect', open, '--json');
  expect(kept.json().dynamic).toEqual({ dims: ['x[0]: N'], stops: [], isKnown: true });
  const sample = findSample('digits')!;
  const flat = await whittle('inspect', join(sample, 'digits.h5'), '--json');
  expect(flat.json().dynamic).toMatchObject({ stops: [{ node: 'flatten', op: 'Reshape' }], isKnown: true });
  expect(flat.err).toContain('flatten (Reshape)');
});

test('samples settle open dimensions, --shape goes before them', async () => {
  const path = join(folder, 'series.onnx');
  await writeFile(path, tinyModel('N', 'steps'));
  const series = join(folder, 'series.npz');
  await writeFile(series, npz({ x: npy('<f4', [6, 3, 8], ramp(144)) }));
  const run = (...more: string[]) =>
    whittle('optimize', path, '--precision', 'float16', '--out', join(folder, 'series'), '--json', ...more);
  expect((await run()).json().error.code).toBe('model.dynamic-dims');
  const settled = (await run('--data', series)).json();
  expect(settled.source.inputs[0].shape).toEqual([1, 3, 8]);
  expect(settled.recipe.shapes).toEqual({ x: [1, 3, 8] });
  const given = (await run('--data', series, '--shape', 'x=1x4x8', '--force')).json();
  expect(given.error).toMatchObject({ code: 'data.mismatch' });
});

test('setup cuda says what is to be done, and downloads nothing', async () => {
  const { code, err, json } = await whittle('setup', 'cuda', '--json');
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    expect([code, json().error.code]).toEqual([1, 'runtime.missing']);
    return;
  }
  expect(code).toBe(0);
  expect(json()).toMatchObject({ command: expect.stringContaining('--onnxruntime-node-install=cuda12') });
  if (!json().isFetched) expect(err).toContain('--fetch');
  expect((await whittle('setup', 'rocm')).code).toBe(2);
});

test('evaluate and profile measure what was written', async () => {
  const out = join(folder, 'measured');
  await whittle('optimize', model, '--precision', 'float32', '--out', out);
  const file = join(out, 'tiny_float32.tflite');
  const evaluated = await whittle('evaluate', file, '--reference', model, '--data', samples, '--json');
  expect(evaluated.code).toBe(0);
  expect(evaluated.json().results).toMatchObject([
    { path: file, quality: { samples: 20, top1Agreement: 1 } },
  ]);
  const profiled = await whittle('profile', file, '--runs', '20', '--json');
  expect(profiled.code).toBe(0);
  expect(profiled.json().results).toMatchObject([{ path: file, device: 'cpu', runs: 20 }]);
  expect((await whittle('profile', file, '--engine', 'ort')).code).toBe(2);

  const inTurn = await whittle(
    'profile',
    file,
    model,
    '--runs',
    '20',
    '--per-op',
    '--threads',
    '1',
    '--json',
  );
  const { results, comparisons } = inTurn.json();
  expect(comparisons).toMatchObject([{ a: file, b: model, rounds: expect.any(Number) }]);
  expect(comparisons[0].low).toBeLessThanOrEqual(comparisons[0].ratio);
  expect(comparisons[0].high).toBeGreaterThanOrEqual(comparisons[0].ratio);
  expect(inTurn.err).toContain(comparisons[0].words);
  for (const { roofline, perOp, machine, medianMs } of results) {
    expect(machine.cores).toBeGreaterThan(0);
    expect(roofline.gflopPerS).toBeGreaterThan(1);
    expect(roofline.gbPerS).toBeGreaterThan(0.1);
    expect(perOp.length).toBeGreaterThan(0);
    expect(medianMs).toBeGreaterThan(0);
  }
});

test('Ctrl-C: exit code 130, nothing half-written', async () => {
  const out = join(folder, 'cancelled');
  const sample = findSample('digits')!;
  const running = whittle(
    'optimize',
    join(sample, 'digits.h5'),
    '--precision',
    'float32,float16,int8',
    '--data',
    join(sample, 'samples.npz'),
    '--out',
    out,
    '--json',
  );
  setTimeout(() => process.emit('SIGINT'), 150);
  const { code, json } = await running;
  expect(code).toBe(130);
  expect(json()).toMatchObject({ error: { code: 'job.cancelled' } });
  const left = await readdir(out).catch(() => [] as string[]);
  expect(left.filter((name) => name.endsWith('.partial') || name.endsWith('.json'))).toEqual([]);
});

test('compare weighs models that are more than one file', async () => {
  const fixtures = fileURLToPath(new URL('../formats/graphdef/fixtures/', import.meta.url));
  const { json } = await whittle(
    'compare',
    join(fixtures, 'cnn_keras'),
    join(fixtures, 'cnn_tfjs/model.json'),
    '--json',
  );
  const sizes = await Promise.all(['cnn_keras', 'cnn_tfjs'].map((name) => bytesBelow(join(fixtures, name))));
  expect(json().rows.map((row: { sizeBytes: number }) => row.sizeBytes)).toEqual(sizes);
});

async function bytesBelow(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async (file) => (await stat(join(file.parentPath, file.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
