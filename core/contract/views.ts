import * as z from 'zod';
import {
  calibrations,
  ioTypes,
  objectives,
  onnxForms,
  outputFormats,
  precisions,
  recoveries,
} from './choices.ts';

export { calibrations, precisions };

/** What the studio shows and the command line prints. Field names and meanings are those of the CLI's JSON. */

export const Precision = z.enum(precisions);
export type Precision = z.infer<typeof Precision>;

export const IoType = z.enum(ioTypes);
export type IoType = z.infer<typeof IoType>;

export const OutputFormat = z.enum(outputFormats);
export type OutputFormat = z.infer<typeof OutputFormat>;

export const IssueView = z.object({
  code: z.string(),
  severity: z.enum(['error', 'warning', 'info']),
  message: z.string(),
  node: z.string().optional(),
  op: z.string().optional(),
  hint: z.string().optional(),
});
export type IssueView = z.infer<typeof IssueView>;

export const ErrorView = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  issues: z.array(IssueView),
});
export type ErrorView = z.infer<typeof ErrorView>;

const Dim = z.union([z.number(), z.string()]);

export const PortView = z.object({ name: z.string(), dtype: z.string(), shape: z.array(Dim) });
export type PortView = z.infer<typeof PortView>;

export const SourceView = z.object({
  path: z.string(),
  name: z.string(),
  format: z.string(),
  /** "Keras 3.15.1", "opset 13", … */
  version: z.string().optional(),
  producer: z.string().optional(),
  /** What the file says of itself: labels, normalization, author, … */
  metadata: z.record(z.string(), z.string()).optional(),
  sizeBytes: z.number(),
  sha256: z.string(),
  operators: z.number(),
  parameters: z.number(),
  macs: z.number(),
  inputs: z.array(PortView),
  outputs: z.array(PortView),
});
export type SourceView = z.infer<typeof SourceView>;

export const SupportView = z.object({ ok: z.boolean(), missing: z.array(z.string()) });

/** What a file that keeps the open dimensions of its source would meet; files that Whittle writes have fixed ones. */
export const DynamicView = z.object({
  /** The open dimensions that the file declares, settled or not, as `input[axis]: name`. */
  dims: z.array(z.string()),
  /** Operators that need them settled. */
  stops: z.array(z.object({ node: z.string(), op: z.string(), reason: z.string() })),
  /** False where that can only be told once the dimensions are settled. */
  isKnown: z.boolean(),
});
export type DynamicView = z.infer<typeof DynamicView>;

/** `whittle inspect --json`, and the Model stage. */
export const ModelView = z.object({
  source: SourceView,
  graph: z.object({
    nodes: z.number(),
    opHistogram: z.record(z.string(), z.number()),
    /** Open dimensions by input, as `input[axis]: name`. */
    dynamicDims: z.array(z.string()),
    quantized: z.boolean(),
    layouts: z.array(z.string()),
  }),
  /** Absent where the file leaves nothing open. */
  dynamic: DynamicView.optional(),
  issues: z.array(IssueView),
  support: z.object({ tflite: SupportView, onnx: SupportView }),
  /** About the most memory that making files of it takes, whatever the number of samples; absent where it cannot be told. */
  memoryBytes: z.number().optional(),
});
export type ModelView = z.infer<typeof ModelView>;

/** The graph for drawing: nodes by index, edges as pairs of node indexes. */
export const GraphView = z.object({
  nodes: z.array(
    z.object({
      id: z.string(),
      op: z.string(),
      /** Names of its results, by which files, errors and profiles know it. */
      outputs: z.array(z.string()).optional(),
      outputShape: z.array(Dim),
      parameters: z.number(),
      macs: z.number(),
    }),
  ),
  edges: z.array(z.tuple([z.number(), z.number()])),
});
export type GraphView = z.infer<typeof GraphView>;

/** An operator that written files have, after the passes: by the name of its result, which overrides can name. */
export const OperatorView = z.object({ name: z.string(), op: z.string() });
export type OperatorView = z.infer<typeof OperatorView>;

/** How raw samples become what the network sees. All optional steps are off where the field is left out. */
export const Preprocess = z.object({
  /** Target size `[height, width]`; taken from the model's input when left out. */
  size: z.tuple([z.number().int().positive(), z.number().int().positive()]).optional(),
  fit: z.enum(['stretch', 'crop', 'pad']).default('stretch'),
  colour: z.enum(['rgb', 'bgr', 'grey']).default('rgb'),
  /** x' = (x − mean) ÷ scale with x in 0…255; per channel or one for all. */
  mean: z.array(z.number()).default([0]),
  scale: z.array(z.number()).default([1]),
  layout: z.enum(['NHWC', 'NCHW']).optional(),
});
export type Preprocess = z.infer<typeof Preprocess>;

