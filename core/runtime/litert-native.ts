import { WhittleError } from '../contract/errors.ts';
import type { Engine, OpenOptions, OperatorTime, PortInfo, Session } from '../ir/engine.ts';
import type { Tensor } from '../ir/tensor.ts';
import { openCLibrary, type Pointer } from './c-library.ts';
import { modelLabel, runtimeFailed, wordsFrom, wordsOf } from './failure.ts';
import { openLiteRtApi, statusInWords } from './litert-api.ts';
import { findLiteRt, hasAccelerator } from './litert-library.ts';
import { type Compiled, compileModel, type LiteRt } from './litert-open.ts';
import { type BoundPort, type BoundPorts, bindPorts } from './litert-ports.ts';
import { profileOperators } from './litert-profiler.ts';
import { lookInto } from './model-bytes.ts';
import { checkFeeds } from './ports.ts';
import { verifyTflite } from './tflite-file.ts';
import { defaultThreads } from './threads.ts';

const lockRead = 0;
const lockWrite = 1;
const installHint =
  'run `npm run setup:litert`, or install the Python package ai-edge-litert, or set WHITTLE_LITERT to the library';

let loading: Promise<LiteRt> | undefined;

function loadLiteRt(): Promise<LiteRt> {
  loading ??= (async () => {
    const library = findLiteRt();
    if (!library)
      throw new WhittleError('runtime.missing', 'the LiteRT library is not on this machine', {
        hint: installHint,
      });
    try {
      const ffi = (await import('koffi')).default;
      const litert = { ffi, c: openCLibrary(ffi), api: openLiteRtApi(ffi, library.path), library };
      settle(litert);
      return litert;
    } catch (cause) {
      throw new WhittleError('runtime.missing', `${library.path} does not load: ${wordsOf(cause)}`, {
        hint: installHint,
        cause,
      });
    }
  })();
  return loading;
}

/** A process that loads the library but never makes an environment crashes when it exits; one is made and let go. */
function settle({ api, c }: LiteRt): void {
  const environment = new BigUint64Array(1);
  c.withStderr(() => {
    if (api.CreateEnvironment(0, null, environment) === 0) api.DestroyEnvironment(environment[0]);
  });
}

/** A model in memory with the buffers of its inputs and outputs. */
interface Loaded {
  readonly compiled: Compiled;
  readonly ports: BoundPorts;
  readonly inputBuffers: BigUint64Array;
  readonly outputBuffers: BigUint64Array;
}

class LiteRtSession implements Session {
  readonly engine = 'litert';
  readonly inputs: readonly PortInfo[];
  readonly outputs: readonly PortInfo[];
  readonly loadMs: number;
  readonly isAllOnDevice: boolean | undefined;
  private readonly litert: LiteRt;
  private readonly load: () => Loaded;
  private readonly label: string;
  private readonly options: OpenOptions;
  private readonly runtime: string;
  private readonly locked = new BigUint64Array(1);
  private loaded: Loaded;
  private fed: readonly Tensor[] = [];
  private closed = false;
  private runs = 0;
  /**
   * LiteRT runs a file whose output shapes are only found while it runs once, and then no more: it has taken other
   * buffers for its outputs than those it was given, which stay as they were. Such a file is loaded anew to be timed.
   */
  private runsOnce = false;

  constructor(
    litert: LiteRt,
    load: () => Loaded,
    label: string,
    options: OpenOptions,
    nameOf: (compiled: Compiled) => string,
    start: number,
  ) {
    this.litert = litert;
    this.load = load;
    this.label = label;
    this.options = options;
    this.loaded = load();
    this.runtime = nameOf(this.loaded.compiled);
    this.loadMs = performance.now() - start;
    this.isAllOnDevice = options.device === 'gpu' ? this.loaded.compiled.fullyAccelerated : undefined;
    this.inputs = this.loaded.ports.inputs.map(portInfo);
    this.outputs = this.loaded.ports.outputs.map(portInfo);
  }

