import type { Preprocess } from '../../../core/contract/views.ts';
import { call } from '../../client/core.ts';
import { newId } from '../../client/new-id.ts';
import type { Picked } from '../../client/shell.ts';
import { useProject } from '../project.ts';
import { useUndo } from '../undo.ts';
import { useView } from '../view.ts';
import { attempt, attemptShown } from './attempt.ts';
import { refreshEstimates, toRefs } from './project.ts';

/** Attaches dropped or picked samples to the open project. */
export async function attachData(picked: readonly Picked[]): Promise<void> {
  const project = useProject.getState().project;
  if (!project || picked.length === 0) return;
  const title = picked.length === 1 ? `Attaching ${picked[0].name}` : `Attaching ${picked.length} files`;
  const refs = await toRefs(title, picked);
  if (!refs || refs.length === 0) return;
  await attemptShown({ id: newId(), title, stage: 'reading the samples' }, async () => {
    const data = await call('data.attach', { projectId: project.id, refs });
    useProject.getState().patch(project.id, { data });
    useView.getState().goTo('data');
    await refreshEstimates();
  });
}

export async function detachData(): Promise<void> {
  const project = useProject.getState().project;
  if (!project) return;
  await attempt('Detaching the samples', async () => {
    await call('data.detach', { projectId: project.id });
    useProject.getState().patch(project.id, { data: undefined });
    await refreshEstimates();
  });
}

/** Changes how samples are prepared; the change can be undone. */
export async function setPreprocess(preprocess: Preprocess): Promise<void> {
  const project = useProject.getState().project;
  if (!project?.data) return;
  const before = project.data.preprocess;
  const applied = await applyPreprocess(project.id, preprocess);
  if (applied && before)
    useUndo.getState().push({
      label: 'preprocessing',
      key: 'preprocess',
      undo: () => void applyPreprocess(project.id, before),
    });
}

async function applyPreprocess(projectId: string, preprocess: Preprocess): Promise<boolean> {
  const done = await attemptShown(
    { id: newId(), title: 'Preparing samples', stage: 'applying the preprocessing' },
    async () => {
      const data = await call('data.setPreprocess', { projectId, preprocess });
      useProject.getState().patch(projectId, { data });
      return true;
    },
  );
  return done ?? false;
}
