import * as z from 'zod';
import { ErrorView } from './model-views.ts';
import { Calibration, FixView, IoType, OnnxForm, OutputFormat, Precision, Recipe } from './recipe.ts';

/** A written file: how good, how large, how fast, and why. */

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
