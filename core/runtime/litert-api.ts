import type { Koffi, Pointer } from './c-library.ts';

/**
 * LiteRT's C interface (version 2) as far as it is used here: name without `LiteRt`, then the argument types.
 * `ptr` is an address, or a typed array for the length of the call; all but the destroyers return a status.
 */
const signatures = {
  CreateEnvironment: ['int', 'ptr', 'ptr'],
  CreateModelFromFile: ['ptr', 'str', 'ptr'],
  CreateModelFromBuffer: ['ptr', 'ptr', 'size_t', 'ptr'],
  CreateOptions: ['ptr'],
  SetOptionsHardwareAccelerators: ['ptr', 'int'],
  CreateOpaqueOptions: ['str', 'ptr', 'ptr', 'ptr'],
  AddOpaqueOptions: ['ptr', 'ptr'],
  CreateCompiledModel: ['ptr', 'ptr', 'ptr', 'ptr'],
  CompiledModelIsNonCpuFullyAccelerated: ['ptr', 'ptr'],
  GetNumModelSignatures: ['ptr', 'ptr'],
  GetModelSignature: ['ptr', 'size_t', 'ptr'],
  GetSignatureKey: ['ptr', 'ptr'],
  GetNumSignatureInputs: ['ptr', 'ptr'],
  GetNumSignatureOutputs: ['ptr', 'ptr'],
  GetSignatureInputName: ['ptr', 'size_t', 'ptr'],
  GetSignatureOutputName: ['ptr', 'size_t', 'ptr'],
  GetSignatureInputTensorByIndex: ['ptr', 'size_t', 'ptr'],
  GetSignatureOutputTensorByIndex: ['ptr', 'size_t', 'ptr'],
  GetRankedTensorType: ['ptr', 'ptr'],
  GetQuantizationTypeId: ['ptr', 'ptr'],
  GetPerTensorQuantization: ['ptr', 'ptr'],
  GetCompiledModelInputTensorLayout: ['ptr', 'size_t', 'size_t', 'ptr'],
  GetCompiledModelOutputTensorLayouts: ['ptr', 'size_t', 'size_t', 'ptr', 'bool'],
  GetCompiledModelInputBufferRequirements: ['ptr', 'size_t', 'size_t', 'ptr'],
  GetCompiledModelOutputBufferRequirements: ['ptr', 'size_t', 'size_t', 'ptr'],
  CreateManagedTensorBufferFromRequirements: ['ptr', 'ptr', 'ptr', 'ptr'],
  LockTensorBuffer: ['ptr', 'ptr', 'int'],
  UnlockTensorBuffer: ['ptr'],
  RunCompiledModel: ['ptr', 'size_t', 'size_t', 'ptr', 'size_t', 'ptr'],
  CompiledModelGetProfiler: ['ptr', 'ptr'],
  StartProfiler: ['ptr'],
  StopProfiler: ['ptr'],
  ResetProfiler: ['ptr'],
  GetNumProfilerEvents: ['ptr', 'ptr'],
  GetProfilerEvents: ['ptr', 'int', 'ptr'],
  DestroyEnvironment: ['ptr'],
  DestroyModel: ['ptr'],
  DestroyOptions: ['ptr'],
  DestroyCompiledModel: ['ptr'],
  DestroyTensorBuffer: ['ptr'],
} as const;

type NativeArgument = Pointer | number | string | boolean | ArrayBufferView | null;
export type LiteRtCall = keyof typeof signatures;
export type LiteRtApi = Readonly<Record<LiteRtCall, (...args: NativeArgument[]) => number>>;

/** @throws Error of the loader when the library does not load or lacks a function (another major version). */
export function openLiteRtApi(ffi: Koffi, path: string): LiteRtApi {
  const library = ffi.load(path);
  const api: Partial<Record<LiteRtCall, (...args: NativeArgument[]) => number>> = {};
  for (const [name, types] of Object.entries(signatures)) {
    const result = name.startsWith('Destroy') ? 'void' : 'int';
    const declared = types.map((type) => (type === 'ptr' ? 'void *' : type));
    api[name as LiteRtCall] = library.func(`LiteRt${name}`, result, declared) as (
      ...args: NativeArgument[]
    ) => number;
  }
  return api as LiteRtApi;
}

/** Names of `LiteRtStatus` (litert_common.h), in words. */
const statusWords: Readonly<Record<number, string>> = {
  1: 'invalid argument',
  2: 'memory allocation failure',
  3: 'runtime failure',
  4: 'missing input tensor',
  5: 'unsupported',
  6: 'not found',
  7: 'timeout expired',
  8: 'wrong version',
  9: 'unknown error',
  10: 'already exists',
  100: 'cancelled',
  500: 'file I/O error',
  501: 'invalid flatbuffer',
  502: 'dynamic loading error',
  503: 'serialization error',
  504: 'compilation error',
  1000: 'index out of bounds',
  1001: 'invalid IR type',
  1002: 'invalid graph invariant',
  1003: 'graph modification error',
};

export function statusInWords(status: number): string {
  return `${statusWords[status] ?? 'error'} (status ${status})`;
}
