import type { MemoryView, ProfileView } from '../contract/views.ts';
import { readModel } from '../formats/open-model.ts';
import { type TfliteModelView, viewModel } from '../formats/tflite/model-view.ts';
import type { Engine, OpenOptions, Session } from '../ir/engine.ts';
import { readWhole } from '../ir/read-file.ts';
import type { Tensor } from '../ir/tensor.ts';
import { litertGpu } from '../targets/litert-gpu.ts';
import { mainSubgraph } from '../targets/predict.ts';
import { describeTarget } from '../targets/targets.ts';
import { xnnpack } from '../targets/xnnpack.ts';
import { fallbackOfRun, gpuFallback } from './fallback.ts';
import { randomFeeds } from './feeds.ts';
import { type LatencyOptions, measureLatency } from './latency.ts';
import { doubts, LoadWatch, machineState, resetPeakRss } from './machine.ts';
import { graphMemory, tfliteMemory } from './model-memory.ts';
import { operatorTable } from './operator-table.ts';
import { measureRoofline } from './roofline.ts';

export interface ProfileOptions extends LatencyOptions {
  readonly device?: string;
  readonly threads: number;
  /** Operator times too; they come from a second session, since recording them costs time. */
  readonly perOp?: boolean;
  /** What to run on; repeatable random numbers when left out. */
  readonly feeds?: Readonly<Record<string, Tensor>>;
}

/** Runs for the operator times. */
const profiledRuns = 30;

/**
 * Opens a model and measures it: `whittle profile` and the Profile stage. Says what it ran on, how busy that was, and
 * whether the numbers can be trusted.
 * @throws WhittleError what opening, running or cancelling throw
 */
export async function profileModel(
  engine: Engine,
  model: string | Uint8Array,
  path: string,
  options: ProfileOptions,
): Promise<ProfileView> {
  const device = options.device ?? 'cpu';
  // The WebAssembly build runs on one thread whatever was asked for.
  const threads = engine.id === 'litert-wasm' ? 1 : options.threads;
  const open: OpenOptions = { device, threads: options.threads };
  const machine = await machineState();
  const file = engine.format === 'tflite' ? await tfliteView(model) : undefined;
  resetPeakRss();
  const session = await engine.open(model, open);
  try {
    const feeds = options.feeds ?? randomFeeds(session.inputs);
    const watch = new LoadWatch();
    const latency = await measureLatency(session, feeds, options);
    const otherCores = watch.otherCores();
    const perOp = options.perOp ? await operatorShares(engine, model, open, feeds, file) : undefined;
    const memory = file ? tfliteMemory(mainSubgraph(file)) : await onnxMemory(model);
    const { valid, notes } = doubts(latency, otherCores, threads, machine);
    return {
      path,
      engine: engine.id,
      device,
      threads,
      ...latency,
      timesMs: [...latency.timesMs],
      ...perOp,
      runtime: session.description,
      valid,
      notes: options.perOp && !perOp ? [...notes, 'This runtime tells no operator times here.'] : notes,
      machine: { ...machine, otherCores },
      ...(memory && { memory }),
      ...(file && device === 'cpu' && { delegation: describeTarget(file, xnnpack) }),
      ...(file && device === 'gpu' && gpuViews(file, session)),
    };
  } finally {
    await session.close();
  }
}

function gpuViews(file: TfliteModelView, session: Session): Pick<ProfileView, 'delegation' | 'fallback'> {
  return {
    delegation: describeTarget(file, litertGpu),
    fallback: gpuFallback(file, session.isAllOnDevice),
  };
}

/** `undefined` where the engine records no operator times. */
async function operatorShares(
  engine: Engine,
  model: string | Uint8Array,
  open: OpenOptions,
  feeds: Readonly<Record<string, Tensor>>,
  file: TfliteModelView | undefined,
): Promise<Pick<ProfileView, 'perOp' | 'roofline' | 'fallback'> | undefined> {
  if (engine.id === 'litert' && open.device === 'gpu') return undefined;
  const session = await engine.open(model, { ...open, profile: true });
  try {
    if (!session.operatorTimes) return undefined;
    await session.time(feeds, profiledRuns);
    const times = await session.operatorTimes();
    const roofline = await measureRoofline(engine, open);
    return {
      perOp: operatorTable(times, file, roofline),
      roofline,
      ...(open.device !== 'cpu' && { fallback: fallbackOfRun(times, open.device ?? 'gpu') }),
    };
  } finally {
    await session.close();
  }
}

async function tfliteView(model: string | Uint8Array): Promise<TfliteModelView | undefined> {
  try {
    return viewModel(typeof model === 'string' ? await readWhole(model) : model);
  } catch {
    // What is wrong with the file is the runtime's to say, a moment later.
    return undefined;
  }
}

async function onnxMemory(model: string | Uint8Array): Promise<MemoryView | undefined> {
  if (typeof model !== 'string') return undefined;
  try {
    const { graph } = await readModel(model, {});
    return graph && graphMemory(graph);
  } catch {
    return undefined;
  }
}
