import type { Engines } from '../ir/engine.ts';
import { litertNativeEngine } from './litert-native.ts';
import { litertWasmEngine } from './litert-wasm.ts';
import { ortEngine } from './ort.ts';

/** The engines of this machine. Nothing native is loaded until one of them is used. */
export function createEngines(): Engines {
  return {
    ort: ortEngine,
    litert: litertNativeEngine,
    litertWasm: litertWasmEngine,
    async tflite() {
      return (await litertNativeEngine.unavailable()) ? litertWasmEngine : litertNativeEngine;
    },
  };
}
