import type { QuantParams, TensorType } from './graph.ts';
import type { Tensor } from './tensor.ts';

/** The runtimes that Whittle can drive. */
export type EngineId = 'ort' | 'litert' | 'litert-wasm';

export interface PortInfo extends TensorType {
  readonly name: string;
  readonly quant?: QuantParams;
}

export interface OpenOptions {
  /** `cpu`, `gpu`, or a provider name such as `cuda`, `tensorrt`, `coreml`, `dml`, `webgpu`. Default `cpu`. */
  device?: string;
  threads?: number;
  /** Record per-operator times; read them with `Session.operatorTimes`. */
  profile?: boolean;
  /**
   * Threads soon sleep where they have nothing to do, instead of spinning as they do where every microsecond counts: for
   * many runs on a machine that has other work, where it halves the time. Latency is never measured so.
   */
  yields?: boolean;
  /** Paddings are not merged into the pools behind them, which onnxruntime does wrongly (`hasPaddedMaxPool`). */
  keepsPaddings?: boolean;
  /** `off` runs the file's graph as written: for references and per-tensor comparison. Default `all`. */
  graphOptimization?: 'off' | 'all';
}

/**
 * One operator's share of a run: mean milliseconds and number of calls within one run of the model. An entry without a
 * name is what a run took beside its operators.
 */
export interface OperatorTime {
  readonly name: string;
  readonly op: string;
  readonly ms: number;
  readonly calls: number;
  /** Place of its node in the file, where the runtime tells. */
  readonly index?: number;
  /** The stretch of the graph that a delegate took, counted in order of execution; `op` is the delegate's own name. */
  readonly part?: number;
  /** Where it ran: `CPUExecutionProvider`. */
  readonly provider?: string;
  /** Multiply-accumulates, where the runtime tells shapes. */
  readonly macs?: number;
  /** Bytes read and written. */
  readonly bytes?: number;
}

/** One loaded model in one runtime. A session has one owner, who closes it. */
export interface Session {
  readonly engine: EngineId;
  /** What really runs it, in words: "LiteRT 2.3.0 native, XNNPACK, 2 threads". */
  readonly description: string;
  readonly inputs: readonly PortInfo[];
  readonly outputs: readonly PortInfo[];
  readonly loadMs: number;
  /** On a GPU: whether no operator was left to the CPU, where the runtime tells. */
  readonly isAllOnDevice?: boolean;
  /**
   * Runs once. Feeds and results are tensors of the ports' own types and shapes, by name. Results are copies that the
   * caller owns. @throws WhittleError `runtime.failed` with the runtime's own words.
   */
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
  /**
   * Runs `runs` times on the same feeds and returns the time of each in milliseconds, without copying results out:
   * what a latency measurement needs.
   */
  time(feeds: Readonly<Record<string, Tensor>>, runs: number): Promise<Float64Array>;
  operatorTimes?(): Promise<OperatorTime[]>;
  close(): Promise<void>;
}

export interface Engine {
  readonly id: EngineId;
  /** Formats it runs. */
  readonly format: 'onnx' | 'tflite';
  /** `undefined` when it is there; else why it is not, and how to get it. */
  unavailable(): Promise<{ reason: string; hint?: string } | undefined>;
  open(model: Uint8Array | string, options?: OpenOptions): Promise<Session>;
}

/** The engines of this machine, handed down to calibrate, evaluate, quantize and profile. */
export interface Engines {
  readonly ort: Engine;
  readonly litert: Engine;
  readonly litertWasm: Engine;
  /** LiteRT native when it is there, else WASM. */
  tflite(): Promise<Engine>;
}