  get description(): string {
    return this.runsOnce ? `${this.runtime}, loaded anew for each run` : this.runtime;
  }

  async run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    this.takeFeeds(feeds);
    // A second run tells whether the first one has filled the outputs' buffers.
    if (this.runs === 0) this.invoke();
    this.ready();
    this.invoke();
    if (this.runsOnce) this.refuseResults();
    const results: Record<string, Tensor> = {};
    for (const port of this.loaded.ports.outputs) {
      const bytes = new Uint8Array(port.bytes);
      this.litert.c.copy(bytes, this.lock(port.buffer, lockRead), port.bytes);
      this.litert.api.UnlockTensorBuffer(port.buffer);
      results[port.name] = { dtype: port.dtype, shape: port.shape, bytes };
    }
    return results;
  }

  async time(feeds: Readonly<Record<string, Tensor>>, runs: number): Promise<Float64Array> {
    this.takeFeeds(feeds);
    const times = new Float64Array(runs);
    // A GPU run returns before the work is done; reading its output waits for it.
    const waitFor = this.options.device === 'gpu' ? this.loaded.ports.outputs : [];
    for (let i = 0; i < runs; i++) {
      this.ready();
      const start = performance.now();
      this.invoke();
      for (const port of waitFor) {
        this.lock(port.buffer, lockRead);
        this.litert.api.UnlockTensorBuffer(port.buffer);
      }
      times[i] = performance.now() - start;
    }
    return times;
  }

  /** Runs the model some more times, on what the inputs hold, under the runtime's profiler. */
  async operatorTimes(): Promise<OperatorTime[]> {
    if (!this.options.profile)
      throw new WhittleError(
        'internal',
        'the session was opened without `profile`, so it has no operator times',
      );
    // The profiler belongs to what is loaded: of a file that runs once it sees one run.
    this.ready();
    const { compiled } = this.loaded.compiled;
    return profileOperators(this.litert, compiled, () => this.invoke(), this.runsOnce);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.loaded.compiled.handles.destroyAll();
  }

  private takeFeeds(feeds: Readonly<Record<string, Tensor>>): void {
    if (this.closed) throw new WhittleError('internal', `the session of ${this.label} is closed`);
    this.fed = checkFeeds(this.inputs, feeds);
    this.writeInputs();
  }

  private writeInputs(): void {
    this.loaded.ports.inputs.forEach((port, i) => {
      this.litert.c.copy(this.lock(port.buffer, lockWrite), this.fed[i].bytes, port.bytes);
      this.litert.api.UnlockTensorBuffer(port.buffer);
    });
  }

  private refuseResults(): never {
    throw new WhittleError(
      'runtime.failed',
      `LiteRT does not give out the results of ${this.label}: the shapes of its outputs are only found while it runs.`,
      { hint: 'Optimize it to float32 first, which settles the shapes.' },
    );
  }

  /** Before a run of a file that has run. */
  private ready(): void {
    if (!this.runsOnce) return;
    this.loaded.compiled.handles.destroyAll();
    this.loaded = this.load();
    this.writeInputs();
  }

  private invoke(): void {
    // LiteRT says why a run failed on stderr only: the first two runs, and a failed one once more, are listened to.
    if (this.runs > 1 && this.runCompiled() === 0) return;
    let { result, lines } = this.litert.c.withStderr(() => this.runCompiled());
    if (result !== 0 && this.runs > 0 && !this.runsOnce) {
      this.runsOnce = true;
      this.ready();
      ({ result, lines } = this.litert.c.withStderr(() => this.runCompiled()));
    }
    if (result !== 0) throw this.failedRun(result, lines);
    this.runs++;
  }

  private failedRun(status: number, lines: readonly string[]): WhittleError {
    const words = wordsFrom(lines, `RunCompiledModel: ${statusInWords(status)}`);
    return runtimeFailed('LiteRT', `run ${this.label}`, words);
  }

  private runCompiled(): number {
    const { compiled, ports, inputBuffers, outputBuffers } = this.loaded;
    return this.litert.api.RunCompiledModel(
      compiled.compiled,
      ports.signature,
      inputBuffers.length,
      inputBuffers,
      outputBuffers.length,
      outputBuffers,
    );
  }

  private lock(buffer: Pointer, mode: number): Pointer {
    const status = this.litert.api.LockTensorBuffer(buffer, this.locked, mode);
    if (status !== 0) throw runtimeFailed('LiteRT', `reach a buffer of ${this.label}`, statusInWords(status));
    return this.locked[0];
  }
}