export const DatasetView = z.object({
  path: z.string(),
  kind: z.enum(['npz', 'npy', 'images', 'npy-folder', 'csv', 'wav']),
  samples: z.number(),
  /** Class names or numbers with their counts; empty without labels. */
  labels: z.array(z.object({ name: z.string(), count: z.number() })),
  inputs: z.array(
    z.object({
      name: z.string(),
      dtype: z.string(),
      shape: z.array(z.number()),
      min: z.number(),
      max: z.number(),
    }),
  ),
  preprocess: Preprocess.optional(),
  issues: z.array(IssueView),
});
export type DatasetView = z.infer<typeof DatasetView>;

/** One sample as the network sees it, brought back to 0…255 for looking at: a data URL of a small PNG. */
export const SampleView = z.object({
  index: z.number(),
  label: z.string().optional(),
  image: z.string().optional(),
});
export type SampleView = z.infer<typeof SampleView>;

export const Calibration = z.enum(calibrations);
export type Calibration = z.infer<typeof Calibration>;

/** Other choices for some operators of every plan: those that both `match` and `op` name, where both are given. */
export const Override = z
  .strictObject({
    /** Name of an operator or of its result; `*` stands for any characters, `?` for one. */
    match: z.string().min(1).optional(),
    /** What the operator is, as the graph shows it (`Conv`, `Softmax`); `*` and `?` as above. */
    op: z.string().min(1).optional(),
    /** `float32` keeps the operator as it is. */
    precision: Precision.exclude(['auto']).optional(),
    /** How the range of the operator's results is found. With `match` it may also name an input of the model. */
    calibration: Calibration.optional(),
  })
  .refine(({ match, op }) => match !== undefined || op !== undefined, 'names neither match nor op')
  .refine(
    ({ precision, calibration }) => precision !== undefined || calibration !== undefined,
    'chooses neither precision nor calibration',
  );
export type Override = z.infer<typeof Override>;

export const OnnxForm = z.enum(onnxForms);
export type OnnxForm = z.infer<typeof OnnxForm>;

/** All choices of one run. The same recipe on the same inputs gives byte-identical files. */
export const Recipe = z.object({
  schema: z.literal('whittle.recipe/1').default('whittle.recipe/1'),
  precisions: z.array(Precision).default(['float32', 'float16', 'int8']),
  io: IoType.default('float32'),
  formats: z.array(OutputFormat).default(['tflite']),
  layout: z.enum(['nhwc', 'keep']).default('nhwc'),
  samples: z.number().int().positive().default(100),
  calibration: Calibration.default('minmax'),
  seed: z.number().int().default(0),
  /** Concrete shapes by input name, for open dimensions. */
  shapes: z.record(z.string(), z.array(z.number().int().positive())).default({}),
  preprocess: Preprocess.optional(),
  /** Keep every operator in integers, a final softmax too: for Edge TPU and microcontrollers. */
  pureInteger: z.boolean().default(false),
  /** Applied in order to every plan; where several name one operator, the last one counts. */
  overrides: z.array(Override).default([]),
  /** Form of integer ONNX files. A report names the form that `auto` came to. */
  onnxForm: OnnxForm.default('auto'),
  recovery: z.enum(recoveries).default('fast'),
  /** What `auto` makes least among the files that lose no more than was allowed. */
  objective: z.enum(objectives).default('smallest'),
  maxDropPercent: z.number().optional(),
  maxSizeBytes: z.number().optional(),
});
export type Recipe = z.infer<typeof Recipe>;

/** What of a recipe is to be another for one more file; the rest stays as that of the file it starts from. */
export const RecipeChange = z.object({
  precision: Precision.optional(),
  io: IoType.optional(),
  format: OutputFormat.optional(),
  layout: z.enum(['nhwc', 'keep']).optional(),
  pureInteger: z.boolean().optional(),
  calibration: Calibration.optional(),
  samples: z.number().int().positive().optional(),
  onnxForm: OnnxForm.optional(),
  /** Added behind those that are there. */
  overrides: z.array(Override).optional(),
});
export type RecipeChange = z.infer<typeof RecipeChange>;

/** Something that the studio can change to get round a refusal. */
export const FixView = z.object({ text: z.string(), recipe: RecipeChange.optional() });
export type FixView = z.infer<typeof FixView>;

/** Where quality goes and why, in words, with something to try. */
export const FindingView = z.object({
  /** Kind of finding: "outlier-channel". */
  id: z.string(),
  severity: z.enum(['warning', 'info']),
  /** What was found, in a few words. */
  title: z.string(),
  /** The figures and what they mean, in sentences. */
  text: z.string(),
  /** The operator's result that it speaks of. */
  node: z.string().optional(),
  op: z.string().optional(),
  /** One more file to make; it says whether the finding was the cause. */
  trial: FixView.optional(),
});
export type FindingView = z.infer<typeof FindingView>;

