import type { DoctorView } from '../contract/views.ts';
import type { Engine } from '../ir/engine.ts';
import { wordsOf } from './failure.ts';
import { findLiteRt, hasAccelerator } from './litert-library.ts';
import { litertNativeEngine } from './litert-native.ts';
import { litertWasmEngine } from './litert-wasm.ts';
import { loadLiteRtWasm } from './litert-wasm-module.ts';
import { ortEngine, ortProviders, ortVersion } from './ort.ts';

export type EngineStatus = DoctorView['engines'][number];

/** What each engine is, whether it loads here, on which devices, and how to get what is missing. Loads all of them. */
export function engineStatus(): Promise<EngineStatus[]> {
  return Promise.all([
    statusOf(ortEngine, 'onnxruntime', async () => ({
      detail: `onnxruntime-node ${await ortVersion()}`,
      devices: await ortProviders(),
    })),
    statusOf(litertNativeEngine, 'LiteRT', async () => {
      const library = findLiteRt()!;
      return {
        detail: `${library.version ?? 'unknown version'}, ${library.path} (found by ${library.from})`,
        devices: hasAccelerator(library) ? ['cpu', 'gpu'] : ['cpu'],
      };
    }),
    statusOf(litertWasmEngine, 'LiteRT WebAssembly', async () => ({
      detail: `@litertjs/core ${(await loadLiteRtWasm()).version}`,
      devices: ['cpu'],
    })),
  ]);
}

async function statusOf(
  engine: Engine,
  name: string,
  describeIt: () => Promise<{ detail: string; devices: string[] }>,
): Promise<EngineStatus> {
  const missing = await engine.unavailable();
  if (missing)
    return { id: engine.id, name, available: false, detail: missing.reason, devices: [], hint: missing.hint };
  try {
    return { id: engine.id, name, available: true, ...(await describeIt()) };
  } catch (cause) {
    return { id: engine.id, name, available: false, detail: wordsOf(cause), devices: [] };
  }
}
