/** Worker of `conformance:delegate`: converts one model in one way and compares predicted and real partitions. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WhittleError } from '../../core/contract/errors.ts';
import { Recipe } from '../../core/contract/views.ts';
import { viewModel } from '../../core/formats/tflite/model-view.ts';
import { randomFeeds } from '../../core/profile/feeds.ts';
import { partitionOfRun } from '../../core/profile/partition-of-run.ts';
import { createEngines } from '../../core/runtime/engines.ts';
import { optimize } from '../../core/studio/optimize.ts';
import { mainSubgraph, predict } from '../../core/targets/predict.ts';
import { xnnpack } from '../../core/targets/xnnpack.ts';
import { serveCases } from './isolate.ts';

export interface DelegateJob {
  readonly path: string;
  /** Absent for a .tflite that is taken as it is. */
  readonly recipes?: readonly (Partial<Recipe> & { readonly name: string })[];
  readonly data?: string;
}

export interface FileVerdict {
  readonly recipe: string;
  readonly nodes: number;
  readonly taken: number;
  readonly parts: number;
  readonly realParts: number;
  /** Each operator where prediction and runtime disagree, in words. */
  readonly wrong: readonly string[];
  /** Why there is no verdict. */
  readonly failed?: string;
}

const engines = createEngines();

async function compare(recipe: string, path: string): Promise<FileVerdict> {
  const model = viewModel(readFileSync(path));
  const { operators, tensors } = mainSubgraph(model);
  const predicted = predict(model, xnnpack);
  const session = await engines.litert.open(path, { threads: 1, profile: true });
  try {
    await session.time(randomFeeds(session.inputs), 2);
    const { builtin, delegated } = partitionOfRun(await session.operatorTimes!());
    const wrong = operators.flatMap((operator, index) => {
      if (predicted.taken.has(index) !== builtin.has(index)) return [];
      const name = `${index} ${operator.custom ?? operator.builtin} ${tensors[operator.outputs[0]].name}`;
      const { reason } = predicted.refused.find((node) => node.index === index) ?? {};
      return [builtin.has(index) ? `${name}: XNNPACK left it` : `${name}: XNNPACK took it, not "${reason}"`];
    });
    return {
      recipe,
      nodes: operators.length,
      taken: predicted.taken.size,
      parts: predicted.parts.filter(({ taken }) => taken).length,
      realParts: delegated,
      wrong,
    };
  } finally {
    await session.close();
  }
}

const none = { nodes: 0, taken: 0, parts: 0, realParts: 0, wrong: [] };
const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function verdictOf(recipe: string, path: string): Promise<FileVerdict> {
  try {
    return await compare(recipe, path);
  } catch (error) {
    return { recipe, ...none, failed: words(error) };
  }
}

serveCases<DelegateJob, FileVerdict[]>(async ({ path, recipes, data }) => {
  if (!recipes) return [await verdictOf('as it is', path)];
  const verdicts: FileVerdict[] = [];
  for (const { name, ...choices } of recipes) {
    const outDir = mkdtempSync(join(tmpdir(), 'whittle-delegate-'));
    try {
      const recipe = Recipe.parse({ formats: ['tflite'], samples: 4, ...choices });
      const { artifacts } = await optimize(
        { path, recipe, outDir, data: data === undefined ? undefined : { paths: [data] } },
        { engines, signal: new AbortController().signal },
      );
      for (const { precision, path: file, error } of artifacts) {
        const label = `${precision}${name}`;
        if (file !== '') verdicts.push(await verdictOf(label, file));
        else verdicts.push({ recipe: label, ...none, failed: error?.message ?? 'it was not made' });
      }
    } catch (error) {
      if (!(error instanceof WhittleError)) throw error;
      verdicts.push({ recipe: name, ...none, failed: error.message });
    } finally {
      rmSync(outDir, { recursive: true, force: true });
    }
  }
  return verdicts;
});
