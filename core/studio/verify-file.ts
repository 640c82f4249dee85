import type {
  AgreementView,
  ArtifactDetail,
  FindingView,
  GateView,
  LatencyView,
  QualityView,
  WarningView,
} from '../contract/views.ts';
import { previewImage } from '../data/describe.ts';
import { compareTwins } from '../evaluate/agreement.ts';
import { evaluateArtifact } from '../evaluate/evaluate.ts';
import { findFindings } from '../evaluate/findings/findings.ts';
import { blame, checkGates, type GateFacts } from '../evaluate/gates.ts';
import { operatorAtFault } from '../evaluate/operator-at-fault.ts';
import { adaptFeeds } from '../evaluate/port-adapters.ts';
import type { Session } from '../ir/engine.ts';
import type { Graph } from '../ir/graph.ts';
import { estimateSizes } from '../quantize/estimate.ts';
import type { QuantPlan } from '../quantize/plan.ts';
import type { ArtifactTarget } from './artifact-targets.ts';
import { findingFacts } from './finding-facts.ts';
import type { MakeContext } from './make-artifact.ts';
import { openWrittenFile, portAdaptersOf } from './open-written-file.ts';
import { measureOperators } from './operator-detail.ts';
import { measureQuickly } from './quick-latency.ts';
import { type SecondOpinion, tryInSecondRuntime } from './second-runtime.ts';
import { randomSamples } from './synthetic-dataset.ts';

export interface Verdict {
  readonly gates: GateView[];
  readonly warnings: WarningView[];
  readonly quality: QualityView;
  readonly latency: LatencyView;
  readonly agreement?: AgreementView;
  /** Of a file that was looked into, on samples that were given. */
  readonly findings?: FindingView[];
  readonly detail: Omit<ArtifactDetail, 'artifactId'>;
}

interface FileFacts {
  readonly sizeBytes: number;
  /** The graph that was written. */
  readonly graph: Graph;
  readonly plan: QuantPlan;
}

/** So many changed samples are kept for looking at. */
const changedLimit = 24;
/** Samples on which the two formats of one plan are compared. */
const agreementSamples = 16;

/**
 * Opens a written file in the runtime that it is meant for, runs it on the reference's samples and checks every gate.
 * @throws WhittleError `runtime.failed` when the runtime refuses it.
 */
export async function verifyFile(
  path: string,
  target: ArtifactTarget,
  file: FileFacts,
  context: MakeContext,
  onProgress: (share: number) => void,
): Promise<Verdict> {
  const { dataset, reference, signal } = context;
  const session = await openWrittenFile(path, target, file.graph, context.engines);
  try {
    const portAdapters = target.format === 'tflite' ? portAdaptersOf(context.forTflite) : {};
    const evaluation = await evaluateArtifact(session, dataset, reference.answers, {
      portAdapters,
      signal,
      onProgress: (done, total) => onProgress((done / total) * 0.7),
    });
    const feeds = adaptFeeds(session.inputs, await dataset.sample(0), portAdapters);
    const latency = await measureQuickly(session, feeds, signal);
    onProgress(0.85);
    // Only the ONNX file is run again below; the second runtime needs the memory.
    if (target.format === 'tflite') await session.close();
    const second =
      target.format === 'tflite'
        ? await tryInSecondRuntime(path, session, feeds, context.engines.litertWasm)
        : undefined;
    onProgress(0.9);
    const agreement = await agreementOf(target, file, session, context);
    const gates = checkGates({
      precision: target.precision,
      sourceRounds: context.forTflite.graph.source.rounds,
      opened: {
        description: session.description,
        loadMs: session.loadMs,
        also: second && 'opened' in second ? second.opened : undefined,
      },
      sizeBytes: file.sizeBytes,
      expectedSize: expectedSize(target, file.plan, context),
      evaluation,
      agreement,
    });
    if (target.format === 'tflite')
      context.verified.set(file.plan, { path: target.path, quality: evaluation.quality });
    const changed = context.detail
      ? await showChanges(evaluation.changed.slice(0, changedLimit), context)
      : [];
    const isBroken = gates.some((gate) => gate.id === 'quality' && !gate.ok);
    const operators = context.detail || isBroken ? await measureOperators(target, file, context) : [];
    const findings =
      context.detail && context.dataset.path !== randomSamples
        ? findFindings(findingFacts(file.plan, operators, evaluation.quality, context))
        : undefined;
    return {
      gates: isBroken ? blame(gates, operatorAtFault(file.graph, operators)) : gates,
      warnings: refusalOf(second),
      quality: evaluation.quality,
      agreement: agreement && viewAgreement(agreement),
      latency,
      findings,
      detail: { operators, changed },
    };
  } finally {
    await session.close();
  }
}

