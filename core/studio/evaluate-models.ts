import type { Preprocess, QualityView } from '../contract/views.ts';
import { openDataset } from '../data/open-dataset.ts';
import type { InputSpec } from '../data/sample-spec.ts';
import { evaluateArtifact } from '../evaluate/evaluate.ts';
import type { PortAdapters } from '../evaluate/port-adapters.ts';
import { runReference } from '../evaluate/reference.ts';
import type { Engines, PortInfo, Session } from '../ir/engine.ts';
import type { Graph, QuantParams } from '../ir/graph.ts';
import { prepareForOnnx } from '../passes/pipeline.ts';
import { makeCooperative } from './cooperative-dataset.ts';
import { openSourceSession } from './float-reference.ts';
import { borderQuant, withPortQuant } from './open-written-file.ts';
import type { ProgressUpdate } from './progress.ts';
import { createProgress } from './progress.ts';
import { readSourceFor, requireGraph, sampleInputs } from './source-model.ts';

export interface EvaluateRequest {
  readonly models: readonly string[];
  /** The float model; the first of several models by default, and none for a single one. */
  readonly reference?: string;
  readonly data: string;
  readonly preprocess?: Preprocess;
}

export interface EvaluateResult {
  readonly path: string;
  readonly engine: string;
  readonly samples: number;
  /** Against the reference; only what labels tell when there is none. */
  readonly quality: Partial<QualityView> & { readonly samples: number };
}

interface EvaluateContext {
  readonly engines: Engines;
  readonly signal?: AbortSignal;
  onProgress?(update: ProgressUpdate): void;
}

/**
 * Runs models on samples and compares them with a reference. A model whose inputs are channels last is fed the same
 * samples turned, when the reference's are channels first.
 * @throws WhittleError what reading, opening and running throw.
 */
export async function evaluateModels(
  request: EvaluateRequest,
  context: EvaluateContext,
): Promise<{ reference?: string; results: EvaluateResult[] }> {
  const { models } = request;
  const referencePath = request.reference ?? (models.length > 1 ? models[0] : undefined);
  const base = referencePath ?? models[0];
  const { session, inputs } = await openRunnable(base, request, context.engines);
  const opened = await openDataset(request.data, inputs, request.preprocess).catch(async (error: unknown) => {
    await session.close();
    throw error;
  });
  const dataset = makeCooperative(opened, context.signal);
  const root = createProgress((update) => context.onProgress?.(update));
  const steps = root.split(Object.fromEntries(['reference', ...models].map((name) => [name, 1])));
  try {
    const answers = await runReference(session, dataset, {
      signal: context.signal,
      onProgress: (done, total) => steps.reference.report(done / total, `Running ${base} ${done}/${total}`),
    });
    const results: EvaluateResult[] = [];
    for (const path of models) {
      if (path === base && referencePath === undefined) {
        const { accuracy, labels, indexes } = answers;
        const quality = { samples: indexes.length, ...(accuracy !== undefined && { accuracy, labels }) };
        results.push({ path, engine: session.description, samples: indexes.length, quality });
        continue;
      }
      const { session: own } = await openRunnable(path, request, context.engines);
      try {
        const { quality } = await evaluateArtifact(own, dataset, answers, {
          portAdapters: turnedPorts(session, own),
          signal: context.signal,
          onProgress: (done, total) => steps[path].report(done / total, `Running ${path} ${done}/${total}`),
        });
        results.push({ path, engine: own.description, samples: quality.samples, quality });
      } finally {
        await own.close();
      }
    }
    root.finish();
    root.flush();
    return { reference: referencePath, results };
  } finally {
    await session.close();
    await dataset.close();
  }
}

interface Runnable {
  readonly session: Session;
  /** What samples are for. */
  readonly inputs: readonly InputSpec[];
}

/** Opens a file in its runtime; another model as the float ONNX form that is read from it. */
async function openRunnable(
  path: string,
  { data, preprocess }: EvaluateRequest,
  engines: Engines,
): Promise<Runnable> {
  const { source } = await readSourceFor(path, {}, { paths: [data], preprocess });
  const { graph } = source;
  const session = await openSourceSession(source, () => prepareForOnnx(requireGraph(source)).graph, engines);
  if (session.engine === 'ort' && graph) {
    return {
      session: withPortQuant(session, (port) => quantOfPort(graph, port)),
      inputs: sampleInputs(graph),
    };
  }
  const inputs = session.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape: shape.map(Number) }));
  return { session, inputs };
}

function quantOfPort(graph: Graph, port: string): QuantParams | undefined {
  return graph.values.has(port) ? borderQuant(graph, port) : undefined;
}

/** Which ports of a model are the reference's with the channels last. */
function turnedPorts(reference: Session, own: Session): PortAdapters {
  const adapters: Record<string, { source?: string; permutation?: readonly number[] }> = {};
  for (const side of ['inputs', 'outputs'] as const) {
    for (const [i, port] of own[side].entries()) {
      const source = reference[side].find((other) => other.name === port.name) ?? reference[side][i];
      if (!source) continue;
      adapters[port.name] = { source: source.name, permutation: turned(source, port) };
    }
  }
  return adapters;
}

function turned(source: PortInfo, port: PortInfo): readonly number[] | undefined {
  const rank = port.shape.length;
  if (rank < 3 || rank !== source.shape.length) return undefined;
  const fits = (shape: readonly (number | string)[]): boolean =>
    shape.every(
      (dim, i) => typeof dim === 'string' || typeof port.shape[i] === 'string' || dim === port.shape[i],
    );
  if (fits(source.shape)) return undefined;
  const last = [0, ...Array.from({ length: rank - 2 }, (_unused, i) => i + 2), 1];
  return fits(last.map((axis) => source.shape[axis])) ? last : undefined;
}
