import { WhittleError } from '../contract/errors.ts';
import { byteLength } from '../ir/dtype.ts';
import type { Engine, OpenOptions, PortInfo, Session } from '../ir/engine.ts';
import { elementCount, type Tensor } from '../ir/tensor.ts';
import { dtypeOfElementType } from './element-types.ts';
import { modelLabel, runtimeFailed, wordsFrom, wordsOf } from './failure.ts';
import {
  type LoadedWasm,
  loadLiteRtWasm,
  vectorItems,
  type WasmBuffer,
  type WasmCompiledModel,
  type WasmModel,
  type WasmTensorType,
} from './litert-wasm-module.ts';
import { modelSize, readModelInto } from './model-bytes.ts';
import { checkFeeds } from './ports.ts';
import { tflitePorts, verifyTflite } from './tflite-file.ts';

const name = 'LiteRT WASM';

interface WasmPort extends PortInfo {
  readonly shape: readonly number[];
  readonly bytes: number;
}

interface Parts {
  readonly wasm: LoadedWasm;
  readonly model: WasmModel;
  readonly compiled: WasmCompiledModel;
  readonly signature: number;
  readonly inputs: readonly WasmPort[];
  readonly outputs: readonly WasmPort[];
  readonly inputBuffers: readonly WasmBuffer[];
  readonly label: string;
  destroy(): void;
}

class LiteRtWasmSession implements Session {
  readonly engine = 'litert-wasm';
  readonly description: string;
  readonly inputs: readonly PortInfo[];
  readonly outputs: readonly PortInfo[];
  readonly loadMs: number;
  private readonly parts: Parts;
  private closed = false;

  constructor(parts: Parts, loadMs: number) {
    this.parts = parts;
    this.loadMs = loadMs;
    this.description = `LiteRT ${parts.wasm.version} WebAssembly, XNNPACK, 1 thread`;
    this.inputs = parts.inputs.map(portInfo);
    this.outputs = parts.outputs.map(portInfo);
  }

  async run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    this.writeInputs(feeds);
    const { binding } = this.parts.wasm;
    const buffers = await this.invoke();
    const results: Record<string, Tensor> = {};
    this.parts.outputs.forEach((port, i) => {
      const address = buffers[i].lock(binding.LiteRtTensorBufferLockMode.READ);
      const bytes = binding.HEAPU8.slice(address, address + port.bytes);
      buffers[i].unlock();
      buffers[i].delete();
      results[port.name] = { dtype: port.dtype, shape: port.shape, bytes };
    });
    return results;
  }

  async time(feeds: Readonly<Record<string, Tensor>>, runs: number): Promise<Float64Array> {
    this.writeInputs(feeds);
    const times = new Float64Array(runs);
    for (let i = 0; i < runs; i++) {
      const start = performance.now();
      const buffers = await this.invoke();
      times[i] = performance.now() - start;
      for (const buffer of buffers) buffer.delete();
    }
    return times;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.parts.destroy();
  }

  private writeInputs(feeds: Readonly<Record<string, Tensor>>): void {
    if (this.closed) throw new WhittleError('internal', `the session of ${this.parts.label} is closed`);
    const { binding } = this.parts.wasm;
    const tensors = checkFeeds(this.inputs, feeds);
    this.parts.inputBuffers.forEach((buffer, i) => {
      const address = buffer.lock(binding.LiteRtTensorBufferLockMode.WRITE);
      binding.HEAPU8.set(tensors[i].bytes, address);
      buffer.unlock();
    });
  }

  private async invoke(): Promise<WasmBuffer[]> {
    try {
      const buffers = this.parts.compiled.run(this.parts.signature, this.parts.inputBuffers);
      return buffers instanceof Promise ? await buffers : buffers;
    } catch (cause) {
      throw runtimeFailed(name, `run ${this.parts.label}`, withLog(this.parts.wasm, cause));
    }
  }
}

function portInfo({ name, dtype, shape, quant }: WasmPort): PortInfo {
  return quant ? { name, dtype, shape, quant } : { name, dtype, shape };
}

/** What was thrown, after the errors that the runtime wrote before it. */
function withLog(wasm: LoadedWasm, cause: unknown): string {
  return wordsFrom(wasm.takeLog(), wordsOf(cause));
}

async function open(model: Uint8Array | string, options: OpenOptions = {}): Promise<Session> {
  const start = performance.now();
  if ((options.device ?? 'cpu') !== 'cpu')
    throw new WhittleError('runtime.missing', `${name} runs on the CPU only, not on ${options.device}`);
  const label = modelLabel(model);
  const wasm = await loadLiteRtWasm();
  const cleanups: (() => void)[] = [];
  const destroy = () => {
    for (let cleanup = cleanups.pop(); cleanup; cleanup = cleanups.pop()) cleanup();
  };
  try {
    const file = await placeModel(wasm, model, cleanups);
    verifyTflite(file.bytes(), label);
    const parts = await build(wasm, file, label, cleanups, destroy);
    wasm.takeLog();
    return new LiteRtWasmSession(parts, performance.now() - start);
  } catch (cause) {
    destroy();
    if (cause instanceof WhittleError) throw cause;
    throw runtimeFailed(name, `open ${label}`, withLog(wasm, cause));
  }
}

