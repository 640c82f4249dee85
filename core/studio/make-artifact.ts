import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { WhittleError } from '../contract/errors.ts';
import type {
  ArtifactDetail,
  ArtifactView,
  OutputFormat,
  QualityView,
  Recipe,
  WarningView,
} from '../contract/views.ts';
import type { OpenedDataset } from '../data/dataset.ts';
import type { InputSpec } from '../data/sample-spec.ts';
import type { FileContent } from '../formats/file-content.ts';
import { dataPathOf } from '../formats/onnx/external-weights.ts';
import { opsetFor, writeOnnxFiles } from '../formats/onnx/writer.ts';
import { writeTfliteParts } from '../formats/tflite/writer.ts';
import type { Engines } from '../ir/engine.ts';
import type { Graph } from '../ir/graph.ts';
import { refuseOpaque } from '../ir/opaque.ts';
import type { Prepared } from '../passes/pipeline.ts';
import type { OperatorPrecision } from '../quantize/decide-mixed.ts';
import type { SettledForm } from '../quantize/onnx-form.ts';
import { operandKey, type QuantPlan } from '../quantize/plan.ts';
import { needsSamples, quantizeForOnnx, quantizeForTflite } from '../quantize/quantize.ts';
import type { ArtifactTarget } from './artifact-targets.ts';
import { budgetWarnings } from './budget.ts';
import type { SourceRanges } from './calibrate-source.ts';
import type { FloatReference } from './float-reference.ts';
import { letGo } from './let-go.ts';
import type { ProgressStep } from './progress.ts';
import type { KeptNumbers } from './quantized-source.ts';
import { writeFileChecked } from './safe-files.ts';
import { randomSamples } from './synthetic-dataset.ts';
import type { Timings } from './timings.ts';
import { type Verdict, verifyFile } from './verify-file.ts';

/** What is the same for all files of one run. */
export interface MakeContext {
  readonly recipe: Recipe;
  readonly forTflite: Prepared;
  readonly forOnnx: Prepared;
  /** The recipe's precision of single operators, by node name. */
  readonly overrides: ReadonlyMap<string, OperatorPrecision>;
  readonly dataset: OpenedDataset;
  readonly inputs: readonly InputSpec[];
  readonly reference: FloatReference;
  readonly engines: Engines;
  readonly force: boolean;
  /** Look into each file: error per operator, samples whose answer changed. */
  readonly detail: boolean;
  readonly timings: Timings;
  /** Bytes of weights that one ONNX file takes; what the format allows by default. */
  readonly mostOnnxWeights?: number;
  /** Of the source, for the description in the file. */
  readonly sourceName: string;
  readonly sourceSizeBytes: number;
  /** The verified TFLite file of each plan, for comparing its ONNX twin with. */
  readonly verified: Map<QuantPlan, { readonly path: string; readonly quality: QualityView }>;
  /** Present when the source is quantized already. */
  readonly kept?: Pick<KeptNumbers, 'plan' | 'io'>;
  /** Present where ranges were found on samples, or are those of the source. */
  readonly calibration?: Partial<Pick<SourceRanges, 'view'>> & Pick<SourceRanges, 'warnings'>;
  readonly signal?: AbortSignal;
}

interface Written {
  readonly content: FileContent;
  /** Of an ONNX file that is too large for one: its weights, for the file beside it. */
  readonly data?: FileContent;
  readonly graph: Graph;
  readonly operators: Record<string, number>;
  readonly minRuntime: string;
  readonly warnings: readonly WarningView[];
}

/** What is known of a file whose bytes are on disk, and no longer in memory. */
interface WrittenFile
  extends Omit<Written, 'content' | 'data'>,
    Pick<ArtifactView, 'sizeBytes' | 'sha256' | 'data'> {}

export interface MadeArtifact {
  readonly artifact: ArtifactView;
  readonly detail: ArtifactDetail;
}

/**
 * Applies a plan, writes the file aside, verifies it in the runtime that it is meant for, and gives it its name.
 * @throws WhittleError what applying, writing or opening throw; no file is left then.
 */
export async function makeArtifact(
  target: ArtifactTarget,
  plan: QuantPlan,
  context: MakeContext,
  progress: ProgressStep,
): Promise<MadeArtifact> {
  const label = `${target.precision} .${target.format}`;
  progress.report(0, `${label}: quantizing`);
  const overwrite = context.force;
  let file: WrittenFile | undefined;
  const verdict = await context.timings.measure('write', () =>
    writeFileChecked(
      target.path,
      async (asidePath) => {
        const { content, data, ...facts } = quantizeAndWrite(target.format, plan, context, target.path);
        const written = await writeHashed(asidePath, content);
        file = { ...facts, ...written };
        if (!data) return;
        const beside = await writeHashed(dataPathOf(asidePath), data);
        const fileName = basename(dataPathOf(target.path));
        file = { ...file, sizeBytes: written.sizeBytes + beside.sizeBytes, data: { fileName, ...beside } };
      },
      (asidePath) => {
        letGo(file!.sizeBytes);
        return context.timings.measure('verify', () =>
          verifyFile(asidePath, target, { ...file!, plan }, context, (share) =>
            progress.report(0.3 + 0.7 * share, `${label}: verifying`),
          ),
        );
      },
      { overwrite },
    ),
  );
  progress.finish();
  return {
    artifact: viewOf(target, plan, file!, verdict, context),
    detail: { ...verdict.detail, artifactId: target.id, recipe: context.recipe },
  };
}

