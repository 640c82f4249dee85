import { precisions } from '../../contract/choices.ts';
import { WhittleError } from '../../contract/errors.ts';
import type {
  ArtifactView,
  Calibration,
  IoType,
  OnnxForm,
  OptimizeReport,
  OutputFormat,
  Precision,
  Recipe,
} from '../../contract/views.ts';
import { writePythonScript } from '../../report/python/python-script.ts';
import { createEngines } from '../../runtime/engines.ts';
import { isBudgetWarning } from '../../studio/budget.ts';
import { optimize as optimizeModel } from '../../studio/optimize.ts';
import { writeFileAside } from '../../studio/safe-files.ts';
import { saveReport } from '../../studio/saved-report.ts';
import { digits, formatBytes, formatTable } from '../format.ts';
import { type CommandContext, exitCodes, printJson } from '../io.ts';
import { createProgressBar } from '../progress-bar.ts';
import { readPreprocess, readRecipe } from '../recipe-file.ts';

export interface OptimizeOptions {
  /** May be left out where the recipe names them. */
  precision?: Precision[];
  data?: string;
  samples?: number;
  calibration?: Calibration;
  io?: IoType;
  format?: OutputFormat[];
  layout?: 'nhwc' | 'keep';
  shape?: Record<string, number[]>;
  fix?: Recipe['fixed'];
  recipe?: string;
  preprocess?: string;
  pureInteger?: boolean;
  out: string;
  force?: boolean;
  maxDrop?: number;
  maxSize?: number;
  onnxForm?: OnnxForm;
  recovery?: Recipe['recovery'];
  python?: string;
  seed?: number;
  diagnose?: boolean;
  json?: boolean;
}

export async function optimize(
  path: string,
  options: OptimizeOptions,
  { io, signal }: CommandContext,
): Promise<number> {
  const given = {
    precisions: options.precision,
    samples: options.samples,
    calibration: options.calibration,
    io: options.io,
    formats: options.format,
    layout: options.layout,
    shapes: options.shape,
    fixed: options.fix,
    pureInteger: options.pureInteger,
    maxDropPercent: options.maxDrop,
    maxSizeBytes: options.maxSize,
    onnxForm: options.onnxForm,
    recovery: options.recovery,
    seed: options.seed,
    preprocess: options.preprocess === undefined ? undefined : await readPreprocess(options.preprocess),
  };
  if (options.precision === undefined && options.recipe === undefined) {
    throw new WhittleError('usage', `--precision is missing: one or more of ${precisions.join(', ')}.`);
  }
  const recipe = await readRecipe(options.recipe, given);
  const bar = createProgressBar(io);
  let report: OptimizeReport;
  try {
    report = await optimizeModel(
      {
        path,
        recipe,
        data:
          options.data === undefined ? undefined : { paths: [options.data], preprocess: recipe.preprocess },
        outDir: options.out,
        force: options.force,
        detail: options.diagnose,
      },
      { engines: createEngines(), signal, onProgress: (update) => bar.update(update) },
    );
  } finally {
    bar.clear();
  }
  // Where nothing could be made, nothing is left behind.
  if (report.artifacts.some((artifact) => artifact.path !== '')) await saveReport(report, options.out);
  io.err(summaryOf(report));
  if (options.python !== undefined) {
    const { text, notes } = writePythonScript(report.recipe, report.source);
    await writeFileAside(options.python, text, { overwrite: options.force ?? false });
    io.err([`Wrote ${options.python}\n`, ...notes.map((note) => `  ${note}\n`)].join(''));
  }
  if (options.json) await printJson(io, report);
  if (report.artifacts.some((artifact) => artifact.status === 'failed')) return exitCodes.failed;
  return report.artifacts.some((artifact) => artifact.warnings.some(isBudgetWarning))
    ? exitCodes.budget
    : exitCodes.done;
}

function summaryOf(report: OptimizeReport): string {
  const header = ['precision', 'format', 'size', '×', 'SQNR dB', 'top-1', 'latency ms', 'status'];
  const rows = report.artifacts.map((artifact) => [
    artifact.precision,
    artifact.format,
    artifact.sizeBytes === 0 ? '–' : formatBytes(artifact.sizeBytes),
    artifact.sizeBytes === 0 ? '–' : (artifact.sizeBytes / report.source.sizeBytes).toFixed(2),
    sqnrText(artifact),
    topOneText(artifact),
    artifact.latency ? digits(artifact.latency.medianMs) : '–',
    artifact.status,
  ]);
  const notes = report.artifacts.flatMap((artifact) => notesOf(artifact));
  const seconds = digits(report.timingsMs.total / 1000);
  return `${formatTable([header, ...rows])}${notes.join('')}${seconds} s, peak memory ${formatBytes(report.peakRssBytes)}\n`;
}

function sqnrText({ quality }: ArtifactView): string {
  if (!quality) return '–';
  return quality.sqnrDb === null ? 'exact' : quality.sqnrDb.toFixed(1);
}

function topOneText({ quality }: ArtifactView): string {
  const share = quality?.accuracy ?? quality?.top1Agreement;
  return share === undefined ? '–' : `${(share * 100).toFixed(1)} %`;
}

/** Operators named in one line of a warning that concerns several. */
const namedAtMost = 3;

/** What is told of an artifact: warnings of one wording in one line. */
function notesOf(artifact: ArtifactView): string[] {
  const name = `${artifact.precision} .${artifact.format}`;
  const nodesByMessage = new Map<string, string[]>();
  for (const { node, message } of artifact.warnings) {
    const nodes = nodesByMessage.get(message) ?? [];
    if (node !== undefined && !message.includes(node)) nodes.push(node);
    nodesByMessage.set(message, nodes);
  }
  const notes = [...nodesByMessage].map(([message, nodes]) => {
    const more = nodes.length > namedAtMost ? ` and ${nodes.length - namedAtMost} more` : '';
    const where = nodes.length > 0 ? `${nodes.slice(0, namedAtMost).join(', ')}${more}: ` : '';
    return `${name}: ${where}${message}\n`;
  });
  if (artifact.data)
    notes.push(`${name}: its weights are in ${artifact.data.fileName}, which goes where it goes\n`);
  if (artifact.recovery?.length) {
    const steps = artifact.recovery.map(
      ({ id, gainDb, kept }) =>
        `${id.replaceAll('-', ' ')} ${gainDb >= 0 ? '+' : ''}${gainDb.toFixed(1)} dB${kept ? '' : ' (left out)'}`,
    );
    notes.push(`${name}: ${steps.join(', ')}\n`);
  }
  for (const gate of artifact.gates)
    if (!gate.ok) notes.push(`${name}: gate ${gate.id} failed: ${gate.detail}\n`);
  for (const { node, op, title, text, trial } of artifact.findings ?? []) {
    notes.push(`${name}: ${node === undefined ? '' : `${node} (${op}): `}${title}. ${text}\n`);
    if (trial) notes.push(`  try: ${trial.text}\n`);
  }
  if (artifact.error) {
    notes.push(`${name}: error ${artifact.error.code}: ${artifact.error.message}\n`);
    if (artifact.error.hint) notes.push(`  hint: ${artifact.error.hint}\n`);
  }
  return notes;
}
