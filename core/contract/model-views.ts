import * as z from 'zod';
import { Preprocess } from './recipe.ts';

/** A model and its samples, as shown and printed. */

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
  /** Inputs of the file that were given a value for good. */
  fixed: z.array(PortView).optional(),
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
