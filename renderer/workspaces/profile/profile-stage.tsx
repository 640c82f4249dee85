import { useMemo } from 'react';
import type { ProjectView } from '../../../core/contract/views.ts';
import { inOrder } from '../../state/compare-rows.ts';
import { findRunning, useJobs } from '../../state/jobs.ts';
import { profileKey, useProject } from '../../state/project.ts';
import { useSession } from '../../state/session.ts';
import { useView } from '../../state/view.ts';
import { artifactName } from '../../theme/precision.ts';
import { Button, Hollow } from '../../ui/blocks.tsx';
import { ChartFrame } from '../../ui/chart-frame.tsx';
import { describeSetting } from '../../ui/setting.ts';
import { DistributionStrip, type StripRow } from './distribution-strip.tsx';
import { Measurements } from './measurements.tsx';
import { Operators } from './operators.tsx';
import { Setup } from './setup.tsx';
import { Verdict } from './verdict.tsx';
import './profile-stage.css';

/** Latency in detail: two against each other, distribution, figures, operators. */
export function ProfileStage() {
  const project = useProject((state) => state.project);
  const jobs = useJobs((state) => state.jobs);
  const pickedIds = useView((state) => state.profileIds);
  const rows = useStripRows(project);
  const artifacts = useMemo(
    () => inOrder(project?.artifacts ?? []).filter(({ error, status }) => !error && status === 'ok'),
    [project],
  );
  if (!project) return null;
  if (artifacts.length === 0 && rows.length === 0) {
    return (
      <div className="page">
        <div className="page-head">
          <h1>Profile</h1>
        </div>
        <Hollow
          title="Nothing to measure yet"
          action={<Button onClick={() => useView.getState().goTo('optimize')}>Pick precisions</Button>}
        >
          Run one or more precisions; then their latency is measured here, run by run and operator by
          operator.
        </Hollow>
      </div>
    );
  }
  const measuring = findRunning(jobs, 'profile', project.id);
  return (
    <div className="page">
      <div className="page-head">
        <h1>Profile</h1>
        <span className="page-note truncate">Pick two or more: each is run in turn with the first.</span>
      </div>
      <Setup artifacts={artifacts} busy={measuring && 'A measurement is under way'} />
      <Verdict rows={rows} pickedIds={pickedIds} />
      {rows.length === 0 ? (
        <Hollow title={measuring ? 'Measuring' : 'No measurement yet'}>
          {measuring ? measuring.stage : 'Pick files, an engine and a number of threads, then measure.'}
        </Hollow>
      ) : (
        <>
          <section className="card" aria-label="Distribution">
            <ChartFrame
              title="Distribution of runs"
              fileStem={`${project.name}-latency-runs`}
              data={distributionTable(rows)}
              onCopied={(text) => useView.getState().showToast(text)}
              note="Each tick is one run. Band: 10th to 90th percentile. Bar: median."
            >
              <DistributionStrip rows={rows} />
            </ChartFrame>
          </section>
          <Measurements rows={rows} />
          <div className="per-op">
            {rows
              .filter(({ profile }) => profile.perOp !== undefined)
              .map((row) => (
                <Operators key={row.key} row={row} fileStem={project.name} />
              ))}
          </div>
        </>
      )}
    </div>
  );
}

/** Measurements with the names, colours and words that they are shown with. */
function useStripRows(project: ProjectView | undefined): StripRow[] {
  const profiles = useProject((state) => state.profiles);
  const doctor = useSession((state) => state.doctor);
  return useMemo(
    () =>
      profiles.flatMap((profile) => {
        const artifact = project?.artifacts.find(({ id }) => id === profile.artifactId);
        // What was measured of a result that was removed since says nothing.
        if (profile.artifactId !== undefined && !artifact) return [];
        return {
          key: profileKey(profile),
          name: artifact ? artifactName(artifact) : 'source',
          precision: artifact?.precision ?? 'float32',
          isSource: artifact === undefined,
          setting:
            profile.runtime ??
            describeSetting({
              ...profile,
              engine: doctor?.engines.find(({ id }) => id === profile.engine)?.name ?? profile.engine,
            }),
          profile,
        };
      }),
    [profiles, project, doctor],
  );
}

function distributionTable(rows: readonly StripRow[]) {
  return {
    columns: [
      'name',
      'engine',
      'device',
      'threads',
      'runs',
      'median (ms)',
      'p10 (ms)',
      'p90 (ms)',
      'fastest (ms)',
      'load (ms)',
      'peak memory (bytes)',
    ],
    rows: rows.map(({ name, profile }) => [
      name,
      profile.engine,
      profile.device,
      profile.threads,
      profile.runs,
      profile.medianMs,
      profile.p10Ms,
      profile.p90Ms,
      profile.minMs,
      profile.loadMs,
      profile.peakRssBytes,
    ]),
  };
}
