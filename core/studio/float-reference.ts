import { openGraph } from '../calibrate/open-graph.ts';
import { WhittleError } from '../contract/errors.ts';
import type { LatencyView, Recipe, ReferenceView } from '../contract/views.ts';
import type { Dataset } from '../data/dataset.ts';
import { adaptFeeds } from '../evaluate/port-adapters.ts';
import { type Reference, runReference } from '../evaluate/reference.ts';
import { type FixedValues, fixedShape, fixedTensor } from '../formats/fix-inputs.ts';
import { byteLength } from '../ir/dtype.ts';
import type { Engine, Engines, Session } from '../ir/engine.ts';
import type { Graph } from '../ir/graph.ts';
import { opaqueCauses } from '../ir/opaque.ts';
import { elementCount, type Tensor } from '../ir/tensor.ts';
import { hasPaddedMaxPool } from '../passes/guard-padded-pools.ts';
import { measureQuickly } from './quick-latency.ts';
import type { SourceModel } from './source-model.ts';

/** The float source's answers to the samples, by a real engine. */
export interface FloatReference {
  readonly answers: Reference;
  readonly view: ReferenceView;
  close(): Promise<void>;
}

/** Quality is measured on as many samples as calibration uses, and at least on so many when there are more. */
const leastCompared = 256;

/** How many samples files are compared with the source on, where there are as many. */
export function comparedSamples({ samples }: Pick<Recipe, 'samples'>): number {
  return Math.max(samples, leastCompared);
}

/** Whether a source has no runtime of its own here: what it answers is what its float ONNX form answers. */
export function isRunAsOnnxGraph({ format }: Pick<SourceModel, 'format'>): boolean {
  return format !== 'onnx' && format !== 'tflite';
}

/**
 * Opens what everything is compared with: an ONNX source is run as it is by onnxruntime, a TFLite source by LiteRT, and
 * every other source as the float ONNX form that was read from it. So is a TFLite source that LiteRT does not run.
 * @param onnxGraph of `prepareForOnnx`; made only where it is needed
 */
export async function openSourceSession(
  source: Pick<SourceModel, 'format' | 'path' | 'graph' | 'fixed'>,
  onnxGraph: () => Graph,
  engines: Engines,
): Promise<Session> {
  if (source.format === 'onnx') return withFixedInputs(await openOnnx(source, engines.ort), source.fixed);
  if (source.format === 'tflite') {
    try {
      return withFixedInputs(await openProven(await engines.tflite(), source.path), source.fixed);
    } catch (error) {
      if (!(error instanceof WhittleError) || !source.graph) throw error;
    }
  }
  return openGraph(engines.ort, onnxGraph());
}

/** The session of a file as one without the inputs that are fixed: they are fed each time. */
function withFixedInputs(session: Session, values: FixedValues = {}): Session {
  const fixed = Object.fromEntries(
    session.inputs.flatMap(({ name, dtype, shape }): [string, Tensor][] => {
      if (!Object.hasOwn(values, name)) return [];
      return [[name, fixedTensor({ dtype, shape: fixedShape(shape, values[name]) }, values[name])]];
    }),
  );
  if (Object.keys(fixed).length === 0) return session;
  return {
    engine: session.engine,
    description: session.description,
    loadMs: session.loadMs,
    outputs: session.outputs,
    inputs: session.inputs.filter(({ name }) => !Object.hasOwn(fixed, name)),
    run: (feeds) => session.run({ ...feeds, ...fixed }),
    time: (feeds, runs) => session.time({ ...feeds, ...fixed }, runs),
    close: () => session.close(),
  };
}

/** A source that onnxruntime does not open may have operators that it lacks: what only passes through is named. */
async function openOnnx(
  { path, graph }: Pick<SourceModel, 'path' | 'graph'>,
  engine: Engine,
): Promise<Session> {
  try {
    return await engine.open(path, { keepsPaddings: graph !== undefined && hasPaddedMaxPool(graph) });
  } catch (error) {
    const issues = graph ? opaqueCauses(graph) : [];
    if (!(error instanceof WhittleError) || issues.length === 0) throw error;
    const hint =
      'Nothing leaves Whittle that was not run: an operator that onnxruntime lacks cannot pass through.';
    throw new WhittleError(error.code, error.message, { hint, issues, cause: error });
  }
}

/** A session that has run once, on zeros. */
async function openProven(engine: Engine, path: string): Promise<Session> {
  const session = await engine.open(path);
  const zeros = Object.fromEntries(
    session.inputs.map(({ name, dtype, shape }): [string, Tensor] => {
      const sizes = shape.map(Number);
      return [name, { dtype, shape: sizes, bytes: new Uint8Array(byteLength(dtype, elementCount(sizes))) }];
    }),
  );
  try {
    await session.run(zeros);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Runs the source over the samples and times it. */
export async function openReference(
  source: SourceModel,
  onnxGraph: Graph,
  dataset: Dataset,
  context: {
    engines: Engines;
    samples: number;
    /** What the onnxGraph answered before, by dataset index; only of a source that is run as it. */
    known?: ReadonlyMap<number, Readonly<Record<string, Tensor>>>;
    signal?: AbortSignal;
    onProgress?: (done: number, total: number) => void;
  },
): Promise<FloatReference> {
  const session = await openSourceSession(source, () => onnxGraph, context.engines);
  try {
    const { samples, known, signal, onProgress } = context;
    const answers = await runReference(session, dataset, { samples, known, signal, onProgress });
    const latency: LatencyView = await measureQuickly(
      session,
      adaptFeeds(session.inputs, await dataset.sample(0)),
      signal,
    );
    // Where it is not asked again, its memory is for those that are checked against it.
    if (answers.complete) await session.close();
    return {
      answers,
      view: { sizeBytes: source.sizeBytes, accuracy: answers.accuracy, latency },
      close: async () => {
        if (!answers.complete) await session.close();
      },
    };
  } catch (error) {
    await session.close();
    throw error;
  }
}
