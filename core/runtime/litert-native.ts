import { WhittleError } from '../contract/errors.ts';
import type { Engine, OpenOptions, OperatorTime, PortInfo, Session } from '../ir/engine.ts';
import type { Tensor } from '../ir/tensor.ts';
import { openCLibrary, type Pointer } from './c-library.ts';
import { modelBytes, modelLabel, runtimeFailed, wordsFrom, wordsOf } from './failure.ts';
import { openLiteRtApi, statusInWords } from './litert-api.ts';
import { findLiteRt, hasAccelerator } from './litert-library.ts';
import { type Compiled, compileModel, type LiteRt } from './litert-open.ts';
import { type BoundPort, type BoundPorts, bindPorts } from './litert-ports.ts';
import { profileOperators } from './litert-profiler.ts';
import { checkFeeds } from './ports.ts';
import { verifyTflite } from './tflite-file.ts';
import { defaultThreads } from './threads.ts';

const lockRead = 0;
const lockWrite = 1;
const installHint =
  'run `npm run setup:litert`, or install the Python package ai-edge-litert, or set WHITTLE_LITERT to the library';

/** A result whose size arises while the model runs cannot be given its buffer a second time. */
const onceHint =
  'LiteRT runs a model whose shapes arise at run time only once; optimize it to float32 first, which settles them';

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

class LiteRtSession implements Session {
  readonly engine = 'litert';
  readonly description: string;
  readonly inputs: readonly PortInfo[];
  readonly outputs: readonly PortInfo[];
  readonly loadMs: number;
  private readonly litert: LiteRt;
  private readonly compiled: Compiled;
  private readonly ports: BoundPorts;
  private readonly label: string;
  private readonly options: OpenOptions;
  private readonly inputBuffers: BigUint64Array;
  private readonly outputBuffers: BigUint64Array;
  private readonly locked = new BigUint64Array(1);
  private closed = false;
  private proven = false;

  constructor(
    litert: LiteRt,
    compiled: Compiled,
    ports: BoundPorts,
    label: string,
    options: OpenOptions,
    description: string,
    loadMs: number,
  ) {
    this.litert = litert;
    this.compiled = compiled;
    this.ports = ports;
    this.label = label;
    this.options = options;
    this.description = description;
    this.loadMs = loadMs;
    this.inputs = ports.inputs.map(portInfo);
    this.outputs = ports.outputs.map(portInfo);
    this.inputBuffers = BigUint64Array.from(ports.inputs, (port) => port.buffer);
    this.outputBuffers = BigUint64Array.from(ports.outputs, (port) => port.buffer);
  }

  async run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    this.writeInputs(feeds);
    this.invoke();
    const results: Record<string, Tensor> = {};
    for (const port of this.ports.outputs) {
      const bytes = new Uint8Array(port.bytes);
      this.litert.c.copy(bytes, this.lock(port.buffer, lockRead), port.bytes);
      this.litert.api.UnlockTensorBuffer(port.buffer);
      results[port.name] = { dtype: port.dtype, shape: port.shape, bytes };
    }
    return results;
  }

  async time(feeds: Readonly<Record<string, Tensor>>, runs: number): Promise<Float64Array> {
    this.writeInputs(feeds);
    const times = new Float64Array(runs);
    // A GPU run returns before the work is done; reading its output waits for it.
    const waitFor = this.options.device === 'gpu' ? this.ports.outputs : [];
    for (let i = 0; i < runs; i++) {
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
    return profileOperators(this.litert, this.compiled.compiled, () => this.invoke());
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.compiled.handles.destroyAll();
  }

  private writeInputs(feeds: Readonly<Record<string, Tensor>>): void {
    if (this.closed) throw new WhittleError('internal', `the session of ${this.label} is closed`);
    const tensors = checkFeeds(this.inputs, feeds);
    this.ports.inputs.forEach((port, i) => {
      this.litert.c.copy(this.lock(port.buffer, lockWrite), tensors[i].bytes, port.bytes);
      this.litert.api.UnlockTensorBuffer(port.buffer);
    });
  }

  private invoke(): void {
    if (this.proven && this.runCompiled() === 0) return;
    // LiteRT says why a run failed on stderr only: the first run, and a failed one once more, are listened to.
    const { result, lines } = this.litert.c.withStderr(() => this.runCompiled());
    if (this.proven || result !== 0) {
      const words = wordsFrom(lines, `RunCompiledModel: ${statusInWords(result)}`);
      const hint = this.proven && /custom allocation/.test(words) ? onceHint : undefined;
      throw runtimeFailed('LiteRT', `run ${this.label}`, words, hint);
    }
    this.proven = true;
  }

  private runCompiled(): number {
    return this.litert.api.RunCompiledModel(
      this.compiled.compiled,
      this.ports.signature,
      this.inputBuffers.length,
      this.inputBuffers,
      this.outputBuffers.length,
      this.outputBuffers,
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
  if (device === 'gpu' && !hasAccelerator(litert.library))
    throw new WhittleError('runtime.missing', `no GPU accelerator lies beside ${litert.library.path}`, {
      hint: 'run `npm run setup:litert`',
    });
  const threads = options.threads ?? defaultThreads();
  const label = modelLabel(model);
  verifyTflite(await modelBytes(model, 'LiteRT'), label);
  const compiled = compileModel(litert, model, options, threads);
  try {
    const ports = bindListening(litert, compiled, label);
    const description = describeRuntime(litert, device, threads, compiled.fullyAccelerated);
    return new LiteRtSession(litert, compiled, ports, label, options, description, performance.now() - start);
  } catch (error) {
    compiled.handles.destroyAll();
    throw error;
  }
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
