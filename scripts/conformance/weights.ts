/**
 * Every operator that has weights, alone in a small model, in every precision and both formats: each file runs in its
 * runtime within the error expected of the precision, or says by a note why the operator keeps its numbers.
 * `npm run conformance:weights [-- NAME]` for the operators whose name begins so.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { precisions } from '../../core/contract/choices.ts';
import { type ArtifactView, type Precision, Recipe } from '../../core/contract/views.ts';
import { npy, npz } from '../../core/data/fixtures/make-arrays.ts';
import { writeOnnx } from '../../core/formats/onnx/writer.ts';
import { GraphBuilder } from '../../core/ir/builder.ts';
import type { Attrs, Value } from '../../core/ir/graph.ts';
import { elementCount, floatTensor } from '../../core/ir/tensor.ts';
import { mulberry32 } from '../../core/kernels/random.ts';
import { inferTypes } from '../../core/ops/registry.ts';
import { createEngines } from '../../core/runtime/engines.ts';
import { optimize } from '../../core/studio/optimize.ts';

interface Row {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype?: 'int64';
  make(builder: GraphBuilder, x: Value): Value;
}

/** SQNR in dB that single operators on evenly spread numbers reach, less a margin: about 6 dB for each bit. */
const leastDb: Readonly<Record<Exclude<Precision, 'auto'>, number>> = {
  float32: 100,
  float16: 65,
  'dynamic-int8': 35,
  'weights-int8': 40,
  'weights-int4': 18,
  int8: 32,
  int16x8: 40,
};
/** From so many dB on, nothing was rounded. */
const exact = leastDb.float32;
const samples = 16;

const next = mulberry32(7);
const numbers = (shape: readonly number[], scale = 1) =>
  floatTensor(
    shape,
    Float32Array.from({ length: elementCount(shape) }, () => (next() * 2 - 1) * scale),
  );

function weights(builder: GraphBuilder, shape: readonly number[]): Value {
  return builder.constant('w', numbers(shape, 0.3));
}

/** A convolution with weights `[M, C/group, …]`, or a transposed one with `[C, M/group, …]`; channels first. */
function conv(name: string, shape: readonly number[], kernel: readonly number[], attrs: Attrs = {}): Row {
  const isTransposed = name.startsWith('ConvTranspose');
  const axes = kernel.length - 2;
  const each = (value: number) => new Array<number>(axes).fill(value);
  const group = Number(attrs.group ?? 1);
  return {
    name,
    shape,
    make: (builder, x) =>
      builder.one(
        isTransposed ? 'ConvTranspose' : 'Conv',
        [
          x,
          weights(builder, kernel),
          builder.constant('b', numbers([isTransposed ? kernel[1] * group : kernel[0]])),
        ],
        {
          layout: 'NCHW',
          strides: each(1),
          dilations: each(1),
          pads: [...each(isTransposed ? 0 : 1), ...each(isTransposed ? 0 : 1)],
          group,
          activation: 'none',
          ...(isTransposed && { outputPadding: each(0) }),
          ...attrs,
        },
        { name: 'op' },
      ),
  };
}

/** An operator over x and a constant. */
function plain(
  name: string,
  op: string,
  shape: readonly number[],
  constant: readonly number[],
  attrs: Attrs = {},
  isFirst = false,
): Row {
  const make: Row['make'] = (builder, x) => {
    const w = weights(builder, constant);
    return builder.one(op, isFirst ? [w, x] : [x, w], attrs, { name: 'op' });
  };
  return { name, shape, make };
}

