import type { OpenOptions } from '../ir/engine.ts';
import type { CLibrary, Koffi, Pointer } from './c-library.ts';
import { modelLabel, runtimeFailed, wordsFrom } from './failure.ts';
import { type LiteRtApi, type LiteRtCall, statusInWords } from './litert-api.ts';
import type { LiteRtLibrary } from './litert-library.ts';

/** The loaded library with everything that is needed to call it. */
export interface LiteRt {
  readonly ffi: Koffi;
  readonly c: CLibrary;
  readonly api: LiteRtApi;
  readonly library: LiteRtLibrary;
}

/** What is owned by one session, destroyed in the reverse order of creation. */
export class Handles {
  private readonly destroyers: (() => void)[] = [];

  own(destroy: () => void): void {
    this.destroyers.push(destroy);
  }

  destroyAll(): void {
    for (let destroy = this.destroyers.pop(); destroy; destroy = this.destroyers.pop()) destroy();
  }
}

/** A model compiled for its device, not yet looked at. Its parts live until `handles.destroyAll()`. */
export interface Compiled {
  readonly handles: Handles;
  readonly environment: Pointer;
  readonly model: Pointer;
  readonly compiled: Pointer;
  /** On the GPU: whether no operator is left to the CPU. */
  readonly fullyAccelerated: boolean;
}

const cpuBit = 1;
const gpuBit = 2;
const environmentOption = { libraryFolder: 22, autoRegister: 24, logSeverity: 25 };
const anyType = { integer: 2, string: 8 };
const errorSeverity = 3;

/** Bytes of one `LiteRtEnvOption`: int32 tag, then at 8 a tagged union of int32 kind and, at 16, its 8-byte value. */
const environmentOptionBytes = 24;

/** @throws WhittleError `runtime.failed` with what LiteRT wrote about it. Nothing stays allocated then. */
export function compileModel(
  litert: LiteRt,
  model: Uint8Array | string,
  options: OpenOptions,
  threads: number,
): Compiled {
  const handles = new Handles();
  try {
    const { result, lines } = litert.c.withStderr(() => compile(litert, handles, model, options, threads));
    if ('failed' in result) {
      const words = wordsFrom(lines, `${result.failed}: ${statusInWords(result.status)}`);
      throw runtimeFailed('LiteRT', `open ${modelLabel(model)}`, words);
    }
    return result;
  } catch (error) {
    handles.destroyAll();
    throw error;
  }
}

function compile(
  litert: LiteRt,
  handles: Handles,
  model: Uint8Array | string,
  options: OpenOptions,
  threads: number,
): Compiled | { failed: LiteRtCall; status: number } {
  const { api, c } = litert;
  const out = new BigUint64Array(1);
  let failed: { failed: LiteRtCall; status: number } | undefined;
  const create = (
    call: LiteRtCall,
    destroy: LiteRtCall,
    ...args: Parameters<LiteRtApi[LiteRtCall]>
  ): Pointer => {
    out[0] = 0n;
    const status = api[call](...args, out);
    if (status !== 0) {
      failed = { failed: call, status };
      return 0n;
    }
    const handle = out[0];
    handles.own(() => api[destroy](handle));
    return handle;
  };

  const onGpu = options.device === 'gpu';
  const environmentOptions = packEnvironmentOptions(litert, handles, onGpu ? cpuBit | gpuBit : cpuBit);
  const environment = create(
    'CreateEnvironment',
    'DestroyEnvironment',
    environmentOptions.byteLength / environmentOptionBytes,
    environmentOptions,
  );
  if (failed) return failed;

  let loaded: Pointer;
  if (typeof model === 'string') {
    loaded = create('CreateModelFromFile', 'DestroyModel', environment, model);
  } else {
    // The runtime reads weights from this memory as long as the model lives.
    const copy = c.allocate(model.byteLength);
    handles.own(() => c.free(copy));
    c.copy(copy, model, model.byteLength);
    loaded = create('CreateModelFromBuffer', 'DestroyModel', environment, copy, model.byteLength);
  }
  if (failed) return failed;

  const compilation = create('CreateOptions', 'DestroyOptions');
  if (failed) return failed;
  api.SetOptionsHardwareAccelerators(compilation, onGpu ? cpuBit | gpuBit : cpuBit);
  addTomlOptions(litert, compilation, 'xnnpack', `num_threads = ${threads}\n`);
  addTomlOptions(
    litert,
    compilation,
    'runtime_options_string',
    `enable_profiling = ${options.profile === true}\nerror_reporter_mode = 1\n`,
  );
  const compiled = create('CreateCompiledModel', 'DestroyCompiledModel', environment, loaded, compilation);
  if (failed) return failed;

  const flag = new Uint8Array(1);
  api.CompiledModelIsNonCpuFullyAccelerated(compiled, flag);
  return { handles, environment, model: loaded, compiled, fullyAccelerated: flag[0] === 1 };
}

function packEnvironmentOptions({ c, library }: LiteRt, handles: Handles, devices: number): Uint8Array {
  const options: { tag: number; kind: number; value: bigint }[] = [
    { tag: environmentOption.logSeverity, kind: anyType.integer, value: BigInt(errorSeverity) },
    { tag: environmentOption.autoRegister, kind: anyType.integer, value: BigInt(devices) },
  ];
  if (devices & gpuBit) {
    const folder = Buffer.from(`${library.folder}\0`);
    const address = c.allocate(folder.length);
    handles.own(() => c.free(address));
    c.copy(address, folder, folder.length);
    options.push({ tag: environmentOption.libraryFolder, kind: anyType.string, value: address });
  }
  const packed = new DataView(new ArrayBuffer(options.length * environmentOptionBytes));
  options.forEach(({ tag, kind, value }, i) => {
    packed.setInt32(i * environmentOptionBytes, tag, true);
    packed.setInt32(i * environmentOptionBytes + 8, kind, true);
    packed.setBigInt64(i * environmentOptionBytes + 16, value, true);
  });
  return new Uint8Array(packed.buffer);
}

/** Options without a setter of their own travel as TOML text, which the options object then owns and frees. */
function addTomlOptions({ api, c }: LiteRt, options: Pointer, identifier: string, toml: string): void {
  const text = Buffer.from(`${toml}\0`);
  const address = c.allocate(text.length);
  c.copy(address, text, text.length);
  const out = new BigUint64Array(1);
  if (api.CreateOpaqueOptions(identifier, address, c.freeAddress, out) === 0)
    api.AddOpaqueOptions(options, out[0]);
  else c.free(address);
}
