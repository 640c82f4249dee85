import {
  Box,
  ChartScatter,
  Check,
  CircleAlert,
  Images,
  LoaderCircle,
  type LucideIcon,
  Share,
  SlidersHorizontal,
  Timer,
} from 'lucide-react';
import { type KeyboardEvent, useMemo } from 'react';
import { useJobs } from '../state/jobs.ts';
import { useProject } from '../state/project.ts';
import { type StageStatus, selectStageStates } from '../state/stage-status.ts';
import { type Stage, stageNames, stages, useView } from '../state/view.ts';

const icons: Record<Stage, LucideIcon> = {
  model: Box,
  data: Images,
  optimize: SlidersHorizontal,
  compare: ChartScatter,
  profile: Timer,
  export: Share,
};

/** The stages, each with what it says about itself. */
export function Rail() {
  const stage = useView((state) => state.stage);
  const project = useProject((state) => state.project);
  const estimates = useProject((state) => state.estimates);
  const profiles = useProject((state) => state.profiles.length);
  const jobs = useJobs((state) => state.jobs);
  const states = useMemo(
    () => selectStageStates({ project, estimates, jobs, profiles }),
    [project, estimates, jobs, profiles],
  );

  const handleKey = (event: KeyboardEvent<HTMLElement>): void => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    const step = event.key === 'ArrowDown' ? 1 : -1;
    const next = stages[(stages.length + stages.indexOf(stage) + step) % stages.length];
    useView.getState().goTo(next);
    event.currentTarget.querySelector<HTMLElement>(`[data-stage="${next}"]`)?.focus();
  };

  return (
    <div
      className="rail"
      role="tablist"
      aria-label="Stages"
      aria-orientation="vertical"
      onKeyDown={handleKey}
    >
      {stages.map((one) => {
        const Icon = icons[one];
        const { status, reason } = states[one];
        const selected = project !== undefined && one === stage;
        return (
          <button
            key={one}
            type="button"
            role="tab"
            data-stage={one}
            data-status={status}
            aria-label={stageNames[one]}
            aria-description={`${status}: ${reason}`}
            aria-selected={selected}
            aria-controls={selected ? 'stage-panel' : undefined}
            tabIndex={one === stage ? 0 : -1}
            disabled={!project}
            title={`${stageNames[one]}: ${reason}`}
            onClick={() => useView.getState().goTo(one)}
          >
            <Icon size={17} aria-hidden />
            <span className="rail-name">{stageNames[one]}</span>
            <StateMark status={status} />
          </button>
        );
      })}
    </div>
  );
}

function StateMark({ status }: { status: StageStatus }) {
  switch (status) {
    case 'done':
      return <Check className="rail-state" size={13} color="var(--ok)" aria-hidden />;
    case 'running':
      return (
        <LoaderCircle className="rail-state state-running" size={13} color="var(--accent)" aria-hidden />
      );
    case 'needs you':
      return <CircleAlert className="rail-state" size={13} color="var(--warning)" aria-hidden />;
    case 'ready':
      return (
        <svg className="rail-state" width="13" height="13" aria-hidden focusable="false">
          <circle cx="6.5" cy="6.5" r="2.5" fill="var(--accent)" />
        </svg>
      );
    case 'empty':
      return <span className="rail-state" />;
  }
}
