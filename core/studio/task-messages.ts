import type {
  ArtifactDetail,
  ArtifactView,
  ErrorView,
  ProfileView,
  ReferenceView,
} from '../contract/views.ts';
import type { ProgressUpdate } from './progress.ts';
import type { TaskName, TaskParams } from './tasks.ts';

/** What the core posts to a worker. */
export type ToWorker =
  | { t: 'run'; name: TaskName; params: TaskParams<TaskName> }
  /** Asks the running task to stop. */
  | { t: 'abort' };

/** What a worker posts back. */
export type FromWorker =
  | { t: 'progress'; update: ProgressUpdate }
  | { t: 'artifact'; artifact: ArtifactView; detail: ArtifactDetail | undefined }
  | { t: 'reference'; reference: ReferenceView }
  | { t: 'profile'; profile: ProfileView }
  | { t: 'done'; result: unknown }
  | { t: 'failed'; error: ErrorView };