function portInfo({ name, dtype, shape, quant }: BoundPort): PortInfo {
  return quant ? { name, dtype, shape, quant } : { name, dtype, shape };
}

async function open(model: Uint8Array | string, options: OpenOptions = {}): Promise<Session> {
  const start = performance.now();
  const litert = await loadLiteRt();
  const device = options.device ?? 'cpu';
  if (device !== 'cpu' && device !== 'gpu')
    throw new WhittleError('runtime.missing', `LiteRT has no device ${device}; it has cpu and gpu`);
  if (device === 'gpu' && options.profile)
    throw new WhittleError('model.unsupported-option', 'LiteRT times no operators on the GPU');
  if (device === 'gpu' && !hasAccelerator(litert.library))
    throw new WhittleError('runtime.missing', `no GPU accelerator lies beside ${litert.library.path}`, {
      hint: 'run `npm run setup:litert`',
    });
  const threads = options.threads ?? defaultThreads();
  const label = modelLabel(model);
  await lookInto(model, 'LiteRT', (file) => verifyTflite(file, label));
  const load = (): Loaded => {
    const compiled = compileModel(litert, model, options, threads);
    try {
      const ports = bindListening(litert, compiled, label);
      const buffers = (list: readonly BoundPort[]) => BigUint64Array.from(list, (port) => port.buffer);
      return {
        compiled,
        ports,
        inputBuffers: buffers(ports.inputs),
        outputBuffers: buffers(ports.outputs),
      };
    } catch (error) {
      compiled.handles.destroyAll();
      throw error;
    }
  };
  const nameOf = ({ fullyAccelerated }: Compiled) =>
    describeRuntime(litert, device, threads, fullyAccelerated);
  return new LiteRtSession(litert, load, label, options, nameOf, start);
}

/** Binding the ports plans the model's memory: what LiteRT has to say against that is part of the error. */
function bindListening(litert: LiteRt, compiled: Compiled, label: string): BoundPorts {
  const { result, lines } = litert.c.withStderr(() => {
    try {
      return { ports: bindPorts(litert, compiled, label) };
    } catch (error) {
      return { error };
    }
  });
  if (result.ports) return result.ports;
  const words = wordsFrom(lines, '');
  throw words === '' ? result.error : runtimeFailed('LiteRT', `open ${label}`, words);
}

function describeRuntime(
  { library }: LiteRt,
  device: string,
  threads: number,
  fullyAccelerated: boolean,
): string {
  const version = library.version ? ` ${library.version}` : '';
  if (device === 'gpu')
    return `LiteRT${version} native, GPU${fullyAccelerated ? '' : ' with some operators on the CPU'}`;
  return `LiteRT${version} native, XNNPACK, ${threads} thread${threads === 1 ? '' : 's'}`;
}

/**
 * LiteRT's own library, called directly: what a phone runs, and what latency is measured with. It trusts its files, so
 * they are verified before it sees them.
 */
export const litertNativeEngine: Engine = {
  id: 'litert',
  format: 'tflite',
  async unavailable() {
    try {
      await loadLiteRt();
      return undefined;
    } catch (error) {
      loading = undefined;
      const hint = error instanceof WhittleError ? error.hint : undefined;
      return { reason: wordsOf(error), hint };
    }
  },
  open,
};
