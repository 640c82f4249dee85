import { useMemo, useState } from 'react';
import type { CallParams } from '../../../core/contract/api.ts';
import type { DoctorView } from '../../../core/contract/views.ts';
import { startProfile } from '../../state/actions/results.ts';
import { inOrder } from '../../state/compare-rows.ts';
import { findRunning, useJobs } from '../../state/jobs.ts';
import { profileKey, useProject } from '../../state/project.ts';
import { useSession } from '../../state/session.ts';
import { useView } from '../../state/view.ts';
import { artifactName } from '../../theme/precision.ts';
import { Button, Check, classes, Field, Hollow, Segmented } from '../../ui/blocks.tsx';
import { ChartFrame } from '../../ui/chart-frame.tsx';
import { plural } from '../../ui/format.ts';
import { PrecisionMark } from '../../ui/marker.tsx';
import { describeSetting } from '../../ui/setting.ts';
import { DistributionStrip, type StripRow } from './distribution-strip.tsx';
import { PerOpBars } from './per-op-bars.tsx';
import { compareTimes, describeRatio } from './ratio.ts';
import './profile-stage.css';

type Engine = CallParams<'profile.start'>['engine'];
const toast = (text: string): void => useView.getState().showToast(text);

/** Latency in detail: distribution, operators, two against each other. */
export function ProfileStage() {
  const project = useProject((state) => state.project);
  const profiles = useProject((state) => state.profiles);
  const doctor = useSession((state) => state.doctor);
  const jobs = useJobs((state) => state.jobs);
  const pickedIds = useView((state) => state.profileIds);
  const [engine, setEngine] = useState<Engine>('auto');
  const [device, setDevice] = useState('cpu');
  const [threads, setThreads] = useState('1');
  const [perOp, setPerOp] = useState(true);

  const artifacts = useMemo(
    () => inOrder(project?.artifacts ?? []).filter(({ error, status }) => !error && status === 'ok'),
    [project],
  );
  const rows = useMemo(
    (): StripRow[] =>
      profiles.map((profile) => {
        const artifact = project?.artifacts.find(({ id }) => id === profile.artifactId);
        return {
          key: profileKey(profile),
          name: artifact ? artifactName(artifact) : 'source',
          precision: artifact?.precision ?? 'float32',
          isSource: artifact === undefined,
          setting: describeSetting({
            ...profile,
            engine: doctor?.engines.find(({ id }) => id === profile.engine)?.name ?? profile.engine,
          }),
          profile,
        };
      }),
    [profiles, project, doctor],
  );

  if (!project) return null;
  if (artifacts.length === 0) {
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
  const picked = artifacts.filter(({ id }) => pickedIds.includes(id));
  const measuring = findRunning(jobs, 'profile', project.id);
  const toggle = (id: string): void =>
    useView.getState().set({
      profileIds: pickedIds.includes(id) ? pickedIds.filter((one) => one !== id) : [...pickedIds, id],
    });
  const blocked = measuring
    ? 'A measurement is under way'
    : picked.length === 0
      ? 'Pick one or more files to measure'
      : undefined;

  return (
    <div className="page">
      <div className="page-head">
        <h1>Profile</h1>
        <span className="page-note truncate">Pick two files to compare them.</span>
      </div>
      <section className="card profile-setup" aria-label="What to measure">
        <fieldset className="profile-picks" aria-label="Files to measure">
          {artifacts.map((artifact) => {
            const on = pickedIds.includes(artifact.id);
            return (
              <label key={artifact.id} className={classes('pick', on && 'on')}>
                <input type="checkbox" checked={on} onChange={() => toggle(artifact.id)} />
                <PrecisionMark precision={artifact.precision} />
                {artifactName(artifact)}
              </label>
            );
          })}
        </fieldset>
        <Field label="Engine">
          <Segmented
            label="Engine"
            name="engine"
            value={engine}
            options={engineOptions(doctor)}
            onChange={setEngine}
          />
        </Field>
        <Field label="Device">
          <Segmented
            label="Device"
            name="device"
            value={device}
            options={deviceOptions(doctor, engine)}
            onChange={setDevice}
          />
        </Field>
        <Field label="Threads">
          <Segmented
            label="Threads"
            name="threads"
            value={threads}
            options={threadOptions(doctor)}
            onChange={setThreads}
          />
        </Field>
        <Check checked={perOp} onChange={setPerOp}>
          Time each operator
        </Check>
        <Button
          variant="primary"
          blocked={blocked}
          onClick={() =>
            void startProfile({
              artifactIds: picked.map(({ id }) => id),
              engine,
              device,
              threads: Number(threads),
              perOp,
            })
          }
        >
          {picked.length === 0 ? 'Measure' : `Measure ${plural(picked.length, 'file')}`}
        </Button>
      </section>
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
              onCopied={toast}
              note="Each tick is one run. Band: 10th to 90th percentile. Bar: median."
            >
              <DistributionStrip rows={rows} />
            </ChartFrame>
          </section>
          <div className="per-op">
            {rows.map(
              ({ key, name, precision, profile, setting }) =>
                profile.perOp && (
                  <section key={key} className="card" aria-label={`Operators of ${name}`}>
                    <ChartFrame
                      title={`Operators of ${name}`}
                      fileStem={`${project.name}-operators`}
                      data={{
                        columns: ['operator', 'type', 'time (ms)', 'calls', 'share'],
                        rows: profile.perOp.map(({ name: operator, op, ms, calls, share }) => [
                          operator,
                          op,
                          ms,
                          calls,
                          share,
                        ]),
                      }}
                      note={`${setting}. Timing each operator adds to the whole.`}
                      onCopied={toast}
                    >
                      <PerOpBars operators={profile.perOp} precision={precision} />
                    </ChartFrame>
                  </section>
                ),
            )}
          </div>
        </>
      )}
    </div>
  );
}

