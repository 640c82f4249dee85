import { beforeFixedSteps } from '../calibrate/before-fixed.ts';
import { openGraph } from '../calibrate/open-graph.ts';
import type { OutputFormat } from '../contract/views.ts';
import { drawSamples } from '../data/draw-samples.ts';
import { type Evaluation, evaluateArtifact } from '../evaluate/evaluate.ts';
import { defaultKeepBytes, type Reference, runReference } from '../evaluate/reference.ts';
import { joinParts } from '../formats/file-content.ts';
import { type Graph, staticShape, valueNamed } from '../ir/graph.ts';
import { elementCount } from '../ir/tensor.ts';
import { spread } from '../kernels/spread.ts';
import type { Prepared } from '../passes/pipeline.ts';
import type { QuantPlan } from '../quantize/plan.ts';
import { pause, throwIfAborted } from './cooperative-dataset.ts';
import { type MakeContext, quantizeAndWrite } from './make-artifact.ts';
import { openWrittenFile, openWrittenGraph, portAdaptersOf } from './open-written-file.ts';

export interface Trial extends Pick<Evaluation, 'quality' | 'outputs'> {
  readonly sizeBytes: number;
}

/**
 * Writes a plan to memory and runs it in the real engine on a reference's samples.
 * @throws WhittleError `job.cancelled`, and what writing and the engines throw
 */
export async function tryPlan(
  plan: QuantPlan,
  format: OutputFormat,
  reference: Reference,
  context: MakeContext,
): Promise<Trial> {
  await pause();
  throwIfAborted(context.signal);
  const { content, data, graph } = quantizeAndWrite(format, plan, context, 'trial');
  const session = data
    ? await openWrittenGraph({ format }, graph, context.engines)
    : await openWrittenFile(joinParts(content), { format }, graph, context.engines);
  try {
    const { quality, outputs } = await evaluateArtifact(session, context.dataset, reference, {
      portAdapters: format === 'tflite' ? portAdaptersOf(context.forTflite) : {},
      signal: context.signal,
    });
    return { sizeBytes: content.sizeBytes + (data?.sizeBytes ?? 0), quality, outputs };
  } finally {
    await session.close();
  }
}

/** The format that plans are tried in: both read the same plan, and one says enough. */
export function trialFormat({ recipe, forTflite, forOnnx }: MakeContext): OutputFormat {
  const hasTflite = forTflite !== forOnnx && recipe.formats.includes('tflite');
  return hasTflite ? 'tflite' : 'onnx';
}

/** What plans are compared on. */
export interface TrialBench {
  /** The run's, with its networks up to what a softmax or a sigmoid hides, and held-back samples alone. */
  readonly context: MakeContext;
  /** The source's answers to those samples. */
  readonly reference: Reference;
}

/** Fewer samples than this say too little, and those that were seen are taken too. */
const fewest = 16;

/**
 * A bench of at most `count` samples, evenly spread, that were not `seen`, where enough of them are left. Class scores
 * are looked at before the softmax: behind it, all samples but a few are certain, and those few would decide.
 */
export async function openBench(
  context: MakeContext,
  seen: ReadonlySet<number>,
  count: number,
): Promise<TrialBench> {
  const { dataset, engines, signal } = context;
  const all = context.reference.answers.indexes;
  const fresh = all.filter((index) => !seen.has(index));
  const [shown, other] = [context.forTflite, context.forOnnx].map(({ graph }) => beforeFixedSteps(graph));
  const ending = (prepared: Prepared) => {
    const end = (id: string) => (shown.get(id) === other.get(id) && shown.get(id)) || id;
    return { ...prepared, graph: { ...prepared.graph, outputs: prepared.graph.outputs.map(end) } };
  };
  const forOnnx = ending(context.forOnnx);
  const indexes = spread(
    fresh.length >= fewest ? fresh : all,
    Math.min(count, samplesInMemory(forOnnx.graph)),
  );
  const bench = {
    ...context,
    forTflite: ending(context.forTflite),
    forOnnx,
    dataset: {
      ...dataset,
      count: indexes.length,
      labels: undefined,
      sample: (n: number) => dataset.sample(indexes[n]),
    },
  };
  const source = await openGraph(engines.ort, bench.forOnnx.graph);
  try {
    const reference = await runReference(source, bench.dataset, { keepBytes: Infinity, signal });
    return { context: bench, reference };
  } finally {
    await source.close();
  }
}

/** Of how many samples the source's answers may be kept while plans are tried; two at least, however large they are. */
function samplesInMemory(graph: Graph): number {
  const elements = graph.outputs.reduce(
    (sum, id) => sum + elementCount(staticShape(valueNamed(graph, id))),
    0,
  );
  return Math.max(2, Math.floor(defaultKeepBytes / (4 * elements)));
}

/** Which samples calibration ran. */
export function calibrationSamples({ recipe, dataset }: MakeContext): readonly number[] {
  return drawSamples(dataset.count, recipe.samples, recipe.seed, dataset.labels);
}