const unfused: Attrs = { activation: 'none' };
const rows: readonly Row[] = [
  conv('Conv 1-D', [1, 16, 20], [32, 16, 3]),
  conv('Conv 2-D', [1, 8, 9, 9], [16, 8, 3, 3], { activation: 'relu' }),
  conv('Conv 2-D, dilated', [1, 8, 9, 9], [16, 8, 3, 3], { dilations: [2, 2], pads: [2, 2, 2, 2] }),
  conv('Conv 2-D, in groups', [1, 16, 9, 9], [32, 8, 3, 3], { group: 2 }),
  conv('Conv 2-D, depthwise', [1, 48, 9, 9], [48, 1, 5, 5], { group: 48, pads: [2, 2, 2, 2] }),
  conv('Conv 2-D, two filters per channel', [1, 24, 9, 9], [48, 1, 5, 5], { group: 24, pads: [2, 2, 2, 2] }),
  conv('Conv 1-D, depthwise', [1, 128, 40], [128, 1, 9], { group: 128, pads: [4, 4] }),
  conv('Conv 3-D', [1, 8, 5, 5, 5], [8, 8, 3, 3, 3]),
  conv('Conv 3-D, strided', [1, 8, 5, 5, 5], [8, 8, 3, 3, 3], { strides: [2, 1, 2], activation: 'relu' }),
  conv('ConvTranspose 1-D', [1, 16, 9], [16, 32, 3], { strides: [2] }),
  conv('ConvTranspose 2-D', [1, 8, 5, 5], [8, 16, 3, 3], { strides: [2, 2] }),
  conv('ConvTranspose 2-D, in groups', [1, 16, 5, 5], [16, 8, 3, 3], { strides: [2, 2], group: 2 }),
  conv('ConvTranspose 2-D, dilated', [1, 8, 5, 5], [8, 16, 3, 3], { dilations: [2, 2] }),
  conv('ConvTranspose 3-D', [1, 8, 4, 4, 4], [8, 8, 3, 3, 3], { strides: [2, 2, 2] }),
  plain('FullyConnected', 'FullyConnected', [1, 64], [32, 64], unfused),
  plain('FullyConnected, rank 3', 'FullyConnected', [1, 5, 64], [32, 64], unfused),
  plain('MatMul', 'MatMul', [1, 5, 64], [64, 32]),
  plain('MatMul, weights first', 'MatMul', [1, 64, 5], [32, 64], {}, true),
  plain('MatMul, weights per batch', 'MatMul', [1, 3, 5, 32], [3, 32, 24]),
  plain('Gemm', 'Gemm', [4, 64], [64, 32], { alpha: 0.5, beta: 1, transA: false, transB: false }),
  plain('PRelu', 'PRelu', [1, 32, 9, 9], [32, 1, 1]),
  plain('PRelu per element', 'PRelu', [1, 16, 9, 9], [16, 9, 9]),
  plain('Add', 'Add', [1, 16, 9, 9], [1, 16, 9, 9], unfused),
  plain('Mul', 'Mul', [1, 16, 9, 9], [1, 16, 9, 9], unfused),
  plain('Concat', 'Concat', [1, 16, 9, 9], [1, 16, 9, 9], { axis: 1 }),
  {
    ...plain('Gather from a table', 'Gather', [1, 12], [50, 32], { axis: 0 }, true),
    dtype: 'int64',
  },
];

/** What is wrong with a file; undefined where nothing is. */
function faultOf(
  { status, precision, quality, gates, error, warnings }: ArtifactView,
  stays: boolean,
): string | undefined {
  if (status !== 'ok') return error?.message ?? gates.find(({ ok }) => !ok)?.detail ?? 'failed';
  const sqnrDb = quality?.sqnrDb ?? Number.POSITIVE_INFINITY;
  const least = leastDb[precision as keyof typeof leastDb];
  if (sqnrDb < least) return `SQNR ${sqnrDb.toFixed(1)} dB, below ${least}`;
  const isQuiet = stays && !warnings.some(({ code }) => code.startsWith('quantize.'));
  return isQuiet ? 'it keeps its numbers, and nothing says so' : undefined;
}

async function check({ name, shape, dtype, make }: Row, folder: string): Promise<string[]> {
  const builder = new GraphBuilder(name, inferTypes);
  const y = make(builder, builder.input('x', { dtype: dtype ?? 'float32', shape }));
  const path = join(folder, 'model.onnx');
  await writeFile(path, writeOnnx(builder.finish([y.id], { format: 'onnx', opset: 17 })));
  const count = samples * elementCount(shape);
  const array = dtype
    ? npy(
        '<i8',
        [samples, ...shape],
        BigInt64Array.from({ length: count }, () => BigInt(Math.floor(next() * 50))),
      )
    : npy(
        '<f4',
        [samples, ...shape],
        Float32Array.from({ length: count }, () => next() * 2 - 1),
      );
  const data = join(folder, 'samples.npz');
  await writeFile(data, npz({ x: array }));
  const recipe = Recipe.parse({
    precisions: precisions.filter((precision) => precision !== 'auto'),
    formats: ['tflite', 'onnx'],
    samples,
  });
  const request = { path, recipe, data: { paths: [data] }, outDir: join(folder, 'out'), force: true };
  const { artifacts } = await optimize(request, { engines, signal: new AbortController().signal });
  return artifacts.flatMap((artifact) => {
    const stays = artifact.precision !== 'float32' && (artifact.quality?.sqnrDb ?? exact) >= exact;
    const fault = faultOf(artifact, stays);
    return fault ? [`${artifact.precision} .${artifact.format}: ${fault}`] : [];
  });
}

const engines = createEngines();
const folder = await mkdtemp(join(tmpdir(), 'whittle-weights-'));
const wanted = rows.filter(({ name }) => name.startsWith(process.argv[2] ?? ''));
let failed = 0;
try {
  for (const row of wanted) {
    const faults = await check(row, folder);
    if (faults.length > 0) failed++;
    process.stdout.write(
      `${faults.length > 0 ? 'FAIL' : 'ok  '} ${row.name}\n${faults.map((fault) => `       ${fault}\n`).join('')}`,
    );
  }
} finally {
  await rm(folder, { recursive: true });
}
process.stdout.write(`${wanted.length - failed} of ${wanted.length} operators\n`);
process.exitCode = failed > 0 ? 1 : 0;
