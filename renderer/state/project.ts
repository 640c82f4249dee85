import { create } from 'zustand';
import type {
  ArtifactDetail,
  ArtifactView,
  EstimateView,
  GraphView,
  OperatorView,
  ProfileView,
  ProjectView,
  TargetView,
  WeightView,
} from '../../core/contract/views.ts';

interface ProjectState {
  project?: ProjectView;
  graph?: GraphView;
  estimates: readonly EstimateView[];
  profiles: readonly ProfileView[];
  /** Fetched on demand, by artifact. */
  details: Readonly<Record<string, ArtifactDetail>>;
  /** What each target takes of a file; fetched on demand, by artifact. */
  targets: Readonly<Record<string, readonly TargetView[]>>;
  /** Constants of operators of the source; fetched on demand, by operator. */
  weights: Readonly<Record<string, readonly WeightView[]>>;
  /** The operators that written files have; fetched on demand. */
  operators?: readonly OperatorView[];
  /** Makes a project the current one; what belonged to another project is forgotten. */
  show(project: ProjectView): void;
  close(): void;
  /** Changes the current project if it still is the one named. */
  patch(projectId: string, change: Partial<ProjectView>): void;
  upsertArtifact(projectId: string, artifact: ArtifactView): void;
  removeArtifact(artifactId: string): void;
  addProfile(projectId: string, profile: ProfileView): void;
}

const nothingFetched = {
  graph: undefined,
  estimates: [],
  profiles: [],
  details: {},
  targets: {},
  weights: {},
  operators: undefined,
};

/** The open project with everything that was fetched about it. */
export const useProject = create<ProjectState>((set) => ({
  ...nothingFetched,
  show: (project) =>
    set((state) => (state.project?.id === project.id ? { project } : { project, ...nothingFetched })),
  close: () => set({ project: undefined, ...nothingFetched }),
  patch: (projectId, change) =>
    set((state) => (state.project?.id === projectId ? { project: { ...state.project, ...change } } : state)),
  upsertArtifact: (projectId, artifact) =>
    set((state) => {
      if (state.project?.id !== projectId) return state;
      const old = state.project.artifacts;
      const at = old.findIndex(({ id }) => id === artifact.id);
      const artifacts =
        at < 0 ? [...old, artifact] : old.map((one, index) => (index === at ? artifact : one));
      const { [artifact.id]: _detail, ...details } = state.details;
      const { [artifact.id]: _targets, ...targets } = state.targets;
      return { project: { ...state.project, artifacts }, details, targets };
    }),
  removeArtifact: (artifactId) =>
    set((state) => {
      if (!state.project) return state;
      const artifacts = state.project.artifacts.filter(({ id }) => id !== artifactId);
      return { project: { ...state.project, artifacts } };
    }),
  addProfile: (projectId, profile) =>
    set((state) => {
      if (state.project?.id !== projectId) return state;
      const rest = state.profiles.filter((one) => profileKey(one) !== profileKey(profile));
      return { profiles: [...rest, profile] };
    }),
}));

/** Two measurements with the same key measure the same thing; the later one stands. */
export function profileKey(profile: ProfileView): string {
  return [profile.artifactId ?? profile.path, profile.engine, profile.device, profile.threads].join('|');
}