export const GateView = z.object({ id: z.string(), ok: z.boolean(), detail: z.string() });
export type GateView = z.infer<typeof GateView>;

export const WarningView = z.object({ code: z.string(), message: z.string(), node: z.string().optional() });
export type WarningView = z.infer<typeof WarningView>;

export const QualityView = z.object({
  samples: z.number(),
  /** 10·log10(Σ ref² ÷ Σ (ref − out)²) over all outputs and samples; null when there is no error at all. */
  sqnrDb: z.number().nullable(),
  cosine: z.number(),
  maxAbsError: z.number(),
  top1Agreement: z.number().optional(),
  accuracy: z.number().optional(),
  referenceAccuracy: z.number().optional(),
  labels: z.number().optional(),
});
export type QualityView = z.infer<typeof QualityView>;

export const LatencyView = z.object({
  engine: z.string(),
  device: z.string(),
  threads: z.number(),
  runs: z.number(),
  medianMs: z.number(),
  p90Ms: z.number(),
});
export type LatencyView = z.infer<typeof LatencyView>;

/** Two files of one plan compared, output by output: the most that one step of the output's scale explains. */
export const AgreementView = z.object({
  otherFormat: OutputFormat,
  samples: z.number(),
  /** Part of the output elements that differ by at most one step, 0…1. */
  withinOneStep: z.number(),
  /** Of the difference between the two files; null when there is none. */
  sqnrDb: z.number().nullable(),
});
export type AgreementView = z.infer<typeof AgreementView>;

/** One way to win quality back, tried on one plan. */
export const RecoveryView = z.object({
  /** "equalization", "bias-correction", "error-feedback", … */
  id: z.string(),
  /** Change of SQNR on samples that the step did not see. */
  gainDb: z.number(),
  kept: z.boolean(),
});
export type RecoveryView = z.infer<typeof RecoveryView>;

/** The samples that ranges were found on: enough to find them the same again, and to tell whether they were enough. */
export const CalibrationView = z.object({
  /** Of the samples. */
  path: z.string(),
  /** How many were run, and how many there are. */
  samples: z.number(),
  available: z.number(),
  /** `all` there are, or drawn by the seed: at random, or from each class in turn. */
  chosen: z.enum(['all', 'random', 'by-class']),
  seed: z.number(),
  observer: Calibration,
  /** SHA-256 of what was fed, in order: names and elements of the inputs of each sample. */
  sha256: z.string(),
  /** Samples of each class; empty without labels. */
  classes: z.array(z.object({ name: z.string(), count: z.number() })),
  /** How far the ranges of two halves of the samples lie apart, as parts of the whole range; absent for one sample. */
  stability: z
    .object({
      /** Of the value whose halves differ most. */
      value: z.string(),
      difference: z.number(),
      /** The median over all values. */
      typical: z.number(),
    })
    .optional(),
});
export type CalibrationView = z.infer<typeof CalibrationView>;

/** One written file with everything that was measured on it. */
export const ArtifactView = z.object({
  id: z.string(),
  precision: Precision,
  /** Tells further points of a search from its best one, and trials from the recipe's own results: those have none. */
  label: z.string().optional(),
  /** Of a searched plan: number of operators by precision. */
  mix: z.record(z.string(), z.number()).optional(),
  io: IoType,
  format: OutputFormat,
  path: z.string(),
  /** Of both files where there are two. */
  sizeBytes: z.number(),
  /** Of the file at `path`. */
  sha256: z.string(),
  /** Of an ONNX model above 2 GB: the file beside `path` that holds its weights, and goes where that goes. */
  data: z.object({ fileName: z.string(), sizeBytes: z.number(), sha256: z.string() }).optional(),
  operators: z.record(z.string(), z.number()),
  minRuntime: z.string(),
  status: z.enum(['ok', 'failed']),
  gates: z.array(GateView),
  warnings: z.array(WarningView),
  quality: QualityView.optional(),
  latency: LatencyView.optional(),
  /** Of a file whose numbers come from samples. */
  calibration: CalibrationView.optional(),
  /** With `recovery: auto`: what each step gained, in order. */
  recovery: z.array(RecoveryView).optional(),
  /** Of an integer ONNX file: the form that it has. */
  onnxForm: OnnxForm.exclude(['auto']).optional(),
  /** Of an ONNX file whose .tflite of the same plan was made before. */
  agreement: AgreementView.optional(),
  /** The most telling first; only where the file was looked into. */
  findings: z.array(FindingView).optional(),
  /** Present when the precision could not be made at all; the other figures are then empty. */
  error: ErrorView.optional(),
});
export type ArtifactView = z.infer<typeof ArtifactView>;

