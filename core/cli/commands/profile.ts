import { createEngines } from '../../runtime/engines.ts';
import { type EngineChoice, profileModels } from '../../studio/profile-models.ts';
import { digits, formatTable } from '../format.ts';
import { type CommandContext, exitCodes, printJson } from '../io.ts';
import { createProgressBar } from '../progress-bar.ts';

export async function profile(
  models: string[],
  options: {
    engine: EngineChoice;
    device: string;
    threads?: number;
    runs?: number;
    perOp?: boolean;
    json?: boolean;
  },
  { io, signal }: CommandContext,
): Promise<number> {
  const bar = createProgressBar(io);
  try {
    const results = await profileModels(
      { ...options, items: models.map((path) => ({ path })), perOp: options.perOp ?? false },
      { engines: createEngines(), signal, onProgress: (update) => bar.update(update) },
    );
    bar.clear();
    const rows = results.map((result) => [
      result.path,
      result.engine,
      result.device,
      String(result.threads),
      String(result.runs),
      digits(result.medianMs),
      digits(result.p90Ms),
    ]);
    io.err(formatTable([['model', 'engine', 'device', 'threads', 'runs', 'median ms', 'p90 ms'], ...rows]));
    for (const { path, perOp } of results) {
      if (!perOp) continue;
      const ops = perOp.map((op) => [op.name, op.op, digits(op.ms), `${(op.share * 100).toFixed(1)} %`]);
      io.err(`\n${path}\n${formatTable([['operator', 'type', 'ms', 'share'], ...ops])}`);
    }
    if (options.json) await printJson(io, { results });
    return exitCodes.done;
  } finally {
    bar.clear();
  }
}
