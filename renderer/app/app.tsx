import { lazy, Suspense, useEffect } from 'react';
import { listenForKeys } from '../commands/keys.ts';
import { Palette } from '../commands/palette.tsx';
import { useProject } from '../state/project.ts';
import { stageNames, useView } from '../state/view.ts';
import { EmptyStage } from '../workspaces/empty/empty-stage.tsx';
import { ConnectionBanner } from './connection-banner.tsx';
import { DropTarget } from './drop-target.tsx';
import { Header } from './header.tsx';
import { JobBar } from './job-bar.tsx';
import { LogDrawer } from './log-drawer.tsx';
import { Notices, ToastBox } from './messages.tsx';
import { Rail } from './rail.tsx';
import { StageBoundary } from './stage-boundary.tsx';
import './app.css';

// Only the frame and the first screen are loaded for the first paint; the stages follow at once, charts last.
const loaders = {
  model: async () => ({ default: (await import('../workspaces/model/model-stage.tsx')).ModelStage }),
  data: async () => ({ default: (await import('../workspaces/data/data-stage.tsx')).DataStage }),
  optimize: async () => ({
    default: (await import('../workspaces/optimize/optimize-stage.tsx')).OptimizeStage,
  }),
  export: async () => ({ default: (await import('../workspaces/export/export-stage.tsx')).ExportStage }),
  compare: async () => ({ default: (await import('../workspaces/compare/compare-stage.tsx')).CompareStage }),
  profile: async () => ({ default: (await import('../workspaces/profile/profile-stage.tsx')).ProfileStage }),
};

async function loadStages(): Promise<void> {
  for (const load of Object.values(loaders)) await load();
}

const loadAfterMs = 100;

const stageViews = {
  model: lazy(loaders.model),
  data: lazy(loaders.data),
  optimize: lazy(loaders.optimize),
  compare: lazy(loaders.compare),
  profile: lazy(loaders.profile),
  export: lazy(loaders.export),
};

export function App() {
  const stage = useView((state) => state.stage);
  const paletteOpen = useView((state) => state.paletteOpen);
  const logOpen = useView((state) => state.logOpen);
  const projectId = useProject((state) => state.project?.id);

  useEffect(listenForKeys, []);
  useEffect(() => {
    const timer = setTimeout(() => void loadStages(), loadAfterMs);
    return () => clearTimeout(timer);
  }, []);

  const StageView = stageViews[stage];
  return (
    <div className="app">
      <Header />
      <Rail />
      <main className="work">
        <ConnectionBanner />
        <Notices />
        {projectId ? (
          <section
            key={`${projectId}/${stage}`}
            className="work-panel"
            role="tabpanel"
            id="stage-panel"
            aria-label={stageNames[stage]}
          >
            <StageBoundary>
              <Suspense fallback={null}>
                <StageView />
              </Suspense>
            </StageBoundary>
          </section>
        ) : (
          <EmptyStage />
        )}
      </main>
      <JobBar />
      {logOpen && <LogDrawer />}
      {paletteOpen && <Palette />}
      <ToastBox />
      <DropTarget />
    </div>
  );
}
