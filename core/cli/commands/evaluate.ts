import { createEngines } from '../../runtime/engines.ts';
import { evaluateModels } from '../../studio/evaluate-models.ts';
import { formatTable } from '../format.ts';
import { type CommandContext, exitCodes, printJson } from '../io.ts';
import { createProgressBar } from '../progress-bar.ts';
import { readPreprocess } from '../recipe-file.ts';

export async function evaluate(
  models: string[],
  options: { data: string; reference?: string; preprocess?: string; json?: boolean },
  { io, signal }: CommandContext,
): Promise<number> {
  const bar = createProgressBar(io);
  const preprocess = options.preprocess === undefined ? undefined : await readPreprocess(options.preprocess);
  try {
    const report = await evaluateModels(
      { models, data: options.data, reference: options.reference, preprocess },
      { engines: createEngines(), signal, onProgress: (update) => bar.update(update) },
    );
    bar.clear();
    const percent = (share: number | undefined): string =>
      share === undefined ? '–' : `${(share * 100).toFixed(2)} %`;
    const rows = report.results.map(({ path, quality }) => [
      path,
      String(quality.samples),
      quality.sqnrDb === undefined ? '–' : quality.sqnrDb === null ? 'exact' : quality.sqnrDb.toFixed(1),
      percent(quality.top1Agreement),
      percent(quality.accuracy),
    ]);
    io.err(formatTable([['model', 'samples', 'SQNR dB', 'agreement', 'accuracy'], ...rows]));
    if (options.json) await printJson(io, report);
    return exitCodes.done;
  } finally {
    bar.clear();
  }
}
