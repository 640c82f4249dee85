import type { ProfileView } from '../../contract/views.ts';
import { createEngines } from '../../runtime/engines.ts';
import { type EngineChoice, profileModels } from '../../studio/profile-models.ts';
import { digits, formatTable } from '../format.ts';
import { type CliIo, type CommandContext, exitCodes, printJson } from '../io.ts';
import { createProgressBar } from '../progress-bar.ts';

/** TensorFlow joins the names of all that it fused. */
const nameWidth = 48;

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
      { ...options, items: models.map((path) => ({ path })), perOp: options.perOp ?? false, compare: true },
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
    for (const result of results) tellCircumstances(result, io);
    const comparisons = results.flatMap(({ comparison }) => comparison ?? []);
    for (const { words } of comparisons) io.err(`${words}\n`);
    for (const { path, perOp, roofline } of results) {
      if (!perOp) continue;
      const ops = perOp.map((op) => [
        op.name.length > nameWidth ? `${op.name.slice(0, nameWidth - 1)}…` : op.name,
        op.op,
        digits(op.ms),
        `${(op.share * 100).toFixed(1)} %`,
        op.runsOn ?? '',
        op.gflopPerS === undefined ? '' : digits(op.gflopPerS),
        op.gbPerS === undefined ? '' : digits(op.gbPerS),
        op.ofRoof === undefined ? '' : `${Math.round(op.ofRoof * 100)} % of ${op.bound}`,
      ]);
      const head = ['operator', 'type', 'ms', 'share', 'runs on', 'GFLOP/s', 'GB/s', 'roof'];
      io.err(`\n${path}\n${formatTable([head, ...ops])}`);
      if (roofline)
        io.err(
          `peaks here: ${digits(roofline.gflopPerS)} GFLOP/s${roofline.int8GopPerS === undefined ? '' : `, ${digits(roofline.int8GopPerS)} GOP/s in int8`}, ${digits(roofline.gbPerS)} GB/s\n`,
        );
    }
    if (options.json) await printJson(io, { results, comparisons });
    return exitCodes.done;
  } finally {
    bar.clear();
  }
}

/** What a reader of the figures must know: how far to trust them, what really ran, what fell back. */
function tellCircumstances({ path, valid, notes, measuredAs, fallback }: ProfileView, io: CliIo): void {
  if (measuredAs) io.err(`${path}: measured as ${measuredAs}\n`);
  if (valid === false) io.err(`${path}: INVALID, do not quote these times\n`);
  for (const note of notes ?? []) io.err(`${path}: ${note}\n`);
  if (!fallback) return;
  const { device, nodes, taken, operators } = fallback;
  io.err(`${path}: ${device} ran ${taken} of ${nodes} operators\n`);
  for (const { op, count, reason } of operators)
    io.err(`  ${count} × ${op} on the CPU${reason === undefined ? '' : `: ${reason}`}\n`);
}
