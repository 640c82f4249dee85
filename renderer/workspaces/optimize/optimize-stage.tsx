import { useMemo } from 'react';
import type { EstimateView, ProgressView } from '../../../core/contract/views.ts';
import { commandById, runBlocked } from '../../commands/table.ts';
import { editRecipe } from '../../state/actions/recipe.ts';
import { cancelActivity, runRecipe } from '../../state/actions/results.ts';
import { selectCompareRows } from '../../state/compare-rows.ts';
import { findRunning, useJobs } from '../../state/jobs.ts';
import { useProject } from '../../state/project.ts';
import { useView } from '../../state/view.ts';
import { precisionLook } from '../../theme/precision.ts';
import { Button, Hollow, ProgressBar } from '../../ui/blocks.tsx';
import { formatTimeLeft, plural } from '../../ui/format.ts';
import { cardsOf, runningPrecision } from './cards.ts';
import { OverridesCard } from './overrides-card.tsx';
import { PrecisionCard } from './precision-card.tsx';
import { RecipeCard } from './recipe-card.tsx';
import { ResultList } from './result-list.tsx';
import { Settings } from './settings.tsx';
import './optimize-stage.css';

/** Pick precisions, set what matters, run. */
export function OptimizeStage() {
  const project = useProject((state) => state.project);
  const estimates = useProject((state) => state.estimates);
  const jobs = useJobs((state) => state.jobs);
  const rows = useMemo(() => selectCompareRows(project), [project]);
  if (!project?.model) {
    return (
      <div className="page">
        <Hollow title="The model is being read">Precisions appear here as soon as it is.</Hollow>
      </div>
    );
  }
  const { recipe } = project;
  const running = findRunning(jobs, 'optimize', project.id);
  const sourceBytes = project.model.source.sizeBytes;
  const blocked = runBlocked();
  const blockedPick = estimates.find((one) => one.blocked && recipe.precisions.includes(one.precision));
  const now = running ? runningPrecision(running.stage) : undefined;

  return (
    <div className="page">
      <div className="page-head">
        <h1>Optimize</h1>
        <span className="page-note truncate">{project.name}</span>
        <Button variant="primary" blocked={blocked} onClick={() => void runRecipe()}>
          Run {plural(recipe.precisions.length, 'precision')}
        </Button>
      </div>
      {running ? (
        <RunNow job={running} />
      ) : (
        blockedPick && (
          <BlockedPick
            estimate={blockedPick}
            hasOthers={blocked === undefined}
            canAttach={blockedPick.needsSamples && !project.data}
          />
        )
      )}
      <div className="optimize">
        <div className="optimize-main">
          <fieldset className="precisions" aria-label="Precisions">
            {cardsOf(estimates).map((estimate) => (
              <PrecisionCard
                key={estimate.precision}
                estimate={estimate}
                sourceBytes={sourceBytes}
                picked={recipe.precisions.includes(estimate.precision)}
                hasSamples={project.data !== undefined}
                running={now === estimate.precision}
                results={rows.filter(({ artifact }) => artifact?.precision === estimate.precision)}
                onPick={(picked) => {
                  const name = precisionLook[estimate.precision].name;
                  editRecipe(
                    {
                      precisions: picked
                        ? [...recipe.precisions, estimate.precision]
                        : recipe.precisions.filter((one) => one !== estimate.precision),
                    },
                    `${name} ${picked ? 'picked' : 'unpicked'}`,
                  );
                }}
              />
            ))}
          </fieldset>
          {rows.length > 1 && (
            <ResultList rows={rows.slice(1)} onCompare={() => useView.getState().goTo('compare')} />
          )}
          <OverridesCard recipe={recipe} />
          <RecipeCard recipe={recipe} name={project.name} />
        </div>
        <Settings recipe={recipe} samples={project.data?.samples} memoryBytes={estimates[0]?.memoryBytes} />
      </div>
    </div>
  );
}

function RunNow({ job }: { job: ProgressView }) {
  return (
    <section className="card run-now" aria-label="Run">
      <span className="truncate">{job.state === 'queued' ? 'Waiting for its turn' : job.stage}</span>
      <span className="num muted">
        {Math.floor(job.fraction * 100)} %
        {job.secondsLeft !== undefined && ` · ${formatTimeLeft(job.secondsLeft)}`}
      </span>
      <Button small onClick={() => void cancelActivity(job.jobId)}>
        Cancel run
      </Button>
      <ProgressBar fraction={job.fraction} label={job.title} />
    </section>
  );
}

interface BlockedPickProps {
  estimate: EstimateView;
  /** Other precisions that were picked can be made. */
  hasOthers: boolean;
  /** Samples would do. */
  canAttach: boolean;
}

/** Why a precision that was picked is not made, with what helps. */
function BlockedPick({ estimate, hasOthers, canAttach }: BlockedPickProps) {
  return (
    <div className="run-blocked" role="status">
      <span>
        {precisionLook[estimate.precision].name}: {estimate.blocked}
        {hasOthers && ' The others run without it.'}
      </span>
      {canAttach && (
        <>
          <Button small onClick={commandById('attach-files').run}>
            Attach files
          </Button>
          <Button small onClick={commandById('attach-folder').run}>
            Attach a folder
          </Button>
        </>
      )}
    </div>
  );
}