/** The two picked files against each other, when both were measured in the same setting. */
function Verdict({ rows, pickedIds }: { rows: readonly StripRow[]; pickedIds: readonly string[] }) {
  const verdict = useMemo(() => {
    if (pickedIds.length !== 2) return undefined;
    const [first, second] = pickedIds.map((id) => rows.filter(({ profile }) => profile.artifactId === id));
    // The latest setting that both were measured in.
    for (const a of [...first].reverse()) {
      const b = second.findLast((other) => other.setting === a.setting);
      const estimate = b && compareTimes(a.profile.timesMs, b.profile.timesMs);
      if (estimate) return { text: describeRatio(a.name, b.name, estimate), setting: a.setting };
    }
    return first.length > 0 && second.length > 0 ? 'apart' : undefined;
  }, [rows, pickedIds]);
  if (verdict === undefined) return null;
  return (
    <div className="verdict" role="status">
      {verdict === 'apart' ? (
        <p>The two were not measured in the same setting. Measure them together to compare them.</p>
      ) : (
        <>
          <p>{verdict.text}</p>
          <p>{verdict.setting}; interval by bootstrap of the medians.</p>
        </>
      )}
    </div>
  );
}

function engineOptions(doctor: DoctorView | undefined) {
  const options: { value: Engine; label: string; blocked?: string }[] = [
    { value: 'auto', label: 'automatic' },
  ];
  for (const value of ['litert', 'litert-wasm', 'ort'] as const) {
    const engine = doctor?.engines.find(({ id }) => id === value);
    if (engine)
      options.push({
        value,
        label: engine.name,
        blocked: engine.available ? undefined : (engine.hint ?? engine.detail),
      });
  }
  return options;
}

const deviceNames: Record<string, string> = { cpu: 'CPU', gpu: 'GPU', webgpu: 'WebGPU' };

function deviceOptions(doctor: DoctorView | undefined, engine: Engine) {
  const engines = doctor?.engines.filter(
    ({ id, available }) => available && (engine === 'auto' || id === engine),
  );
  const devices = new Set(['cpu', ...(engines?.flatMap(({ devices: all }) => all) ?? [])]);
  return [...devices].map((value) => ({
    value,
    label: deviceNames[value] ?? value,
  }));
}

function threadOptions(doctor: DoctorView | undefined) {
  const cores = doctor?.cores ?? 1;
  return [1, 2, 4, 8, 16]
    .filter((count) => count <= cores)
    .map((count) => ({ value: String(count), label: String(count) }));
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
