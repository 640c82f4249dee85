import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { WhittleError } from '../contract/errors.ts';
import { type DType, dtypes, type TypedArray } from '../ir/dtype.ts';
import type { Engine, OpenOptions, OperatorTime, PortInfo, Session } from '../ir/engine.ts';
import { type Tensor, tensorOf, typedData } from '../ir/tensor.ts';
import { modelLabel, runtimeFailed, wordsOf } from './failure.ts';
import { operatorTimesOf } from './ort-profile.ts';
import { checkFeeds } from './ports.ts';
import { defaultThreads } from './threads.ts';

type Ort = typeof import('onnxruntime-node');

const name = 'onnxruntime';
/** Enough to be there for the next operator; by default threads spin for as long as a model runs. */
const yieldingSpinUs = '50';
let loading: Promise<Ort> | undefined;

/** onnxruntime-node, loaded on first use. */
function loadOrt(): Promise<Ort> {
  loading ??= import('onnxruntime-node').then((module) => {
    const ort = 'default' in module ? (module.default as Ort) : module;
    // Warnings of the runtime would run through the progress lines on stderr; errors arrive as exceptions.
    ort.env.logLevel = 'error';
    return ort;
  });
  return loading;
}

/** Folder of the package onnxruntime-node, and the one in it that has this platform's libraries. */
function ortFolders(): { home: string; libraries: string } {
  const home = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node')), '..');
  return { home, libraries: join(home, 'bin', 'napi-v6', process.platform, process.arch) };
}

/** Libraries of CUDA and TensorRT, which the package leaves to a download. */
function isDownloaded(provider: string): boolean {
  return existsSync(join(ortFolders().libraries, `libonnxruntime_providers_${provider}.so`));
}

/** Execution providers that are there: `cpu` first, and those downloaded apart only where their library lies. */
export async function ortProviders(): Promise<string[]> {
  const names = (await loadOrt())
    .listSupportedBackends()
    .filter((backend) => backend.bundled || isDownloaded(backend.name))
    .map((backend) => backend.name);
  return ['cpu', ...names.filter((provider) => provider !== 'cpu')];
}

/** Providers that this build takes but that are still to be fetched. */
export async function ortMissingProviders(): Promise<{ device: string; reason: string; command: string }[]> {
  return (await loadOrt())
    .listSupportedBackends()
    .filter((backend) => !backend.bundled && !isDownloaded(backend.name))
    .map((backend) => ({
      device: backend.name,
      reason: `libonnxruntime_providers_${backend.name}.so is a download of its own and not here`,
      command: 'whittle setup cuda',
    }));
}

/** What onnxruntime needs for CUDA: the package's own script fetches the libraries into its folder. */
export interface CudaSetup {
  /** Whether CUDA providers exist for this system at all. */
  readonly isSupported: boolean;
  readonly isFetched: boolean;
  /** Folder that the libraries go to. */
  readonly folder: string;
  /** Node's arguments that fetch them. */
  readonly fetch: readonly string[];
}

export function cudaSetup(): CudaSetup {
  const { home, libraries } = ortFolders();
  return {
    isSupported: process.platform === 'linux' && process.arch === 'x64',
    isFetched: isDownloaded('cuda'),
    folder: libraries,
    fetch: [join(home, 'script', 'install.js'), '--onnxruntime-node-install=cuda12'],
  };
}

export async function ortVersion(): Promise<string> {
  return (await loadOrt()).env.versions.node ?? 'unknown version';
}

/** The provider for a device: `gpu` is the first one that is not the CPU. */
async function resolveProvider(device: string): Promise<string> {
  if (device === 'cpu') return 'cpu';
  const providers = await ortProviders();
  const provider = device === 'gpu' ? providers[1] : device;
  if (provider && providers.includes(provider)) return provider;
  throw new WhittleError(
    'runtime.missing',
    `onnxruntime has no ${device} provider on this machine; it has ${providers.join(', ')}`,
    {
      hint:
        device === 'cuda' || device === 'tensorrt'
          ? 'CUDA and TensorRT are a download of their own: `whittle setup cuda` tells how'
          : undefined,
    },
  );
}

function portOf(metadata: InferenceSession.ValueMetadata): PortInfo {
  if (!metadata.isTensor || !isDType(metadata.type)) {
    throw runtimeFailed(name, `use ${metadata.name}`, 'it is not a tensor');
  }
  return {
    name: metadata.name,
    dtype: metadata.type,
    // An open dimension without a name still needs one that is no number.
    shape: metadata.shape.map((dim, axis) => (typeof dim === 'number' ? dim : dim || `axis${axis}`)),
  };
}

function isDType(type: string): type is DType {
  return (dtypes as readonly string[]).includes(type);
}

class OrtSession implements Session {
  readonly engine = 'ort';
  readonly description: string;
  readonly inputs: readonly PortInfo[];
  readonly outputs: readonly PortInfo[];
  readonly loadMs: number;
  private readonly ort: Ort;
  private readonly session: InferenceSession;
  private readonly label: string;
  private readonly profileFolder: string | undefined;
  private times: OperatorTime[] | undefined;

