import * as z from 'zod';
import { FixView } from './recipe.ts';

/** What profiling measures, and what targets take. */

export const PerOp = z.object({
  /** Name of the operator in the graph, by its result; what the runtime calls it where it cannot be told. */
  name: z.string(),
  op: z.string(),
  ms: z.number(),
  calls: z.number(),
  share: z.number(),
  /** What computed it, in the runtime's words. */
  kernel: z.string().optional(),
  /** "XNNPACK", "CPU", or a provider of onnxruntime. */
  runsOn: z.string().optional(),
  macs: z.number().optional(),
  bytes: z.number().optional(),
  /** Achieved: two operations for each multiply-accumulate. */
  gflopPerS: z.number().optional(),
  gbPerS: z.number().optional(),
  /** What limits it on this machine, by its arithmetic intensity and the measured peaks. */
  bound: z.enum(['compute', 'memory']).optional(),
  /** Achieved ÷ what the roofline allows at its intensity, 0…1 (caches can lift it above 1). */
  ofRoof: z.number().optional(),
});
export type PerOp = z.infer<typeof PerOp>;

/** What was measured on, and how busy it was. What the system does not tell is left out. */
export const MachineView = z.object({
  cpu: z.string(),
  cores: z.number(),
  mhz: z.number().optional(),
  governor: z.string().optional(),
  /** Of the last minute, before the measurement. */
  loadAverage: z.number().optional(),
  /** Cores that other processes used meanwhile, on average. */
  otherCores: z.number().optional(),
  batteryPercent: z.number().optional(),
  onBattery: z.boolean().optional(),
});
export type MachineView = z.infer<typeof MachineView>;

/** Peaks of this machine, measured on it through the same engine, threads and device. */
export const RooflineView = z.object({
  /** Of float32 matrix products; two operations for each multiply-accumulate. */
  gflopPerS: z.number(),
  /** Of int8 matrix products, where the engine has them. */
  int8GopPerS: z.number().optional(),
  /** Read and written by a copy that no cache holds. */
  gbPerS: z.number(),
  /** How it was measured, in words. */
  how: z.string(),
});
export type RooflineView = z.infer<typeof RooflineView>;

/** What ran elsewhere than on the device that was asked for. */
export const FallbackView = z.object({
  /** The device or provider that was asked for. */
  device: z.string(),
  nodes: z.number(),
  /** Operators that the device ran. */
  taken: z.number(),
  /** Those that fell back to the CPU, by type, the most frequent first. */
  operators: z.array(
    z.object({
      op: z.string(),
      count: z.number(),
      nodes: z.array(z.string()),
      /** Why, where the runtime or its published rules tell. */
      reason: z.string().optional(),
    }),
  ),
});
export type FallbackView = z.infer<typeof FallbackView>;

/** Planned from the lifetimes of tensors; nothing is run. */
export const MemoryView = z.object({
  weightsBytes: z.number(),
  /** The one block that holds all tensors that move. */
  arenaBytes: z.number(),
  largestTensors: z.array(z.object({ name: z.string(), bytes: z.number() })),
  /** Estimate for a phone: the file's weights, their packed copy, and the arena. */
  phoneEstimateBytes: z.number(),
});
export type MemoryView = z.infer<typeof MemoryView>;

/** Whether one target runs a file, by its published rules. */
export const TargetView = z.object({
  id: z.string(),
  name: z.string(),
  /** Where the rules come from. */
  source: z.string(),
  /** `all` operators, `part` of them, `none`, or `unfit` when the file cannot run there at all. */
  verdict: z.enum(['all', 'part', 'none', 'unfit']),
  /** The verdict as a sentence. */
  summary: z.string(),
  nodes: z.number(),
  taken: z.number(),
  /** Stretches of operators that it runs. */
  partitions: z.number(),
  /** All stretches in order of execution, with the names of their operators' results. */
  parts: z.array(z.object({ taken: z.boolean(), nodes: z.array(z.string()) })).optional(),
  /** The first operator in its way. */
  first: z
    .object({
      index: z.number(),
      name: z.string(),
      op: z.string(),
      reason: z.string(),
      fix: FixView.optional(),
    })
    .optional(),
  /** All reasons, the most frequent first. */
  reasons: z.array(
    z.object({
      op: z.string(),
      reason: z.string(),
      count: z.number(),
      nodes: z.array(z.string()),
      fix: FixView.optional(),
    }),
  ),
});
export type TargetView = z.infer<typeof TargetView>;

/** Two files measured in turn, round by round. */
export const ComparisonView = z.object({
  /** Paths of the two files. */
  a: z.string(),
  b: z.string(),
  artifactIdA: z.string().optional(),
  artifactIdB: z.string().optional(),
  /** Time of A ÷ time of B, with its 99 % interval. */
  ratio: z.number(),
  low: z.number(),
  high: z.number(),
  medianMsA: z.number(),
  medianMsB: z.number(),
  /** Times that both were opened and run in turn. */
  rounds: z.number(),
  /** Which is faster; `unclear` where the interval holds 1 or the difference is under 1 %. */
  verdict: z.enum(['a-faster', 'b-faster', 'unclear']),
  /** The verdict as a sentence. */
  words: z.string(),
});
export type ComparisonView = z.infer<typeof ComparisonView>;

export const ProfileView = z.object({
  path: z.string(),
  artifactId: z.string().optional(),
  engine: z.string(),
  device: z.string(),
  threads: z.number(),
  runs: z.number(),
  warmup: z.number(),
  medianMs: z.number(),
  p10Ms: z.number(),
  p90Ms: z.number(),
  minMs: z.number(),
  loadMs: z.number(),
  peakRssBytes: z.number(),
  /** Every run's time, at most 1,000 of them, for the distribution strip. */
  timesMs: z.array(z.number()),
  perOp: z.array(PerOp).optional(),
  /** What really ran it: "LiteRT 2.3.0 native, XNNPACK, 2 threads". */
  runtime: z.string().optional(),
  /** (p90 − p10) ÷ median. */
  spread: z.number().optional(),
  /** False when the machine was too busy or the runs too unlike for the numbers to be trusted; `notes` say why. */
  valid: z.boolean().optional(),
  notes: z.array(z.string()).optional(),
  machine: MachineView.optional(),
  memory: MemoryView.optional(),
  /** Which operators the runtime's delegate takes, and why not the others (.tflite). */
  delegation: TargetView.optional(),
  /** What the GPU or another provider left to the CPU. */
  fallback: FallbackView.optional(),
  /** Peaks of this machine; `perOp` says how near each operator comes. */
  roofline: RooflineView.optional(),
  /** What was run where no runtime takes the file as it is: "float32 .tflite made from model.keras". */
  measuredAs: z.string().optional(),
  /** Against the first file of the same request, run in turn with it; this file is B. */
  comparison: ComparisonView.optional(),
});
export type ProfileView = z.infer<typeof ProfileView>;

export const EngineStatus = z.object({
  id: z.string(),
  name: z.string(),
  available: z.boolean(),
  detail: z.string(),
  devices: z.array(z.string()),
  hint: z.string().optional(),
  /** Devices that it could have and has not here: why, in the runtime's own words, and what gets them. */
  missing: z
    .array(z.object({ device: z.string(), reason: z.string(), command: z.string().optional() }))
    .optional(),
});

export const DoctorView = z.object({
  version: z.string(),
  platform: z.string(),
  node: z.string(),
  cores: z.number(),
  memoryBytes: z.number(),
  engines: z.array(EngineStatus),
});
export type DoctorView = z.infer<typeof DoctorView>;
