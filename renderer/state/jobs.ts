import { create } from 'zustand';
import type { ProgressView } from '../../core/contract/views.ts';

/** Work that this page does itself or waits for: an upload, a call that takes long. */
export interface LocalActivity {
  id: string;
  title: string;
  stage: string;
  /** 0…1; null while nobody knows. */
  fraction: number | null;
  cancel?: () => void;
}

/** What the job bar shows. */
export interface Activity extends LocalActivity {
  secondsLeft?: number;
  /** Set for jobs of the core. */
  job?: ProgressView;
}

export interface LogLine {
  id: number;
  time: string;
  level: 'info' | 'warning' | 'error';
  message: string;
}

const logCapacity = 2000;

interface JobState {
  jobs: Readonly<Record<string, ProgressView>>;
  local: readonly LocalActivity[];
  log: readonly LogLine[];
  setJobs(jobs: readonly ProgressView[]): void;
  progress(job: ProgressView): void;
  setLocal(activity: LocalActivity): void;
  endLocal(id: string): void;
  addLog(line: Omit<LogLine, 'id'>): void;
}

let nextLogId = 1;

/** Running and ended jobs, and the activity log. */
export const useJobs = create<JobState>((set) => ({
  jobs: {},
  local: [],
  log: [],
  setJobs: (jobs) => set({ jobs: Object.fromEntries(jobs.map((job) => [job.jobId, job])) }),
  progress: (job) =>
    set((state) => {
      const before = state.jobs[job.jobId];
      // Messages may overtake each other; what has ended stays ended and a fraction never goes back.
      if (before && isOver(before)) return state;
      const fraction = isOver(job) ? job.fraction : Math.max(before?.fraction ?? 0, job.fraction);
      return { jobs: { ...state.jobs, [job.jobId]: { ...job, fraction } } };
    }),
  setLocal: (activity) =>
    set((state) => ({
      local: state.local.some(({ id }) => id === activity.id)
        ? state.local.map((one) => (one.id === activity.id ? activity : one))
        : [...state.local, activity],
    })),
  endLocal: (id) => set((state) => ({ local: state.local.filter((one) => one.id !== id) })),
  addLog: (line) =>
    set((state) => ({ log: [...state.log, { ...line, id: nextLogId++ }].slice(-logCapacity) })),
}));

export function isOver(job: ProgressView): boolean {
  return job.state === 'done' || job.state === 'failed' || job.state === 'cancelled';
}

/** What is going on right now, the running before the queued. */
export function selectActivities(state: Pick<JobState, 'jobs' | 'local'>): Activity[] {
  const jobs = Object.values(state.jobs)
    .filter((job) => !isOver(job))
    .sort((a, b) => Number(a.state === 'queued') - Number(b.state === 'queued'))
    .map(
      (job): Activity => ({
        id: job.jobId,
        title: job.title,
        stage: job.state === 'queued' ? 'waiting for its turn' : job.stage,
        fraction: job.fraction,
        secondsLeft: job.secondsLeft,
        job,
      }),
    );
  return [...state.local, ...jobs];
}

/** The job of one kind that runs or waits for a project. */
export function findRunning(
  jobs: Readonly<Record<string, ProgressView>>,
  kind: ProgressView['kind'],
  projectId: string | undefined,
): ProgressView | undefined {
  return Object.values(jobs).find((job) => job.kind === kind && job.projectId === projectId && !isOver(job));
}
