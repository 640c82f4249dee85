import type { EventData, EventName } from '../../../core/contract/api.ts';
import { call, startCore } from '../../client/core.ts';
import { applyTheme, onSystemTheme } from '../../theme/theme.ts';
import { isOver, useJobs } from '../jobs.ts';
import { useProject } from '../project.ts';
import { useSession } from '../session.ts';
import { useView } from '../view.ts';
import { attempt } from './attempt.ts';
import { refreshEstimates, showProject } from './project.ts';
import { withWaitingRecipe } from './recipe.ts';

/** Connects to the core and keeps the stores in step with what it says. */
export function startStudio(): void {
  onSystemTheme(() => applyTheme(useView.getState().theme));
  startCore({
    onState: (state, reason) => {
      useSession.getState().setConnection(state, reason);
      if (state === 'ready') void fetchAll();
    },
    onEvent: handleEvent,
  });
}

/** What is fetched at the start and again after the core was lost. */
async function fetchAll(): Promise<void> {
  const projectId = useProject.getState().project?.id;
  await attempt('Reading the studio’s state', async () => {
    const [info, recents, jobs] = await Promise.all([
      call('app.info', {}),
      call('project.list', {}),
      call('job.list', {}),
    ]);
    useSession.setState({ version: info.version, recents });
    useJobs.getState().setJobs(jobs);
    if (projectId) showProject(await call('project.open', { projectId }), { keepStage: true });
  });
  // The doctor loads engines, which takes a moment; nothing waits for it.
  await attempt('Looking for engines', async () => {
    useSession.setState({ doctor: await call('app.doctor', {}) });
  });
}

function handleEvent<K extends EventName>(name: K, data: EventData<K>): void {
  const handlers: { [E in EventName]: (data: EventData<E>) => void } = {
    progress: (job) => {
      useJobs.getState().progress(job);
      if (!isOver(job)) return;
      if (job.state === 'failed' && job.error && job.kind !== 'open')
        useView.getState().notify(job.title, job.error);
      if (job.kind === 'optimize') void refreshEstimates();
    },
    artifact: ({ projectId, artifact }) => useProject.getState().upsertArtifact(projectId, artifact),
    profile: ({ projectId, profile }) => useProject.getState().addProfile(projectId, profile),
    project: (project) => {
      if (useProject.getState().project?.id === project.id)
        useProject.getState().show(withWaitingRecipe(project));
    },
    log: (line) => useJobs.getState().addLog(line),
  };
  (handlers[name] as (data: EventData<K>) => void)(data);
}
