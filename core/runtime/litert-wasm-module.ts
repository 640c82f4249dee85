import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { compileFunction } from 'node:vm';

/** Objects of the C++ binding are freed by hand. */
interface Deletable {
  delete(): void;
}
interface EmscriptenVector<T> extends Deletable {
  size(): number;
  get(index: number): T;
}
interface EnumElement {
  readonly value: number;
}
interface WritableVector extends EmscriptenVector<number> {
  push_back(item: number): void;
}
export interface WasmLayout extends Deletable {
  dimensions(): EmscriptenVector<number>;
}
export interface WasmTensorType extends Deletable {
  elementType(): EnumElement;
  layout(): WasmLayout;
  bytes(): number;
}
interface WasmSignature extends Deletable {
  key(): string;
  inputNames(): EmscriptenVector<string>;
  outputNames(): EmscriptenVector<string>;
}
export interface WasmModel extends Deletable {
  getNumSignatures(): number;
  getSignature(index: number): WasmSignature;
  getInputTensorType(signature: number, index: number): WasmTensorType;
  getOutputTensorType(signature: number, index: number): WasmTensorType;
}
export interface WasmBuffer extends Deletable {
  lock(mode: EnumElement): number;
  unlock(): void;
  tensorType(): WasmTensorType;
}
export interface WasmCompiledModel extends Deletable {
  run(signature: number, inputs: readonly WasmBuffer[]): WasmBuffer[] | Promise<WasmBuffer[]>;
}
type WasmEnvironment = Deletable;

/** The C++ binding of `@litertjs/core` below its JavaScript wrapper, as far as it is used here. */
export interface LiteRtWasm {
  readonly HEAPU8: Uint8Array;
  _malloc(size: number): number;
  _free(address: number): void;
  setupLogging(): void;
  readonly LiteRtEnvironment: { create(device: null): WasmEnvironment };
  loadModel(environment: WasmEnvironment, address: number, size: number): WasmModel;
  compileModel(
    environment: WasmEnvironment,
    model: WasmModel,
    options: object,
  ): WasmCompiledModel | Promise<WasmCompiledModel>;
  readonly LiteRtTensorBuffer: {
    createManaged(
      environment: WasmEnvironment,
      kind: EnumElement,
      type: WasmTensorType,
      bytes: number,
    ): WasmBuffer;
  };
  readonly LiteRtTensorBufferType: { readonly HOST_MEMORY: EnumElement };
  readonly LiteRtTensorBufferLockMode: { readonly READ: EnumElement; readonly WRITE: EnumElement };
  readonly LiteRtLayout: { create(dimensions: WritableVector): WasmLayout };
  readonly LiteRtRankedTensorType: { create(element: EnumElement, layout: WasmLayout): WasmTensorType };
  readonly VectorInt32: new () => WritableVector;
}

export interface LoadedWasm {
  readonly binding: LiteRtWasm;
  readonly environment: WasmEnvironment;
  readonly version: string;
  /** Lines that the runtime wrote since the last call. */
  takeLog(): string[];
}

/** The part of `WebAssembly` that is used; its types come with the DOM, which the core does not have. */
interface WebAssemblyApi {
  validate(bytes: Uint8Array): boolean;
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(module: object, imports: object): Promise<object>;
}
const webAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

type Factory = (settings: object) => Promise<LiteRtWasm>;

/** A module of one function with a relaxed SIMD instruction (i8x16.relaxed_swizzle of two constants, dropped). */
const relaxedSimdProbe = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 16, 1, 14, 0, 65, 0, 253, 15, 65, 0, 253,
  15, 253, 128, 2, 26, 11,
]);

let loading: Promise<LoadedWasm> | undefined;

/**
 * LiteRT's WebAssembly build, compiled once per thread. The wrapper of `@litertjs/core` is made for browsers and
 * refuses 8- and 16-bit tensors, so the binding below it is loaded here.
 */
export function loadLiteRtWasm(): Promise<LoadedWasm> {
  loading ??= load().catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(): Promise<LoadedWasm> {
  const require = createRequire(import.meta.url);
  const folder = join(dirname(require.resolve('@litertjs/core')), '..');
  // Node 20 has no relaxed SIMD; the package carries a build without it.
  const relaxed = webAssembly.validate(relaxedSimdProbe);
  const base = join(folder, 'wasm', relaxed ? 'litert_wasm_internal' : 'litert_wasm_compat_internal');
  const [source, code, manifest] = await Promise.all([
    readFile(`${base}.js`, 'utf8'),
    readFile(`${base}.wasm`).then(compileLazily),
    readFile(join(folder, 'package.json'), 'utf8'),
  ]);
  const factory = evaluateLoader(source, `${base}.js`, require);
  let log: string[] = [];
  const binding = await factory({
    instantiateWasm(imports: object, receive: (instance: object, module: object) => void) {
      webAssembly.instantiate(code, imports).then((instance) => receive(instance, code));
      return {};
    },
    print: (line: string) => log.push(line),
    printErr: (line: string) => log.push(line),
  });
  binding.setupLogging();
  const environment = binding.LiteRtEnvironment.create(null);
  const takeLog = () => {
    const lines = log;
    log = [];
    return lines;
  };
  return { binding, environment, version: (JSON.parse(manifest) as { version: string }).version, takeLog };
}

/**
 * About as many bytes of code as a function executes before it is optimized. By default small ones are optimized within
 * the first run, which gains nothing yet, and the process' end waits 0.2 s for what is under way.
 */
const tieringBudget = 100_000_000;

/**
 * Validates functions when they are first called instead of all 9 MB at once, which takes most of the load time.
 * Electron may have fixed V8's flags by then, so it is left as it is there.
 */
async function compileLazily(bytes: Uint8Array): Promise<object> {
  if (process.versions.electron) return webAssembly.compile(bytes);
  setFlagsFromString(`--wasm-tiering-budget=${tieringBudget}`);
  setFlagsFromString('--wasm-lazy-validation');
  try {
    return await webAssembly.compile(bytes);
  } finally {
    setFlagsFromString('--no-wasm-lazy-validation');
  }
}

/**
 * The loader is a CommonJS script inside a package that says it is made of ES modules: neither `import` nor `require`
 * takes it, so it is run as a function here.
 */
function evaluateLoader(source: string, path: string, require: NodeJS.Require): Factory {
  const module: { exports: unknown } = { exports: {} };
  const script = compileFunction(source, ['module', 'exports', 'require', '__filename', '__dirname'], {
    filename: path,
  });
  script(module, module.exports, require, path, dirname(path));
  return module.exports as Factory;
}

export function vectorItems<T>(vector: EmscriptenVector<T>): T[] {
  const items = Array.from({ length: vector.size() }, (_, i) => vector.get(i));
  vector.delete();
  return items;
}
