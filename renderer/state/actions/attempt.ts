import { toErrorView } from '../../../core/contract/error-view.ts';
import { useJobs } from '../jobs.ts';
import { useView } from '../view.ts';

/**
 * Runs something a person asked for. A failure becomes a notice that says what was being done; a cancelled one is
 * silent, because the person knows.
 */
export async function attempt<T>(title: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (thrown) {
    const error = toErrorView(thrown);
    if (error.code !== 'job.cancelled') {
      useView.getState().notify(title, error);
      useJobs.getState().addLog({
        time: new Date().toISOString(),
        level: 'error',
        message: `${title}: ${error.message}`,
      });
    }
    return undefined;
  }
}

/** Like `attempt`, with a line in the job bar from the first moment until the work ends. */
export async function attemptShown<T>(
  activity: { id: string; title: string; stage: string; cancel?: () => void },
  work: (report: (stage: string, fraction: number | null) => void) => Promise<T>,
): Promise<T | undefined> {
  const jobs = useJobs.getState();
  jobs.setLocal({ ...activity, fraction: null });
  const result = await attempt(activity.title, () =>
    work((stage, fraction) => jobs.setLocal({ ...activity, stage, fraction })),
  );
  jobs.endLocal(activity.id);
  return result;
}
