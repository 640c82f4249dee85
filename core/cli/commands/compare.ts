import { renderHtmlReport } from '../../report/html-report.ts';
import { createEngines } from '../../runtime/engines.ts';
import { compareModels } from '../../studio/compare-models.ts';
import { writeFileAside } from '../../studio/safe-files.ts';
import { digits, formatBytes, formatTable } from '../format.ts';
import { type CommandContext, exitCodes, printJson } from '../io.ts';
import { createProgressBar } from '../progress-bar.ts';

export async function compare(
  paths: string[],
  options: { data?: string; report?: string; force?: boolean; json?: boolean },
  { io, signal }: CommandContext,
): Promise<number> {
  const bar = createProgressBar(io);
  try {
    const comparison = await compareModels(
      { paths, data: options.data },
      { engines: createEngines(), signal, onProgress: (update) => bar.update(update) },
    );
    bar.clear();
    if (options.report !== undefined) {
      await writeFileAside(options.report, renderHtmlReport(comparison), {
        overwrite: options.force ?? false,
      });
      io.err(`Wrote ${options.report}\n`);
    }
    const rows = comparison.rows.map((row) => [
      row.name,
      row.format,
      row.sizeBytes === 0 ? '–' : formatBytes(row.sizeBytes),
      row.quality?.sqnrDb === undefined ? '–' : (row.quality.sqnrDb?.toFixed(1) ?? 'exact'),
      row.quality?.accuracy === undefined ? '–' : `${(row.quality.accuracy * 100).toFixed(2)} %`,
      row.latencyMs === undefined ? '–' : digits(row.latencyMs),
      row.status ?? '',
    ]);
    io.err(formatTable([['', 'format', 'size', 'SQNR dB', 'accuracy', 'latency ms', 'status'], ...rows]));
    if (options.json) await printJson(io, comparison);
    return exitCodes.done;
  } finally {
    bar.clear();
  }
}
