import { basename } from 'node:path';
import { WhittleError } from '../contract/errors.ts';
import type { ProfileView } from '../contract/views.ts';
import { writeOnnx } from '../formats/onnx/writer.ts';
import { detectFormat } from '../formats/open-model.ts';
import { writeTflite } from '../formats/tflite/writer.ts';
import type { Engine, Engines } from '../ir/engine.ts';
import { prepareForOnnx, prepareForTflite } from '../passes/pipeline.ts';
import { type Contender, compareFiles } from '../profile/compare-files.ts';
import { profileModel } from '../profile/profile-model.ts';
import { pause, throwIfAborted } from './cooperative-dataset.ts';
import { createProgress } from './progress.ts';
import { latencyThreads } from './quick-latency.ts';
import type { TaskContext } from './run-task.ts';
import { readSource, requireGraph } from './source-model.ts';

export type EngineChoice = 'auto' | 'litert' | 'litert-wasm' | 'ort';

export interface ProfileRequest {
  readonly items: readonly { readonly path: string; readonly artifactId?: string }[];
  readonly engine: EngineChoice;
  readonly device: string;
  /** Default: all cores, up to four. */
  readonly threads?: number;
  readonly runs?: number;
  readonly perOp: boolean;
  /** Run each further one in turn with the first. */
  readonly compare?: boolean;
}

/**
 * Measures models one after another, each in the runtime that it is meant for or in the one named. A source that no
 * runtime takes as it is (Keras, SavedModel …) is measured in its float32 form, which is made in memory.
 * @throws WhittleError `usage` when the engine does not run the format, `runtime.missing` when it is not here, and what
 * reading throws.
 */
export async function profileModels(
  request: ProfileRequest,
  context: Pick<TaskContext, 'engines' | 'signal' | 'onProgress' | 'onProfile'>,
): Promise<ProfileView[]> {
  const { device, perOp, runs, compare = false } = request;
  const { signal } = context;
  const threads = request.threads ?? latencyThreads;
  const root = createProgress((update) => context.onProgress?.(update));
  const steps = root.split(Object.fromEntries(request.items.map((_item, i) => [String(i), 1])));
  const views: ProfileView[] = [];
  let first: Contender | undefined;
  for (const [i, item] of request.items.entries()) {
    await pause();
    throwIfAborted(signal);
    const step = steps[String(i)];
    const name = basename(item.path);
    step.report(0, `Profiling ${name}`);
    const { measuredAs, ...runnable } = await runnableForm(item.path, request.engine, context.engines);
    const contender: Contender = { path: item.path, artifactId: item.artifactId, ...runnable };
    const isCompared = compare && first !== undefined;
    const view = await profileModel(contender.engine, contender.model, item.path, {
      device,
      threads,
      runs,
      perOp,
      signal,
      onProgress: (share) => step.report(share * (isCompared ? 0.4 : 1)),
    });
    if (isCompared && first) {
      step.report(0.4, `Running ${name} in turn with ${basename(first.path)}`);
      view.comparison = await compareFiles(first, contender, {
        device,
        threads,
        runs,
        signal,
        onProgress: (share) => step.report(0.4 + 0.6 * share),
      });
    }
    first ??= contender;
    const named: ProfileView = {
      ...view,
      ...(item.artifactId !== undefined && { artifactId: item.artifactId }),
      ...(measuredAs !== undefined && { measuredAs }),
    };
    step.finish();
    views.push(named);
    context.onProfile?.(named);
  }
  root.flush();
  return views;
}

/** A model as a runtime takes it: the file itself, or what was made from it and how to call that. */
interface RunnableForm {
  readonly engine: Engine;
  readonly model: string | Uint8Array;
  readonly measuredAs?: string;
}

async function runnableForm(path: string, choice: EngineChoice, engines: Engines): Promise<RunnableForm> {
  const format = await detectFormat(path);
  if (format === 'onnx' || format === 'tflite')
    return { engine: await engineFor(path, choice, engines), model: path };
  const graph = requireGraph(await readSource(path, {}));
  const target = choice === 'ort' ? 'onnx' : 'tflite';
  const model =
    target === 'onnx'
      ? writeOnnx(prepareForOnnx(graph).graph)
      : writeTflite(prepareForTflite(graph, { layout: 'nhwc' }).graph).bytes;
  return {
    engine: await chosenEngine(target, choice, engines, path),
    model,
    measuredAs: `float32 ${target === 'onnx' ? 'ONNX' : '.tflite'} made from ${basename(path)}`,
  };
}

/** The engine that runs a file. */
async function engineFor(path: string, choice: EngineChoice, engines: Engines): Promise<Engine> {
  const format = await detectFormat(path);
  if (format !== 'onnx' && format !== 'tflite') {
    throw new WhittleError(
      'format.unsupported',
      `${path} is ${format}, which no runtime here runs as it is.`,
      {
        hint: 'Optimize it first; float32 keeps its numbers.',
      },
    );
  }
  return chosenEngine(format, choice, engines, path);
}

async function chosenEngine(
  format: Engine['format'],
  choice: EngineChoice,
  engines: Engines,
  path: string,
): Promise<Engine> {
  const automatic = format === 'onnx' ? engines.ort : await engines.tflite();
  const named = {
    auto: automatic,
    ort: engines.ort,
    litert: engines.litert,
    'litert-wasm': engines.litertWasm,
  };
  const engine = named[choice];
  if (engine.format !== format) {
    throw new WhittleError('usage', `${choice} does not run ${path}, which is ${format}.`);
  }
  const missing = await engine.unavailable();
  if (missing) throw new WhittleError('runtime.missing', missing.reason, { hint: missing.hint });
  return engine;
}
