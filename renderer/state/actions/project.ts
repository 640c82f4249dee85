import type { ProjectView, Recipe } from '../../../core/contract/views.ts';
import { call, shell } from '../../client/core.ts';
import { newId } from '../../client/new-id.ts';
import type { Picked } from '../../client/shell.ts';
import { formatBytes } from '../../ui/format.ts';
import { useProject } from '../project.ts';
import { useSession } from '../session.ts';
import { useUndo } from '../undo.ts';
import { useView } from '../view.ts';
import { attempt, attemptShown } from './attempt.ts';

/** Makes a project the one on the screen and fetches what the stages need beside it. */
export function showProject(project: ProjectView, options: { keepStage?: boolean } = {}): void {
  const isOther = useProject.getState().project?.id !== project.id;
  useProject.getState().show(project);
  if (isOther) {
    useUndo.getState().clear();
    useView.getState().set({ profileIds: [], exportId: undefined });
  }
  if (!options.keepStage) useView.getState().goTo('model');
  void refreshEstimates();
  void attempt('Reading measurements', async () => {
    const profiles = await call('profile.list', { projectId: project.id });
    if (useProject.getState().project?.id === project.id) useProject.setState({ profiles });
  });
}

/** Refs of what was picked, with the upload shown in the job bar. */
export async function toRefs(title: string, picked: readonly Picked[]): Promise<string[] | undefined> {
  const stop = new AbortController();
  return attemptShown({ id: newId(), title, stage: 'starting', cancel: () => stop.abort() }, (report) =>
    shell().toRefs(
      picked,
      ({ sentBytes, totalBytes }) =>
        report(
          `${formatBytes(sentBytes)} of ${formatBytes(totalBytes)} sent`,
          totalBytes > 0 ? sentBytes / totalBytes : null,
        ),
      stop.signal,
    ),
  );
}

/** Opens a dropped or picked model as a new project. */
export async function openModel(picked: Picked): Promise<void> {
  const refs = await toRefs(`Opening ${picked.name}`, [picked]);
  if (!refs?.[0]) return;
  const [ref] = refs;
  const jobId = newId();
  await attemptShown(
    {
      id: newId(),
      title: `Opening ${picked.name}`,
      stage: 'reading the file',
      cancel: () => void call('job.cancel', { jobId }),
    },
    async () => showProject(await call('model.open', { ref, jobId })),
  );
  await refreshRecents();
}

export async function openSample(): Promise<void> {
  await attemptShown({ id: newId(), title: 'Opening the sample', stage: 'reading the file' }, async () =>
    showProject(await call('model.openSample', {})),
  );
  await refreshRecents();
}

export async function openProject(projectId: string, name: string): Promise<void> {
  await attemptShown({ id: newId(), title: `Opening ${name}`, stage: 'reading the project' }, async () =>
    showProject(await call('project.open', { projectId })),
  );
}

export async function forgetProject(projectId: string, name: string): Promise<void> {
  await attempt(`Removing ${name}`, async () => {
    await call('project.remove', { projectId });
    if (useProject.getState().project?.id === projectId) useProject.getState().close();
  });
  await refreshRecents();
}

export async function refreshRecents(): Promise<void> {
  await attempt('Reading recent projects', async () => {
    useSession.setState({ recents: await call('project.list', {}) });
  });
}

export async function refreshEstimates(): Promise<void> {
  const project = useProject.getState().project;
  if (!project?.model) return;
  await attempt('Estimating sizes', async () => {
    const estimates = await call('optimize.estimate', { projectId: project.id });
    if (useProject.getState().project?.id === project.id) useProject.setState({ estimates });
  });
}

export async function loadGraph(projectId: string): Promise<void> {
  await attempt('Reading the graph', async () => {
    const graph = await call('model.graph', { projectId });
    if (useProject.getState().project?.id === projectId) useProject.setState({ graph });
  });
}

/** Gives open dimensions their sizes, or inputs their values, and reads the model again. */
export async function settleInputs(
  projectId: string,
  choices: Partial<Pick<Recipe, 'shapes' | 'fixed'>>,
): Promise<void> {
  await attemptShown({ id: newId(), title: 'Setting inputs', stage: 'reading the model again' }, async () => {
    const model = await call('model.settleInputs', { projectId, ...choices });
    const recipe = useProject.getState().project?.recipe;
    const shapes = { ...recipe?.shapes, ...choices.shapes };
    useProject
      .getState()
      .patch(projectId, { model, ...(recipe && { recipe: { ...recipe, ...choices, shapes } }) });
    useProject.setState({ graph: undefined, operators: undefined, weights: {} });
    await refreshEstimates();
  });
}
