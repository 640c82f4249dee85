import type { EstimateView, ProgressView, ProjectView } from '../../core/contract/views.ts';
import { findRunning } from './jobs.ts';
import type { Stage } from './view.ts';

export type StageStatus = 'empty' | 'ready' | 'running' | 'done' | 'needs you';

export interface StageState {
  status: StageStatus;
  /** Why, in a few words, for the tooltip and screen readers. */
  reason: string;
}

interface Inputs {
  project?: ProjectView;
  estimates: readonly EstimateView[];
  jobs: Readonly<Record<string, ProgressView>>;
  profiles: number;
}

/** What each stage of the rail says about itself. */
export function selectStageStates({ project, estimates, jobs, profiles }: Inputs): Record<Stage, StageState> {
  if (!project) {
    const empty: StageState = { status: 'empty', reason: 'Open a model first' };
    return { model: empty, data: empty, optimize: empty, compare: empty, profile: empty, export: empty };
  }
  const results = project.artifacts;
  const good = results.filter(({ status }) => status === 'ok');
  const measuring = findRunning(jobs, 'profile', project.id);
  return {
    model: modelState(project),
    data: dataState(project, estimates),
    optimize: optimizeState(project, jobs),
    compare: results.length > 0 ? done('There are results') : notYet('Run a precision first'),
    profile: measuring
      ? { status: 'running', reason: measuring.stage }
      : profiles > 0
        ? done('Measured')
        : results.length > 0
          ? ready('Measure latency in detail')
          : notYet('Run a precision first'),
    export:
      good.length > 0
        ? ready(`${good.length} verified`)
        : results.length > 0
          ? { status: 'needs you', reason: 'No result passed its gates' }
          : notYet('Run a precision first'),
  };
}

const done = (reason: string): StageState => ({ status: 'done', reason });
const ready = (reason: string): StageState => ({ status: 'ready', reason });
const notYet = (reason: string): StageState => ({ status: 'empty', reason });

function modelState(project: ProjectView): StageState {
  if (!project.model) return { status: 'running', reason: 'Reading the model' };
  if (project.model.graph.dynamicDims.length > 0)
    return { status: 'needs you', reason: 'Open dimensions need a value' };
  if (project.model.issues.some(({ severity }) => severity === 'error'))
    return { status: 'needs you', reason: 'The model has errors' };
  return done('Read');
}

function dataState(project: ProjectView, estimates: readonly EstimateView[]): StageState {
  if (project.data) {
    return project.data.issues.some(({ severity }) => severity === 'error')
      ? { status: 'needs you', reason: 'The samples do not fit' }
      : done(`${project.data.samples} samples`);
  }
  if (project.model?.graph.nodes === 0) return notYet('The model could not be read');
  const waiting = estimates.some(
    ({ precision, needsSamples }) => needsSamples && project.recipe.precisions.includes(precision),
  );
  return waiting
    ? { status: 'needs you', reason: 'A picked precision needs samples' }
    : ready('Samples are optional for the picked precisions');
}

function optimizeState(project: ProjectView, jobs: Inputs['jobs']): StageState {
  const running = findRunning(jobs, 'optimize', project.id);
  if (running) return { status: 'running', reason: running.stage };
  if (project.model?.graph.nodes === 0) return notYet('The model could not be read');
  return project.artifacts.length > 0 ? done('Ran') : ready('Pick precisions and run');
}