/** A Python script that does with the usual tools what a recipe does here. */
export const PythonScript = z.object({
  fileName: z.string(),
  text: z.string(),
  /** What of the recipe the script's tools cannot do, in sentences. */
  notes: z.array(z.string()),
});
export type PythonScript = z.infer<typeof PythonScript>;

/** The source model as the first row of every comparison. */
export const ReferenceView = z.object({
  sizeBytes: z.number(),
  accuracy: z.number().optional(),
  latency: LatencyView.optional(),
});
export type ReferenceView = z.infer<typeof ReferenceView>;

/** Counts of elements in bins of one width, from `start` on. */
export const HistogramView = z.object({ start: z.number(), width: z.number(), counts: z.array(z.number()) });
export type HistogramView = z.infer<typeof HistogramView>;

/** Elements of an operator's result in the float source, and what the file made of them, over a few samples. */
export const ActivationView = z.object({
  min: z.number(),
  max: z.number(),
  /** The span that 99.9 % of the elements lie in, from the smallest to the largest of them. */
  bulk: z.tuple([z.number(), z.number()]),
  /** Where the file holds integers: what they can say, and the share of the source's elements beyond it. */
  quantized: z
    .object({
      dtype: z.string(),
      low: z.number(),
      high: z.number(),
      step: z.number(),
      clippedShare: z.number(),
    })
    .optional(),
  /** Largest magnitudes by channel: of all channels, and of the one in the middle. */
  channels: z
    .object({ count: z.number(), largest: z.number(), largestAt: z.number(), median: z.number() })
    .optional(),
  /** At most 64 bins. */
  source: HistogramView,
  /** In the same bins. */
  file: HistogramView,
});
export type ActivationView = z.infer<typeof ActivationView>;

/** A constant of an operator, as the source has it. */
export const WeightView = z.object({
  name: z.string(),
  dtype: z.string(),
  shape: z.array(z.number()),
  elements: z.number(),
  min: z.number(),
  max: z.number(),
  mean: z.number(),
  deviation: z.number(),
  zeroShare: z.number(),
  /** At most 128 bins. */
  histogram: HistogramView,
});
export type WeightView = z.infer<typeof WeightView>;

/** Per-operator error of one artifact against the source, and samples whose answer changed. */
export const ArtifactDetail = z.object({
  artifactId: z.string(),
  /** What it was made with. */
  recipe: Recipe.optional(),
  operators: z.array(
    z.object({
      name: z.string(),
      op: z.string(),
      sqnrDb: z.number().nullable(),
      activation: ActivationView.optional(),
    }),
  ),
  changed: z.array(
    z.object({
      index: z.number(),
      image: z.string().optional(),
      label: z.string().optional(),
      before: z.string(),
      after: z.string(),
    }),
  ),
});
export type ArtifactDetail = z.infer<typeof ArtifactDetail>;

export const EstimateView = z.object({
  precision: Precision,
  /** About the most memory that a run takes, whatever the number of samples; absent where a shape is open. */
  memoryBytes: z.number().optional(),
  /** Why it cannot run yet (no samples, an operator without kernel); absent when it can. */
  blocked: z.string().optional(),
  sizeBytes: z.number(),
  needsSamples: z.boolean(),
});
export type EstimateView = z.infer<typeof EstimateView>;

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

export const ProgressView = z.object({
  jobId: z.string(),
  projectId: z.string(),
  kind: z.enum(['open', 'optimize', 'profile']),
  title: z.string(),
  /** What is being done right now: "int8: calibrating 64/100". */
  stage: z.string(),
  /** 0…1, never goes back. */
  fraction: z.number(),
  secondsLeft: z.number().optional(),
  state: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']),
  error: ErrorView.optional(),
});
export type ProgressView = z.infer<typeof ProgressView>;

export const ProjectSummary = z.object({
  id: z.string(),
  name: z.string(),
  format: z.string(),
  sizeBytes: z.number(),
  /** ISO 8601. */
  openedAt: z.string(),
  artifacts: z.number(),
});
export type ProjectSummary = z.infer<typeof ProjectSummary>;

export const ProjectView = z.object({
  id: z.string(),
  name: z.string(),
  model: ModelView.optional(),
  data: DatasetView.optional(),
  recipe: Recipe,
  reference: ReferenceView.optional(),
  artifacts: z.array(ArtifactView),
});
export type ProjectView = z.infer<typeof ProjectView>;

/** `whittle optimize --json`. */
export const OptimizeReport = z.object({
  whittle: z.string(),
  source: SourceView,
  artifacts: z.array(ArtifactView),
  reference: ReferenceView.optional(),
  timingsMs: z.object({
    read: z.number(),
    prepare: z.number(),
    calibrate: z.number(),
    quantize: z.number(),
    write: z.number(),
    verify: z.number(),
    total: z.number(),
  }),
  peakRssBytes: z.number(),
  recipe: Recipe,
});
export type OptimizeReport = z.infer<typeof OptimizeReport>;
