import { ListTree } from 'lucide-react';
import { useMemo } from 'react';
import type { DoctorView } from '../../core/contract/views.ts';
import { cancelActivity } from '../state/actions/results.ts';
import { isOver, selectActivities, useJobs } from '../state/jobs.ts';
import { useSession } from '../state/session.ts';
import { useView } from '../state/view.ts';
import { Button, classes, ProgressBar } from '../ui/blocks.tsx';
import { formatTimeLeft } from '../ui/format.ts';

/** The runtime that exported .tflite files are measured in on this machine. */
function engineLabel(doctor: DoctorView | undefined): string | undefined {
  const find = (id: string) => doctor?.engines.find((engine) => engine.id === id && engine.available);
  if (find('litert')) return 'LiteRT native';
  return find('litert-wasm')?.name;
}

const endWords = { done: 'done', failed: 'failed', cancelled: 'cancelled' };

/** The running job, always in view; a click opens the activity log. */
export function JobBar() {
  const jobs = useJobs((state) => state.jobs);
  const local = useJobs((state) => state.local);
  const doctor = useSession((state) => state.doctor);
  const connection = useSession((state) => state.connection);
  const activities = useMemo(() => selectActivities({ jobs, local }), [jobs, local]);
  const current = activities[0];
  // That a model was opened shows by itself.
  const last = Object.values(jobs)
    .filter((job) => isOver(job) && job.kind !== 'open')
    .at(-1);
  const toggleLog = (): void => useView.setState(({ logOpen }) => ({ logOpen: !logOpen }));

  const idleText =
    connection !== 'ready'
      ? 'Connecting to the core'
      : last
        ? `${last.title}: ${endWords[last.state as keyof typeof endWords]}`
        : 'Ready';

  return (
    <footer className="bar">
      <button
        type="button"
        className="bar-job"
        onClick={toggleLog}
        aria-label="Activity log"
        title="Open the activity log"
      >
        <span
          className={classes(
            'bar-dot',
            current !== undefined && 'bar-dot-on',
            !current && last?.state === 'failed' && 'bar-dot-bad',
          )}
        />
        <span className="truncate" role="status" data-testid="job-status">
          {current ? (current.job ? current.stage : `${current.title}: ${current.stage}`) : idleText}
        </span>
        {current && (
          <>
            <ProgressBar fraction={current.fraction} label={current.title} />
            <span className="num muted" style={{ whiteSpace: 'nowrap' }}>
              {current.fraction !== null && `${Math.floor(current.fraction * 100)}\u00a0%`}
              {current.secondsLeft !== undefined && ` · ${formatTimeLeft(current.secondsLeft)}`}
              {activities.length > 1 && ` · ${activities.length - 1} more`}
            </span>
          </>
        )}
      </button>
      {current && (current.job || current.cancel) && (
        <Button small onClick={() => void cancelActivity(current.id)}>
          Cancel
        </Button>
      )}
      <span className="bar-engine">{engineLabel(doctor)}</span>
      <Button
        variant="quiet"
        small
        icon={<ListTree size={15} />}
        aria-label="Show activity log"
        onClick={toggleLog}
      />
    </footer>
  );
}