/** A file that only the native runtime takes is sound, but not everywhere. */
function refusalOf(second: SecondOpinion): WarningView[] {
  if (!second || 'opened' in second) return [];
  return [{ code: 'runtime.native-only', message: `LiteRT's WASM build does not run it: ${second.refusal}` }];
}

/**
 * From six tenths to one and a half of the estimate, apart from what names and tables may or may not take. A plan whose
 * operators differ may be anywhere between the smallest and the largest of its precisions.
 */
function expectedSize(
  { precision, format }: ArtifactTarget,
  plan: QuantPlan,
  { forTflite: { graph }, overrides }: MakeContext,
): GateFacts['expectedSize'] {
  const estimates = estimateSizes(graph);
  const isMixed = plan.precision === 'auto' || overrides.size > 0;
  const least = isMixed ? estimates['weights-int4'] : estimates[precision];
  const most = isMixed ? estimates.float32 : estimates[precision];
  const nodes = graph.nodes.length;
  const mostTables = 16_384 + nodes * (format === 'onnx' ? 1500 : 400);
  const data = least - 1100 - nodes * 500;
  return {
    minBytes: Math.max(64, Math.round(data * 0.6)),
    maxBytes: Math.round(most * 1.5 + mostTables),
  };
}

/** Compares an ONNX file with the TFLite file of the same plan, when that was made. */
async function agreementOf(
  target: ArtifactTarget,
  file: FileFacts,
  session: Session,
  context: MakeContext,
): Promise<(AgreementView & GateFacts['agreement']) | undefined> {
  const twin = context.verified.get(file.plan);
  if (target.format !== 'onnx' || !twin) return undefined;
  const { dataset, engines, signal } = context;
  const other = await (await engines.tflite()).open(twin.path);
  try {
    const agreement = await compareTwins(
      { session: other, portAdapters: portAdaptersOf(context.forTflite) },
      { session },
      dataset,
      outputSteps(file.plan, context.forTflite.graph),
      { samples: Math.min(agreementSamples, context.reference.answers.indexes.length), signal },
    );
    return { otherFormat: 'tflite', otherSqnrDb: twin.quality.sqnrDb, ...agreement };
  } finally {
    await other.close();
  }
}

function viewAgreement({ otherFormat, samples, withinOneStep, sqnrDb }: AgreementView): AgreementView {
  return { otherFormat, samples, withinOneStep, sqnrDb };
}

/** Steps of the outputs that a plan gives integers to. */
function outputSteps({ values }: QuantPlan, { outputs }: Graph): Record<string, number> {
  return Object.fromEntries(outputs.flatMap((id) => (values[id] ? [[id, values[id].scales[0]]] : [])));
}

/** Samples whose answer is another than the source's, as a person can look at them. */
async function showChanges(
  changed: readonly { index: number; before: number; after: number }[],
  { dataset, inputs }: MakeContext,
): Promise<ArtifactDetail['changed']> {
  const nameOf = (index: number): string => dataset.classNames?.[index] ?? String(index);
  const shown: ArtifactDetail['changed'] = [];
  for (const { index, before, after } of changed) {
    const label = dataset.labels?.[index];
    shown.push({
      index,
      image: await previewImage(await dataset.sample(index), inputs, dataset.preprocess),
      label: label === undefined ? undefined : nameOf(label),
      before: nameOf(before),
      after: nameOf(after),
    });
  }
  return shown;
}
