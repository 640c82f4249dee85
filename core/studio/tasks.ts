import type {
  ArtifactDetail,
  ArtifactView,
  DatasetView,
  DoctorView,
  EstimateView,
  GraphView,
  ModelView,
  OperatorView,
  OptimizeReport,
  Preprocess,
  ProfileView,
  Recipe,
  ReferenceView,
  SampleView,
  TargetView,
  WeightView,
} from '../contract/views.ts';
import type { OpenInput } from '../data/sample-shapes.ts';
import type { InputSpec } from '../data/sample-spec.ts';
import type { ProgressUpdate } from './progress.ts';
import type { InputChoices } from './source-model.ts';
import type { TrialMark } from './trial.ts';

/** Where samples come from and how they become what the network sees. */
export interface DataSource {
  readonly paths: readonly string[];
  readonly preprocess?: Preprocess;
}

/** The work that is too long for the core's own thread, with what it needs and what it gives. All of it plain data. */
export interface Tasks {
  doctor: { params: Record<string, never>; result: EngineView[] };
  inspect: { params: { path: string; inputs: InputChoices }; result: ModelView };
  targets: { params: { path: string }; result: TargetView[] };
  graph: { params: { path: string; inputs: InputChoices }; result: GraphView };
  operators: { params: { path: string; recipe: Recipe }; result: OperatorView[] };
  weights: { params: { path: string; inputs: InputChoices; node: string }; result: WeightView[] };
  describe: { params: { data: DataSource; inputs: readonly InputSpec[] }; result: DatasetView };
  shapes: { params: { data: DataSource; inputs: readonly OpenInput[] }; result: Record<string, number[]> };
  preview: {
    params: { data: DataSource; inputs: readonly InputSpec[]; offset: number; count: number };
    result: SampleView[];
  };
  estimate: { params: { path: string; recipe: Recipe; hasData: boolean }; result: EstimateView[] };
  optimize: {
    params: { path: string; recipe: Recipe; data?: DataSource; outDir: string; mark?: TrialMark };
    result: OptimizeReport;
  };
  profile: {
    params: {
      items: readonly { path: string; artifactId?: string }[];
      engine: 'auto' | 'litert' | 'litert-wasm' | 'ort';
      device: string;
      threads: number;
      perOp: boolean;
      compare?: boolean;
    };
    result: ProfileView[];
  };
}

type EngineView = DoctorView['engines'][number];

export type TaskName = keyof Tasks;
export type TaskParams<K extends TaskName> = Tasks[K]['params'];
export type TaskResult<K extends TaskName> = Tasks[K]['result'];

/** What a task tells while it runs. */
export interface TaskEvents {
  onProgress?(update: ProgressUpdate): void;
  onArtifact?(artifact: ArtifactView, detail: ArtifactDetail | undefined): void;
  onReference?(reference: ReferenceView): void;
  onProfile?(profile: ProfileView): void;
}

/**
 * Runs tasks somewhere else than here. @throws WhittleError what the task threw; `job.cancelled` at the latest half a
 * second after the signal; `job.crashed` when the place it ran in ended.
 */
export interface TaskRunner {
  run<K extends TaskName>(
    name: K,
    params: TaskParams<K>,
    options: { signal: AbortSignal; events?: TaskEvents },
  ): Promise<TaskResult<K>>;
  close(): Promise<void>;
}
