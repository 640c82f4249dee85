import { lazy, Suspense, useEffect } from 'react';
import { listenForKeys } from '../commands/keys.ts';
import { Palette } from '../commands/palette.tsx';
import { useProject } from '../state/project.ts';
import { stageNames, useView } from '../state/view.ts';
import { DataStage } from '../workspaces/data/data-stage.tsx';
import { EmptyStage } from '../workspaces/empty/empty-stage.tsx';
import { ExportStage } from '../workspaces/export/export-stage.tsx';
import { ModelStage } from '../workspaces/model/model-stage.tsx';
import { OptimizeStage } from '../workspaces/optimize/optimize-stage.tsx';
import { ConnectionBanner } from './connection-banner.tsx';
import { DropTarget } from './drop-target.tsx';
import { Header } from './header.tsx';
import { JobBar } from './job-bar.tsx';
import { LogDrawer } from './log-drawer.tsx';
import { Notices, ToastBox } from './messages.tsx';
import { Rail } from './rail.tsx';
import './app.css';

// The chart library is most of the page's weight; it comes when the first paint is over.
const loadCompare = async () => ({
  default: (await import('../workspaces/compare/compare-stage.tsx')).CompareStage,
});
const loadProfile = async () => ({
  default: (await import('../workspaces/profile/profile-stage.tsx')).ProfileStage,
});
const CompareStage = lazy(loadCompare);
const ProfileStage = lazy(loadProfile);
const preloadAfterMs = 1500;

const stageViews = {
  model: ModelStage,
  data: DataStage,
  optimize: OptimizeStage,
  compare: CompareStage,
  profile: ProfileStage,
  export: ExportStage,
};

export function App() {
  const stage = useView((state) => state.stage);
  const paletteOpen = useView((state) => state.paletteOpen);
  const logOpen = useView((state) => state.logOpen);
  const projectId = useProject((state) => state.project?.id);

  useEffect(listenForKeys, []);
  useEffect(() => {
    const timer = setTimeout(() => {
      void loadCompare();
      void loadProfile();
    }, preloadAfterMs);
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
            <Suspense fallback={null}>
              <StageView />
            </Suspense>
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
