import * as z from 'zod';
import {
  ArtifactDetail,
  ArtifactView,
  DatasetView,
  DoctorView,
  EstimateView,
  FixedValues,
  GraphView,
  ModelView,
  OperatorView,
  Preprocess,
  ProfileView,
  ProgressView,
  ProjectSummary,
  ProjectView,
  PythonScript,
  Recipe,
  RecipeChange,
  SampleView,
  Shapes,
  TargetView,
  WeightView,
} from './views.ts';

/**
 * The one table of calls and events between a face (desktop window, browser, tests) and the core. Everything that
 * crosses is checked against it on both sides.
 *
 * A `ref` names something the user gave: a path in the desktop window (from a drop or a dialog), `upload:ID` in the
 * browser (after a streamed upload, see `core/rpc/web-endpoints.ts`; `upload:ID/inner/path` names one file of a folder
 * that was uploaded), or `sample:NAME` for what is bundled. The web host refuses plain paths.
 */
const Ref = z.string().min(1).max(4096);
const Download = z.object({ url: z.string(), fileName: z.string() });
const ProjectId = z.object({ projectId: z.string() });
const JobId = z.object({ jobId: z.string() });
const Nothing = z.object({});

export const calls = {
  'app.info': {
    params: Nothing,
    result: z.object({ version: z.string(), shell: z.enum(['desktop', 'web']) }),
  },
  'app.doctor': { params: Nothing, result: DoctorView },
  'project.list': { params: Nothing, result: z.array(ProjectSummary) },
  'project.open': { params: ProjectId, result: ProjectView },
  'project.remove': { params: ProjectId, result: Nothing },
  /** Opens a model into a new project. Long for big files: progress is reported under the job id given by the caller. */
  'model.open': { params: z.object({ ref: Ref, jobId: z.string() }), result: ProjectView },
  /** Opens the bundled sample: its model with its labelled samples. */
  'model.openSample': { params: Nothing, result: ProjectView },
  /** Settles open dimensions beside those that are settled, or the values of inputs, and reads the model again. */
  'model.settleInputs': {
    params: ProjectId.extend({ shapes: Shapes.optional(), fixed: FixedValues.optional() }),
    result: ModelView,
  },
  'model.graph': { params: ProjectId, result: GraphView },
  /** The operators that written files have. */
  'model.operators': { params: ProjectId, result: z.array(OperatorView) },
  /** Constants of an operator of the source, by its name. */
  'model.weights': { params: ProjectId.extend({ node: z.string() }), result: z.array(WeightView) },
  /** Attaches samples: one file or folder, or several dropped files (`refs`). */
  'data.attach': { params: ProjectId.extend({ refs: z.array(Ref).min(1) }), result: DatasetView },
  'data.detach': { params: ProjectId, result: Nothing },
  'data.setPreprocess': { params: ProjectId.extend({ preprocess: Preprocess }), result: DatasetView },
  'data.preview': {
    params: ProjectId.extend({
      offset: z.number().int().nonnegative(),
      count: z.number().int().positive().max(64),
    }),
    result: z.array(SampleView),
  },
  'recipe.set': { params: ProjectId.extend({ recipe: Recipe }), result: Recipe },
  /** The project's recipe as a Python script for TensorFlow's converter and onnxruntime's quantizer. */
  'recipe.python': { params: ProjectId, result: PythonScript },
  'optimize.estimate': { params: ProjectId, result: z.array(EstimateView) },
  /**
   * Queues a run of the project's recipe; results arrive as `artifact` events, the end as a `progress` event. A trial
   * makes one more file instead: as an artifact that is there, with something changed. The project's recipe stays.
   */
  'optimize.start': {
    params: ProjectId.extend({
      trial: z
        .object({
          artifactId: z.string(),
          change: RecipeChange,
          /** What is tried, in a few words: part of the result's name. */
          label: z.string().min(1).max(200),
        })
        .optional(),
    }),
    result: JobId,
  },
  'profile.start': {
    params: ProjectId.extend({
      /** `source` stands for the project's model. */
      artifactIds: z.array(z.string()).min(1),
      engine: z.enum(['auto', 'litert', 'litert-wasm', 'ort']),
      device: z.string(),
      threads: z.number().int().positive(),
      perOp: z.boolean(),
      /** Runs each further one in turn with the first: `comparison` of its profile says which is faster. */
      compare: z.boolean().optional(),
    }),
    result: JobId,
  },
  'profile.list': { params: ProjectId, result: z.array(ProfileView) },
  /** Jobs that wait or run, and those that ended since the core started or that a crash ended before that. */
  'job.list': { params: Nothing, result: z.array(ProgressView) },
  'job.cancel': { params: JobId, result: Nothing },
  'artifact.detail': { params: ProjectId.extend({ artifactId: z.string() }), result: ArtifactDetail },
  /** Which runtimes and accelerators run the file, node by node, by their published rules. */
  'artifact.targets': { params: ProjectId.extend({ artifactId: z.string() }), result: z.array(TargetView) },
  'artifact.remove': { params: ProjectId.extend({ artifactId: z.string() }), result: Nothing },
  'artifact.restore': { params: ProjectId.extend({ artifactId: z.string() }), result: ArtifactView },
  /** Copies the artifact to a path the user chose in the save dialog (desktop). */
  'artifact.export': {
    params: ProjectId.extend({ artifactId: z.string(), path: z.string(), overwrite: z.boolean() }),
    result: z.object({ path: z.string() }),
  },
  /** A one-time URL path below the web host's root for downloading the artifact (browser). */
  'artifact.download': {
    params: ProjectId.extend({ artifactId: z.string() }),
    /** `data` is the second file of an artifact that has two. */
    result: Download.extend({ data: Download.optional() }),
  },
} as const satisfies Record<string, { params: z.ZodType; result: z.ZodType }>;

export const events = {
  progress: ProgressView,
  /** A result arrived or changed. */
  artifact: z.object({ projectId: z.string(), artifact: ArtifactView }),
  profile: z.object({ projectId: z.string(), profile: ProfileView }),
  project: ProjectView,
  /** A line for the activity log. */
  log: z.object({ time: z.string(), level: z.enum(['info', 'warning', 'error']), message: z.string() }),
} as const satisfies Record<string, z.ZodType>;

export type CallName = keyof typeof calls;
export type CallParams<K extends CallName> = z.input<(typeof calls)[K]['params']>;
export type CallResult<K extends CallName> = z.output<(typeof calls)[K]['result']>;
export type EventName = keyof typeof events;
export type EventData<K extends EventName> = z.output<(typeof events)[K]>;

/** What a handler knows about its call beside the parameters. */
export interface CallContext {
  /** Aborted when the caller cancels the call or goes away. */
  readonly signal: AbortSignal;
}

/** The core's side of the table. */
export type Handlers = {
  [K in CallName]: (
    params: z.output<(typeof calls)[K]['params']>,
    context: CallContext,
  ) => Promise<CallResult<K>>;
};