  constructor(
    ort: Ort,
    session: InferenceSession,
    label: string,
    description: string,
    loadMs: number,
    profileFolder: string | undefined,
  ) {
    this.ort = ort;
    this.session = session;
    this.label = label;
    this.description = description;
    this.loadMs = loadMs;
    this.profileFolder = profileFolder;
    this.inputs = session.inputMetadata.map(portOf);
    this.outputs = session.outputMetadata.map(portOf);
  }

  async run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    const results = await this.runOnce(this.toOrt(feeds));
    const outputs: Record<string, Tensor> = {};
    for (const port of this.outputs) {
      const result = results[port.name];
      outputs[port.name] = tensorOf(port.dtype, result.dims, result.data as TypedArray);
    }
    return outputs;
  }

  async time(feeds: Readonly<Record<string, Tensor>>, runs: number): Promise<Float64Array> {
    const prepared = this.toOrt(feeds);
    const times = new Float64Array(runs);
    for (let i = 0; i < runs; i++) {
      const start = performance.now();
      await this.runOnce(prepared);
      times[i] = performance.now() - start;
    }
    return times;
  }

  /** Ends profiling: later runs are no longer recorded, and later calls return the same numbers. */
  async operatorTimes(): Promise<OperatorTime[]> {
    if (!this.profileFolder)
      throw new WhittleError(
        'internal',
        'the session was opened without `profile`, so it has no operator times',
      );
    if (!this.times) {
      this.session.endProfiling();
      const file = (await readdir(this.profileFolder))[0];
      this.times = operatorTimesOf(await readFile(join(this.profileFolder, file), 'utf8'));
    }
    return this.times;
  }

  async close(): Promise<void> {
    await this.session.release();
    if (this.profileFolder) await rm(this.profileFolder, { recursive: true, force: true });
  }

  private toOrt(feeds: Readonly<Record<string, Tensor>>): Record<string, OrtTensor> {
    const tensors = checkFeeds(this.inputs, feeds);
    const prepared: Record<string, OrtTensor> = {};
    this.inputs.forEach((port, i) => {
      prepared[port.name] = toOrtTensor(this.ort, tensors[i]);
    });
    return prepared;
  }

  private async runOnce(feeds: Record<string, OrtTensor>): Promise<InferenceSession.OnnxValueMapType> {
    try {
      return await this.session.run(feeds);
    } catch (cause) {
      throw runtimeFailed(name, `run ${this.label}`, wordsOf(cause));
    }
  }
}

function toOrtTensor(ort: Ort, tensor: Tensor): OrtTensor {
  const data = typedData(tensor) as OrtTensor.DataTypeMap[OrtTensor.Type];
  // Where JavaScript has Float16Array, onnxruntime's Tensor turns the bits into one, which its native side cannot read.
  if (tensor.dtype === 'float16')
    return Object.assign(new ort.Tensor('uint16', data as Uint16Array, tensor.shape), {
      type: 'float16' as const,
    });
  return new ort.Tensor(tensor.dtype as OrtTensor.Type, data, tensor.shape);
}

async function open(model: Uint8Array | string, options: OpenOptions = {}): Promise<Session> {
  const start = performance.now();
  const ort = await loadOrt();
  const provider = await resolveProvider(options.device ?? 'cpu');
  const threads = options.threads ?? defaultThreads();
  const profileFolder = options.profile ? await mkdtemp(join(tmpdir(), 'whittle-ort-')) : undefined;
  const label = modelLabel(model);
  let session: InferenceSession;
  try {
    const settings: InferenceSession.SessionOptions = {
      executionProviders: provider === 'cpu' ? ['cpu'] : [provider, 'cpu'],
      graphOptimizationLevel: options.graphOptimization === 'off' ? 'disabled' : 'all',
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
      extra: {
        ...(options.yields && { session: { intra_op: { spin_duration_us: yieldingSpinUs } } }),
        ...(options.keepsPaddings && { optimization: { disable_specified_optimizers: 'Pad_Fusion' } }),
      },
      ...(profileFolder && { enableProfiling: true, profileFilePrefix: join(profileFolder, 'run') }),
    };
    session =
      typeof model === 'string'
        ? await ort.InferenceSession.create(model, settings)
        : await ort.InferenceSession.create(model, settings);
  } catch (cause) {
    if (profileFolder) await rm(profileFolder, { recursive: true, force: true });
    throw runtimeFailed(name, `open ${label}`, wordsOf(cause));
  }
  const where = provider === 'cpu' ? `CPU, ${threads} thread${threads === 1 ? '' : 's'}` : provider;
  const description = `onnxruntime ${await ortVersion()}, ${where}`;
  return new OrtSession(ort, session, label, description, performance.now() - start, profileFolder);
}

/** onnxruntime-node: the reference for every source model, the engine of calibration, and the runtime of ONNX exports. */
export const ortEngine: Engine = {
  id: 'ort',
  format: 'onnx',
  async unavailable() {
    try {
      await loadOrt();
      return undefined;
    } catch (cause) {
      return {
        reason: `onnxruntime-node does not load: ${wordsOf(cause)}`,
        hint: 'run `npm install` again on this machine',
      };
    }
  },
  open,
};
