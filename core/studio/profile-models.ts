import { WhittleError } from '../contract/errors.ts';
import type { ProfileView } from '../contract/views.ts';
import { detectFormat } from '../formats/open-model.ts';
import type { Engine, Engines } from '../ir/engine.ts';
import { profileModel } from '../profile/profile-model.ts';
import { pause, throwIfAborted } from './cooperative-dataset.ts';
import { createProgress } from './progress.ts';
import { latencyThreads } from './quick-latency.ts';
import type { TaskContext } from './run-task.ts';

export type EngineChoice = 'auto' | 'litert' | 'litert-wasm' | 'ort';

export interface ProfileRequest {
  readonly items: readonly { readonly path: string; readonly artifactId?: string }[];
  readonly engine: EngineChoice;
  readonly device: string;
  /** Default: all cores, up to four. */
  readonly threads?: number;
  readonly runs?: number;
  readonly perOp: boolean;
}

/**
 * Measures models one after another, each in the runtime that it is meant for or in the one named.
 * @throws WhittleError `usage` when the engine does not run the format, `runtime.missing` when it is not here.
 */
export async function profileModels(
  request: ProfileRequest,
  context: Pick<TaskContext, 'engines' | 'signal' | 'onProgress' | 'onProfile'>,
): Promise<ProfileView[]> {
  const root = createProgress((update) => context.onProgress?.(update));
  const steps = root.split(Object.fromEntries(request.items.map((_item, i) => [String(i), 1])));
  const views: ProfileView[] = [];
  for (const [i, item] of request.items.entries()) {
    await pause();
    throwIfAborted(context.signal);
    const step = steps[String(i)];
    step.report(0, `Profiling ${item.path.split(/[\\/]/).at(-1)}`);
    const engine = await engineFor(item.path, request.engine, context.engines);
    const view = await profileModel(engine, item.path, item.path, {
      device: request.device,
      threads: request.threads ?? latencyThreads,
      runs: request.runs,
      perOp: request.perOp,
      signal: context.signal,
      onProgress: (share) => step.report(share),
    });
    const named = item.artifactId === undefined ? view : { ...view, artifactId: item.artifactId };
    step.finish();
    views.push(named);
    context.onProfile?.(named);
  }
  root.flush();
  return views;
}

/** The engine that runs a file. */
export async function engineFor(path: string, choice: EngineChoice, engines: Engines): Promise<Engine> {
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
