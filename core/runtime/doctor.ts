import type { DoctorView } from '../contract/views.ts';
import type { Engine } from '../ir/engine.ts';
import { whyUnusable } from './device-probe.ts';
import { wordsOf } from './failure.ts';
import { findLiteRt, hasAccelerator } from './litert-library.ts';
import { litertNativeEngine } from './litert-native.ts';
import { litertWasmEngine } from './litert-wasm.ts';
import { loadLiteRtWasm } from './litert-wasm-module.ts';
import { ortEngine, ortMissingProviders, ortProviders, ortVersion } from './ort.ts';

export type EngineStatus = DoctorView['engines'][number];
type MissingDevice = NonNullable<EngineStatus['missing']>[number];

export interface StatusOptions {
  /**
   * Run a tiny model on each device and tell what cannot be used as missing, with the runtime's reason. A broken
   * driver can end the process that does this.
   */
  readonly probe?: boolean;
}

/** What each engine is, whether it loads here, on which devices, and how to get what is missing. Loads all of them. */
export function engineStatus({ probe = false }: StatusOptions = {}): Promise<EngineStatus[]> {
  return Promise.all([
    statusOf(ortEngine, 'onnxruntime', probe, async () => ({
      detail: `onnxruntime-node ${await ortVersion()}`,
      devices: await ortProviders(),
      missing: await ortMissingProviders(),
    })),
    statusOf(litertNativeEngine, 'LiteRT', probe, async () => {
      const library = findLiteRt()!;
      const hasGpu = hasAccelerator(library);
      return {
        detail: `${library.version ?? 'unknown version'}, ${library.path} (found by ${library.from})`,
        devices: hasGpu ? ['cpu', 'gpu'] : ['cpu'],
        missing: hasGpu
          ? []
          : [
              {
                device: 'gpu',
                reason: 'no GPU accelerator lies beside the library',
                command: 'npm run setup:litert',
              },
            ],
      };
    }),
    statusOf(litertWasmEngine, 'LiteRT WebAssembly', probe, async () => ({
      detail: `@litertjs/core ${(await loadLiteRtWasm()).version}`,
      devices: ['cpu'],
      missing: [],
    })),
  ]);
}

async function statusOf(
  engine: Engine,
  name: string,
  probe: boolean,
  describeIt: () => Promise<{ detail: string; devices: string[]; missing: MissingDevice[] }>,
): Promise<EngineStatus> {
  const absent = await engine.unavailable();
  if (absent)
    return { id: engine.id, name, available: false, detail: absent.reason, devices: [], hint: absent.hint };
  try {
    const found = await describeIt();
    const devices: string[] = [];
    const missing = [...found.missing];
    for (const device of found.devices) {
      const reason = probe && device !== 'cpu' ? await whyUnusable(engine, device) : undefined;
      if (reason === undefined) devices.push(device);
      else missing.push({ device, reason });
    }
    return {
      id: engine.id,
      name,
      available: true,
      detail: found.detail,
      devices,
      ...(missing.length > 0 && { missing }),
    };
  } catch (cause) {
    return { id: engine.id, name, available: false, detail: wordsOf(cause), devices: [] };
  }
}
