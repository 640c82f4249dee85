import { call } from '../../client/core.ts';
import { useProject } from '../project.ts';
import { attempt } from './attempt.ts';

/** Fetches the constants of one operator of the source. */
export async function loadWeights(node: string): Promise<void> {
  const { project, weights } = useProject.getState();
  if (!project || weights[node]) return;
  await attempt(`Reading the weights of ${node}`, async () => {
    const views = await call('model.weights', { projectId: project.id, node });
    useProject.setState((state) =>
      state.project?.id === project.id ? { weights: { ...state.weights, [node]: views } } : state,
    );
  });
}

/** Fetches the operators that written files have; a model that cannot be converted says so elsewhere. */
export async function loadOperators(): Promise<void> {
  const { project, operators } = useProject.getState();
  if (!project || operators) return;
  const found = await call('model.operators', { projectId: project.id }).catch(() => []);
  if (useProject.getState().project?.id === project.id) useProject.setState({ operators: found });
}
