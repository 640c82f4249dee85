/** Worker of `conformance:corpus`, `conformance:layers` and `conformance:keras`: one model file against outputs that its maker computed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WhittleError } from '../../core/contract/errors.ts';
import { Recipe } from '../../core/contract/views.ts';
import { adaptFeeds, adaptResults, type PortAdapters } from '../../core/evaluate/port-adapters.ts';
import { isFloat } from '../../core/ir/dtype.ts';
import { elementCount, type Tensor, toFloat32 } from '../../core/ir/tensor.ts';
import { prepareForTflite } from '../../core/passes/pipeline.ts';
import { createEngines } from '../../core/runtime/engines.ts';
import { portAdaptersOf } from '../../core/studio/open-written-file.ts';
import { optimize } from '../../core/studio/optimize.ts';
import { readSource, requireGraph } from '../../core/studio/source-model.ts';
import { readNpz } from '../bench/arrays.ts';
import { serveCases } from './isolate.ts';

export interface ModelPort {
  readonly name: string;
  readonly key: string;
}

export interface ModelJob {
  readonly path: string;
  readonly folder: string;
  /** Concrete shapes; also the shape of each run's feed. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly inputs: readonly ModelPort[];
  /** Keys of the expected arrays, in the order of the model's outputs; with the model's name where that is known. */
  readonly outputs: readonly { readonly key: string; readonly name?: string }[];
  /** Runs to compare. */
  readonly runs: number;
  /** Samples that one run takes. */
  readonly batch: number;
  /** Samples for the gates of the written files; else random numbers are fed. */
  readonly data?: string;
}

export interface FormatResult {
  /** Over all outputs of all runs; null when every number is the same. */
  readonly sqnrDb: number | null;
  readonly integersEqual: boolean;
  /** Largest difference, by expected key. */
  readonly largest: Readonly<Record<string, number>>;
  readonly operators: number;
  readonly transposes: number;
  readonly status: string;
  readonly words: string;
}

export type ModelResult =
  | { readonly refused: string; readonly code: string }
  | { readonly formats: Readonly<Record<'tflite' | 'onnx', FormatResult>> };

const engines = createEngines();

/** `count` rows from `first` on, in a shape of their own. */
function rows(array: Tensor, first: number, count: number, shape: readonly number[]): Tensor {
  const bytes = array.bytes.byteLength / array.shape[0];
  return { dtype: array.dtype, shape, bytes: array.bytes.slice(first * bytes, (first + count) * bytes) };
}

async function compareFile(
  path: string,
  format: 'tflite' | 'onnx',
  adapters: PortAdapters,
  job: ModelJob,
  inputNames: readonly string[],
  outputNames: readonly string[],
): Promise<Omit<FormatResult, 'operators' | 'transposes' | 'status' | 'words'>> {
  const samples = await readNpz(join(job.folder, 'samples.npz'));
  const expected = await readNpz(join(job.folder, 'expected.npz'));
  const session = await (format === 'tflite' ? engines.litert : engines.ort).open(path);
  let [signal, noise, integersEqual] = [0, 0, true];
  const largest: Record<string, number> = {};
  try {
    for (let run = 0; run < job.runs; run++) {
      const sample = Object.fromEntries(
        job.inputs.map(({ name, key }, i) => [
          inputNames[i],
          rows(samples[key], run * job.batch, job.batch, job.shapes[name]),
        ]),
      );
      const results = adaptResults(
        session.outputs,
        await session.run(adaptFeeds(session.inputs, sample, adapters)),
        adapters,
      );
      for (const [i, { key }] of job.outputs.entries()) {
        const whole = expected[key];
        const count = whole.shape.length === 0 ? 1 : job.batch;
        const wanted = toFloat32(
          rows(whole, run * job.batch, count, [elementCount(whole.shape.slice(1)) * count]),
        );
        const { values } = results[outputNames[i]];
        if (values.length !== wanted.length)
          throw new Error(`${key} has ${values.length} elements, not ${wanted.length}`);
        for (let k = 0; k < wanted.length; k++) {
          if (wanted[k] === values[k] || (Number.isNaN(wanted[k]) && Number.isNaN(values[k]))) {
            signal += Number.isFinite(wanted[k]) ? wanted[k] ** 2 : 0;
            continue;
          }
          if (!isFloat(whole.dtype)) integersEqual = false;
          signal += wanted[k] ** 2;
          noise += (wanted[k] - values[k]) ** 2;
          largest[key] = Math.max(largest[key] ?? 0, Math.abs(wanted[k] - values[k]));
        }
      }
    }
  } finally {
    await session.close();
  }
  return { sqnrDb: noise === 0 ? null : 10 * Math.log10(signal / noise), integersEqual, largest };
}

async function convert(job: ModelJob): Promise<ModelResult> {
  const outDir = mkdtempSync(join(tmpdir(), 'whittle-conformance-'));
  try {
    const recipe = Recipe.parse({ precisions: ['float32'], formats: ['tflite', 'onnx'], shapes: job.shapes });
    const report = await optimize(
      { path: job.path, recipe, outDir, data: job.data ? { paths: [job.data] } : undefined },
      { engines, signal: new AbortController().signal },
    );
    const graph = requireGraph(await readSource(job.path, recipe));
    const forTflite = portAdaptersOf(prepareForTflite(graph, { layout: 'nhwc' }));
    // Some tools call a port by its tensor, where the file's signature has a name of its own.
    const inputNames = job.inputs.map(({ name }, i) =>
      graph.inputs.includes(name) ? name : graph.inputs[i],
    );
    const names = job.outputs.map(({ name }, i) =>
      name !== undefined && graph.outputs.includes(name) ? name : graph.outputs[i],
    );
    const formats: Record<string, FormatResult> = {};
    for (const artifact of report.artifacts) {
      const format = artifact.format as 'tflite' | 'onnx';
      const gates = artifact.gates.filter(({ ok }) => !ok).map(({ id, detail }) => `${id}: ${detail}`);
      const shared = {
        operators: Object.values(artifact.operators).reduce((sum, count) => sum + count, 0),
        transposes: artifact.operators.TRANSPOSE ?? artifact.operators.Transpose ?? 0,
        status: artifact.status,
        words: [artifact.error?.message, ...gates].filter(Boolean).join('; '),
      };
      const figures =
        artifact.path === ''
          ? { sqnrDb: Number.NEGATIVE_INFINITY, integersEqual: false, largest: {} }
          : await compareFile(
              artifact.path,
              format,
              format === 'tflite' ? forTflite : {},
              job,
              inputNames,
              names,
            );
      formats[format] = { ...figures, ...shared };
    }
    return { formats: formats as Record<'tflite' | 'onnx', FormatResult> };
  } catch (error) {
    if (!(error instanceof WhittleError)) throw error;
    return { refused: error.message, code: error.code };
  } finally {
    rmSync(outDir, { recursive: true, force: true });
  }
}

serveCases<ModelJob, ModelResult>(async (job) => {
  try {
    return await convert(job);
  } catch (error) {
    if (error instanceof WhittleError) return { refused: error.message, code: error.code };
    return { refused: `${error instanceof Error ? error.stack : error}`, code: 'internal' };
  }
});