/** A file in the runtime's memory. */
interface PlacedModel {
  readonly address: number;
  readonly byteLength: number;
  /** A view that is good until the memory grows. */
  bytes(): Uint8Array;
}

/** Puts a model into the runtime's memory; one on disk is read right into it, without a copy beside it. */
async function placeModel(
  { binding }: LoadedWasm,
  model: Uint8Array | string,
  cleanups: (() => void)[],
): Promise<PlacedModel> {
  const byteLength = await modelSize(model, name);
  const address = binding._malloc(Math.max(1, byteLength));
  if (address === 0) throw new RangeError(`no memory for ${byteLength} bytes`);
  cleanups.push(() => binding._free(address));
  const bytes = () => binding.HEAPU8.subarray(address, address + byteLength);
  await readModelInto(bytes(), model, name);
  return { address, byteLength, bytes };
}

async function build(
  wasm: LoadedWasm,
  file: PlacedModel,
  label: string,
  cleanups: (() => void)[],
  destroy: () => void,
): Promise<Parts> {
  const { binding, environment } = wasm;
  wasm.takeLog();
  const model = binding.loadModel(environment, file.address, file.byteLength);
  cleanups.push(() => model.delete());
  const compiled = await binding.compileModel(environment, model, {
    environment,
    accelerator: 'wasm',
    cpuOptions: { numThreads: 1 },
    gpuOptions: {},
    webNNOptions: {},
  });
  cleanups.push(() => compiled.delete());

  const signature = chooseSignature(model);
  const known = tflitePorts(file.bytes(), signature);
  const handle = model.getSignature(signature);
  const inputNames = vectorItems(handle.inputNames());
  const outputNames = vectorItems(handle.outputNames());
  handle.delete();
  const inputBuffers: WasmBuffer[] = [];
  const inputs = inputNames.map((port, i) => {
    const declared = model.getInputTensorType(signature, i);
    const info = portOf(port, declared, known);
    const type = concreteType(wasm, declared, info.shape);
    const buffer = binding.LiteRtTensorBuffer.createManaged(
      environment,
      binding.LiteRtTensorBufferType.HOST_MEMORY,
      type,
      info.bytes,
    );
    cleanups.push(() => buffer.delete());
    inputBuffers.push(buffer);
    if (type !== declared) type.delete();
    declared.delete();
    return info;
  });
  const outputs = outputNames.map((port, i) => {
    const declared = model.getOutputTensorType(signature, i);
    const info = portOf(port, declared, known);
    declared.delete();
    return info;
  });
  return { wasm, model, compiled, signature, inputs, outputs, inputBuffers, label, destroy };
}

function chooseSignature(model: WasmModel): number {
  for (let i = 0; i < model.getNumSignatures(); i++) {
    const signature = model.getSignature(i);
    const key = signature.key();
    signature.delete();
    if (key === 'serving_default') return i;
  }
  return 0;
}

function portOf(port: string, type: WasmTensorType, known: ReturnType<typeof tflitePorts>): WasmPort {
  const layout = type.layout();
  const dims = vectorItems(layout.dimensions());
  layout.delete();
  const extra = known.get(port);
  const shape = dims.map((dim, axis) => (dim >= 0 ? dim : (extra?.shape[axis] ?? 1)));
  const dtype = dtypeOfElementType(type.elementType().value);
  const quant = extra?.quant;
  return { name: port, dtype, shape, bytes: byteLength(dtype, elementCount(shape)), ...(quant && { quant }) };
}

/** The type itself when it has no open dimension, else one with `shape`. */
function concreteType(
  { binding }: LoadedWasm,
  type: WasmTensorType,
  shape: readonly number[],
): WasmTensorType {
  const layout = type.layout();
  const open = vectorItems(layout.dimensions()).some((dim) => dim < 0);
  layout.delete();
  if (!open) return type;
  const dimensions = new binding.VectorInt32();
  for (const dim of shape) dimensions.push_back(dim);
  const concrete = binding.LiteRtLayout.create(dimensions);
  const result = binding.LiteRtRankedTensorType.create(type.elementType(), concrete);
  dimensions.delete();
  concrete.delete();
  return result;
}

/** LiteRT inside WebAssembly: always there and safe on damaged files, four times slower than native. It checks exports. */
export const litertWasmEngine: Engine = {
  id: 'litert-wasm',
  format: 'tflite',
  async unavailable() {
    try {
      await loadLiteRtWasm();
      return undefined;
    } catch (cause) {
      return { reason: `@litertjs/core does not load: ${wordsOf(cause)}`, hint: 'run `npm install` again' };
    }
  },
  open,
};
