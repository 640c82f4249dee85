import { useMemo } from 'react';
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
        <section className="card run-now" aria-label="Run">
          <span className="truncate">
            {running.state === 'queued' ? 'Waiting for its turn' : running.stage}
          </span>
          <span className="num muted">
            {Math.floor(running.fraction * 100)} %
            {running.secondsLeft !== undefined && ` · ${formatTimeLeft(running.secondsLeft)}`}
          </span>
          <Button small onClick={() => void cancelActivity(running.jobId)}>
            Cancel run
          </Button>
          <ProgressBar fraction={running.fraction} label={running.title} />
        </section>
      ) : (
        blockedPick && (
          <div className="run-blocked" role="status">
            <span>
              {precisionLook[blockedPick.precision].name}: {blockedPick.blocked}
              {blocked === undefined && ' The others run without it.'}
            </span>
            {blockedPick.needsSamples && !project.data && (
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
