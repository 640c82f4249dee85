import { stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { WhittleError } from '../contract/errors.ts';
import { type Comparison, type ComparisonRow, compareReport } from '../report/comparison.ts';
import { evaluateModels } from './evaluate-models.ts';
import { profileModels } from './profile-models.ts';
import type { TaskContext } from './run-task.ts';
import { loadReport } from './saved-report.ts';
import { readSource } from './source-model.ts';

export interface CompareRequest {
  /** One folder that `optimize` wrote, or model files of which the first is the source. */
  readonly paths: readonly string[];
  readonly data?: string;
}

/**
 * Puts results side by side: from the report of a folder as it was measured, or by measuring model files now (quality
 * only with data). @throws WhittleError `usage` for a folder without report.
 */
export async function compareModels(
  request: CompareRequest,
  context: Pick<TaskContext, 'engines' | 'signal' | 'onProgress'>,
): Promise<Comparison> {
  const { paths } = request;
  if (paths.length === 1 && (await sizeOf(paths[0])) === undefined) {
    const report = await loadReport(paths[0]);
    if (report) return compareReport(report);
    throw new WhittleError('usage', `${paths[0]} has no report of a run.`, {
      hint: 'Name a folder that `whittle optimize --out` wrote, or the model files themselves.',
    });
  }
  const evaluated =
    request.data === undefined
      ? undefined
      : await evaluateModels({ models: paths, reference: paths[0], data: request.data }, context);
  const runnable = paths.filter((path) => /\.(onnx|tflite)$/i.test(path));
  const profiles = await profileModels(
    { items: runnable.map((path) => ({ path })), engine: 'auto', device: 'cpu', perOp: false },
    context,
  );
  const rows: ComparisonRow[] = [];
  for (const [i, path] of paths.entries()) {
    const profile = profiles.find((each) => each.path === path);
    rows.push({
      name: i === 0 ? 'source' : basename(path, extname(path)),
      path,
      format: extname(path).slice(1),
      sizeBytes: await modelSize(path),
      isSource: i === 0,
      quality: i === 0 ? accuracyOnly(evaluated?.results[0].quality) : evaluated?.results[i].quality,
      latencyMs: profile?.medianMs,
      engine: profile?.engine,
      notes: [],
    });
  }
  return { title: basename(paths[0]), rows };
}

function accuracyOnly(quality: ComparisonRow['quality']): ComparisonRow['quality'] {
  return quality?.accuracy === undefined ? undefined : { accuracy: quality.accuracy };
}

/** Of everything that belongs to a model: a folder, a file with weights beside it. */
async function modelSize(path: string): Promise<number> {
  const alone = /\.(tflite|h5|hdf5|keras)$/i.test(path) ? await sizeOf(path) : undefined;
  return alone ?? (await readSource(path, {})).sizeBytes;
}

/** @returns undefined for a folder. @throws WhittleError `file.not-found`. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const info = await stat(path);
    return info.isDirectory() ? undefined : info.size;
  } catch (error) {
    throw new WhittleError('file.not-found', `There is nothing at ${path}.`, { cause: error });
  }
}
