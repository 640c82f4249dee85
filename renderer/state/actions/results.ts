import type { CallParams } from '../../../core/contract/api.ts';
import type { ArtifactView, RecipeChange } from '../../../core/contract/views.ts';
import { call, shell } from '../../client/core.ts';
import { artifactName } from '../../theme/precision.ts';
import { useJobs } from '../jobs.ts';
import { useProject } from '../project.ts';
import { trialLabel } from '../trials.ts';
import { useUndo } from '../undo.ts';
import { useView } from '../view.ts';
import { attempt } from './attempt.ts';
import { flushRecipe } from './recipe.ts';

/** Runs the precisions of the recipe. Results arrive one by one. */
export async function runRecipe(): Promise<void> {
  const project = useProject.getState().project;
  if (!project) return;
  await attempt('Starting the run', async () => {
    await flushRecipe();
    await call('optimize.start', { projectId: project.id });
  });
}

export async function startProfile(request: Omit<CallParams<'profile.start'>, 'projectId'>): Promise<void> {
  const project = useProject.getState().project;
  if (!project) return;
  await attempt('Starting the measurement', () =>
    call('profile.start', { projectId: project.id, ...request }),
  );
}

/** Cancels one activity of the job bar, be it the core's or this page's. */
export async function cancelActivity(id: string): Promise<void> {
  const local = useJobs.getState().local.find((one) => one.id === id);
  if (local) local.cancel?.();
  else await attempt('Cancelling', () => call('job.cancel', { jobId: id }));
}

/** Removes a result at once, without asking; it can be undone. */
export async function removeArtifact(artifact: ArtifactView): Promise<void> {
  const project = useProject.getState().project;
  if (!project) return;
  const name = artifactName(artifact);
  const done = await attempt(`Removing ${name}`, async () => {
    await call('artifact.remove', { projectId: project.id, artifactId: artifact.id });
    useProject.getState().removeArtifact(artifact.id);
    return true;
  });
  if (!done) return;
  const restore = (): void =>
    void attempt(`Restoring ${name}`, async () => {
      const back = await call('artifact.restore', { projectId: project.id, artifactId: artifact.id });
      useProject.getState().upsertArtifact(project.id, back);
    });
  useUndo.getState().push({ label: `${name} removed`, undo: restore });
  useView.getState().showToast(`${name} was removed.`, {
    label: 'Undo',
    run: () => void useUndo.getState().pop(),
  });
}

export async function loadDetail(artifactId: string): Promise<void> {
  const { project, details } = useProject.getState();
  if (!project || details[artifactId]) return;
  await attempt('Comparing operators', async () => {
    const detail = await call('artifact.detail', { projectId: project.id, artifactId });
    useProject.setState((state) =>
      state.project?.id === project.id ? { details: { ...state.details, [artifactId]: detail } } : state,
    );
  });
}

export async function loadTargets(artifactId: string): Promise<void> {
  const { project, targets } = useProject.getState();
  if (!project || targets[artifactId]) return;
  await attempt('Asking what each target takes', async () => {
    const views = await call('artifact.targets', { projectId: project.id, artifactId });
    useProject.setState((state) =>
      state.project?.id === project.id ? { targets: { ...state.targets, [artifactId]: views } } : state,
    );
  });
}

/** Makes one more file: as a result, with something changed. It arrives beside the others. */
export async function startTrial(artifact: ArtifactView, change: RecipeChange): Promise<void> {
  const project = useProject.getState().project;
  if (!project) return;
  const label = trialLabel(artifact, change);
  await attempt(`Trying ${label}`, async () => {
    await flushRecipe();
    await call('optimize.start', {
      projectId: project.id,
      trial: { artifactId: artifact.id, change, label },
    });
    useView.getState().showToast(`Trying ${label}. The result joins the comparison when it is done.`);
  });
}

/** The file name offered for an export: the one the core gave the written file. */
export function exportFileName(artifact: ArtifactView): string {
  return artifact.path.split(/[\\/]/).at(-1) ?? artifact.path;
}

/** Saves (desktop) or downloads (browser) an artifact. Returns where it went: a path, or the file's name. */
export async function exportArtifact(artifact: ArtifactView): Promise<string | undefined> {
  const project = useProject.getState().project;
  if (!project) return undefined;
  const ids = { projectId: project.id, artifactId: artifact.id };
  return attempt(`Exporting ${artifactName(artifact)}`, async () => {
    const { askSavePath, download } = shell();
    if (askSavePath) {
      const path = await askSavePath(exportFileName(artifact));
      if (!path) return undefined;
      // The system's save dialog has asked about an existing file already.
      return (await call('artifact.export', { ...ids, path, overwrite: true })).path;
    }
    const { url, fileName, data } = await call('artifact.download', ids);
    download?.(url, fileName);
    if (data) download?.(data.url, data.fileName);
    return fileName;
  });
}