/** Writes a file's content, each part before the next is made. */
async function writeHashed(
  path: string,
  content: FileContent,
): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash('sha256');
  const parts = function* () {
    for (const part of content.parts()) {
      hash.update(part);
      yield part;
    }
  };
  await writeFile(path, parts(), { flag: 'wx' });
  return { sizeBytes: content.sizeBytes, sha256: hash.digest('hex') };
}

/**
 * Applies a plan and writes a file's content. @throws WhittleError what applying and writing throw.
 * @param path that the file will have
 */
export function quantizeAndWrite(
  format: OutputFormat,
  plan: QuantPlan,
  context: MakeContext,
  path: string,
): Written {
  return format === 'tflite' ? makeTflite(plan, context) : makeOnnx(plan, context, path);
}

function makeTflite(plan: QuantPlan, { recipe, forTflite, sourceName, timings }: MakeContext): Written {
  refuseOpaque(forTflite.graph, 'TFLite');
  const { graph, warnings } = timings.measureSync('quantize', () =>
    quantizeForTflite(forTflite.graph, plan, { io: recipe.io }),
  );
  const description = `${sourceName} as ${plan.precision}, by Whittle.`;
  const { file, operators, minRuntime } = timings.measureSync('write', () =>
    writeTfliteParts(graph, { description }),
  );
  return { content: file, graph, operators, minRuntime, warnings };
}

/** The form that `settleOnnxForm` has put into a recipe; a recipe that makes no integer ONNX file has no use for any. */
function settledForm({ onnxForm }: Recipe): SettledForm | undefined {
  return onnxForm === 'auto' ? undefined : onnxForm;
}

function makeOnnx(
  plan: QuantPlan,
  { recipe, forOnnx, timings, mostOnnxWeights }: MakeContext,
  path: string,
): Written {
  const { graph, warnings } = timings.measureSync('quantize', () =>
    quantizeForOnnx(forOnnx.graph, plan, { io: recipe.io, form: settledForm(recipe) }),
  );
  const dataName = basename(dataPathOf(path));
  const { model: content, data } = timings.measureSync('write', () =>
    writeOnnxFiles(graph, dataName, mostOnnxWeights),
  );
  const operators: Record<string, number> = {};
  for (const node of graph.nodes) operators[node.op] = (operators[node.op] ?? 0) + 1;
  return { content, data, graph, operators, minRuntime: `opset ${opsetFor(graph)}`, warnings };
}

/** Operators by what they became, where a plan holds several things. */
function mixOf({ precision, nodes, values, constants }: QuantPlan): ArtifactView['mix'] {
  if (precision !== 'auto') return undefined;
  const mix: Record<string, number> = {};
  for (const [id, { mode, storage }] of Object.entries(nodes)) {
    const stored = values[constants[operandKey(id, 1)] ?? '']?.dtype ?? 'int8';
    const kind =
      mode === 'integer'
        ? 'int8'
        : mode === 'hybrid'
          ? 'dynamic-int8'
          : mode === 'weights-only'
            ? `weights-${stored}`
            : (storage ?? 'float32');
    mix[kind] = (mix[kind] ?? 0) + 1;
  }
  return mix;
}

function viewOf(
  target: ArtifactTarget,
  plan: QuantPlan,
  written: WrittenFile,
  verdict: Verdict,
  { recipe, dataset, sourceSizeBytes, calibration }: MakeContext,
): ArtifactView {
  const { sizeBytes } = written;
  const warnings: WarningView[] = written.warnings.map(({ code, message, node }) => ({
    code,
    message,
    node,
  }));
  if (dataset.path === randomSamples) {
    warnings.push({
      code: 'quality.random-samples',
      message: 'Quality was measured on random numbers, since no samples were given.',
    });
  }
  if (sizeBytes > sourceSizeBytes && target.precision !== 'float32') {
    warnings.push({ code: 'size.larger', message: 'The file is larger than the source.' });
  }
  if (needsSamples(target.precision)) warnings.push(...(calibration?.warnings ?? []));
  warnings.push(...verdict.warnings);
  // A further point of a search is there to be looked at; it is the best one that has to meet the budget.
  if (target.label === undefined)
    warnings.push(...budgetWarnings({ sizeBytes, quality: verdict.quality }, recipe));
  const { id, precision, label, io, format, path } = target;
  return {
    id,
    precision,
    label,
    mix: mixOf(plan),
    io,
    format,
    path,
    sizeBytes,
    sha256: written.sha256,
    data: written.data,
    operators: written.operators,
    minRuntime: written.minRuntime,
    status: verdict.gates.every((gate) => gate.ok) ? 'ok' : 'failed',
    gates: verdict.gates,
    warnings,
    quality: verdict.quality,
    latency: verdict.latency,
    agreement: verdict.agreement,
    onnxForm: format === 'onnx' && hasIntegers(plan) ? settledForm(recipe) : undefined,
    findings: verdict.findings,
    calibration: hasIntegers(plan) ? calibration?.view : undefined,
  };
}

function hasIntegers({ nodes }: QuantPlan): boolean {
  return Object.values(nodes).some(({ mode }) => mode === 'integer' || mode === 'hybrid');
}

/** @throws WhittleError `data.missing` for a precision that needs samples when there are none. */
export function requireSamples(precision: string): never {
  throw new WhittleError(
    'data.missing',
    `${precision} needs samples: the ranges of activations are found by running them.`,
    {
      hint: 'Give about a hundred typical samples (--data), or choose float16 or dynamic-int8, which need none.',
    },
  );
}
