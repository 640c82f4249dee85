import { beforeEach, describe, expect, it } from 'vitest';
import { type ArtifactView, type ProgressView, type ProjectView, Recipe } from '../../core/contract/views.ts';
import { findRunning, selectActivities, useJobs } from './jobs.ts';
import { useProject } from './project.ts';
import { useSession } from './session.ts';
import { useUndo } from './undo.ts';

function artifact(id: string, sizeBytes = 1): ArtifactView {
  return {
    id,
    precision: 'int8',
    io: 'float32',
    format: 'tflite',
    path: `/${id}`,
    sizeBytes,
    sha256: '',
    operators: {},
    minRuntime: '',
    status: 'ok',
    gates: [],
    warnings: [],
  };
}

const project = (id: string): ProjectView => ({ id, name: id, recipe: Recipe.parse({}), artifacts: [] });

const job = (part: Partial<ProgressView>): ProgressView => ({
  jobId: 'j',
  projectId: 'p',
  kind: 'optimize',
  title: 'Optimizing',
  stage: 'int8: calibrating',
  fraction: 0,
  state: 'running',
  ...part,
});

describe('project', () => {
  beforeEach(() => {
    useProject.getState().close();
    useProject.getState().show(project('p'));
  });

  it('puts a result in once and then replaces it, forgetting its stale detail', () => {
    const { upsertArtifact } = useProject.getState();
    upsertArtifact('p', artifact('a', 1));
    useProject.setState({ details: { a: { artifactId: 'a', operators: [], changed: [] } } });
    upsertArtifact('p', artifact('b', 2));
    upsertArtifact('p', artifact('a', 3));
    const state = useProject.getState();
    expect(state.project?.artifacts.map(({ id, sizeBytes }) => [id, sizeBytes])).toEqual([
      ['a', 3],
      ['b', 2],
    ]);
    expect(state.details).toEqual({});
  });

  it('ignores what belongs to another project', () => {
    useProject.getState().upsertArtifact('other', artifact('a'));
    useProject.getState().patch('other', { name: 'x' });
    expect(useProject.getState().project).toEqual(project('p'));
  });

  it('forgets the graph of the project before, and keeps it when the same one is shown again', () => {
    const graph = { nodes: [], edges: [] };
    useProject.setState({ graph });
    useProject.getState().show({ ...project('p'), name: 'renamed' });
    expect(useProject.getState().graph).toBe(graph);
    useProject.getState().show(project('q'));
    expect(useProject.getState().graph).toBeUndefined();
  });
});

describe('jobs', () => {
  beforeEach(() => useJobs.setState({ jobs: {}, local: [], log: [] }));

  it('never let a fraction go back, nor an ended job run again', () => {
    const { progress } = useJobs.getState();
    progress(job({ fraction: 0.5 }));
    progress(job({ fraction: 0.3, stage: 'late' }));
    expect(useJobs.getState().jobs.j).toMatchObject({ fraction: 0.5, stage: 'late' });
    progress(job({ state: 'cancelled', fraction: 0.5 }));
    progress(job({ state: 'running', fraction: 0.9 }));
    expect(useJobs.getState().jobs.j.state).toBe('cancelled');
  });

  it('show local work first, then what runs, then what waits', () => {
    const { progress, setLocal } = useJobs.getState();
    progress(job({ jobId: 'waits', state: 'queued' }));
    progress(job({ jobId: 'runs' }));
    progress(job({ jobId: 'over', state: 'done' }));
    setLocal({ id: 'upload', title: 'Opening', stage: 'sent', fraction: 0.1 });
    expect(selectActivities(useJobs.getState()).map(({ id }) => id)).toEqual(['upload', 'runs', 'waits']);
  });

  it('find the running one of a project', () => {
    useJobs.getState().progress(job({}));
    expect(findRunning(useJobs.getState().jobs, 'optimize', 'p')?.jobId).toBe('j');
    expect(findRunning(useJobs.getState().jobs, 'profile', 'p')).toBeUndefined();
    expect(findRunning(useJobs.getState().jobs, 'optimize', 'q')).toBeUndefined();
  });
});

describe('undo', () => {
  beforeEach(() => useUndo.getState().clear());

  it('takes steps back in reverse', () => {
    const undone: string[] = [];
    const step = (label: string) => ({ label, undo: () => undone.push(label) });
    useUndo.getState().push(step('a'));
    useUndo.getState().push(step('b'));
    expect([useUndo.getState().pop(), useUndo.getState().pop(), useUndo.getState().pop()]).toEqual([
      'b',
      'a',
      undefined,
    ]);
    expect(undone).toEqual(['b', 'a']);
  });

  it('takes the letters typed into one field back together, to what was there first', () => {
    let value = 'start';
    const type = (before: string, at: number) =>
      useUndo.getState().push(
        {
          label: 'samples',
          key: 'samples',
          undo: () => {
            value = before;
          },
        },
        at,
      );
    type('start', 0);
    type('s1', 300);
    type('s12', 600);
    useUndo.getState().pop();
    expect(value).toBe('start');
    expect(useUndo.getState().steps).toHaveLength(0);
  });
});

describe('session', () => {
  it('says that the core came back only after it was lost', () => {
    const { setConnection } = useSession.getState();
    setConnection('ready');
    expect(useSession.getState().recovered).toBe(false);
    setConnection('lost', 'It crashed.');
    setConnection('connecting');
    expect(useSession.getState().lostReason).toBe('It crashed.');
    setConnection('ready');
    expect(useSession.getState()).toMatchObject({ recovered: true, lostReason: undefined });
  });
});
