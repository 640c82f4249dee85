import * as z from 'zod';
import { ArtifactView, ReferenceView } from './artifact-views.ts';
import { DatasetView, ErrorView, ModelView, SourceView } from './model-views.ts';
import { Recipe } from './recipe.ts';

/** Work under way, projects and reports. */

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
