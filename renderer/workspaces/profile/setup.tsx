import { useState } from 'react';
import type { CallParams } from '../../../core/contract/api.ts';
import type { ArtifactView, DoctorView } from '../../../core/contract/views.ts';
import { startProfile } from '../../state/actions/results.ts';
import { useSession } from '../../state/session.ts';
import { sourceId, useView } from '../../state/view.ts';
import { artifactName } from '../../theme/precision.ts';
import { Button, Check, classes, Field, Segmented } from '../../ui/blocks.tsx';
import { plural } from '../../ui/format.ts';
import { PrecisionMark } from '../../ui/marker.tsx';

type Engine = CallParams<'profile.start'>['engine'];

interface SetupProps {
  artifacts: readonly ArtifactView[];
  /** Why nothing can be measured now. */
  busy?: string;
}

/** What to measure, in which engine, on which device, with how many threads. */
export function Setup({ artifacts, busy }: SetupProps) {
  const doctor = useSession((state) => state.doctor);
  const pickedIds = useView((state) => state.profileIds);
  const [engine, setEngine] = useState<Engine>('auto');
  const [device, setDevice] = useState('cpu');
  const [threads, setThreads] = useState('1');
  const [perOp, setPerOp] = useState(true);
  const offered = [sourceId, ...artifacts.map(({ id }) => id)];
  const picked = offered.filter((id) => pickedIds.includes(id));
  const toggle = (id: string): void =>
    useView.getState().set({
      profileIds: pickedIds.includes(id) ? pickedIds.filter((one) => one !== id) : [...pickedIds, id],
    });
  return (
    <section className="card profile-setup" aria-label="What to measure">
      <fieldset className="profile-picks" aria-label="Files to measure">
        <Pick on={pickedIds.includes(sourceId)} onToggle={() => toggle(sourceId)}>
          <PrecisionMark precision="float32" hollow />
          source
        </Pick>
        {artifacts.map((artifact) => (
          <Pick key={artifact.id} on={pickedIds.includes(artifact.id)} onToggle={() => toggle(artifact.id)}>
            <PrecisionMark precision={artifact.precision} />
            {artifactName(artifact)}
          </Pick>
        ))}
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
        blocked={busy ?? (picked.length === 0 ? 'Pick one or more files to measure' : undefined)}
        onClick={() =>
          void startProfile({
            // In the order in which they were picked: the others are compared with the first.
            artifactIds: pickedIds.filter((id) => picked.includes(id)),
            engine,
            device,
            threads: Number(threads),
            perOp,
            compare: picked.length > 1,
          })
        }
      >
        {picked.length === 0 ? 'Measure' : `Measure ${plural(picked.length, 'file')}`}
      </Button>
    </section>
  );
}

function Pick({ on, onToggle, children }: { on: boolean; onToggle: () => void; children: React.ReactNode }) {
  return (
    <label className={classes('pick', on && 'on')}>
      <input type="checkbox" checked={on} onChange={onToggle} />
      {children}
    </label>
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

const deviceNames: Record<string, string> = {
  cpu: 'CPU',
  gpu: 'GPU',
  webgpu: 'WebGPU',
  cuda: 'CUDA',
  tensorrt: 'TensorRT',
  dml: 'DirectML',
  coreml: 'Core ML',
};

function deviceOptions(doctor: DoctorView | undefined, engine: Engine) {
  const engines = doctor?.engines.filter(
    ({ id, available }) => available && (engine === 'auto' || id === engine),
  );
  const devices = new Set(['cpu', ...(engines?.flatMap(({ devices: all }) => all) ?? [])]);
  const missing = new Map(
    engines?.flatMap(({ missing: all = [] }) =>
      all.filter(({ device }) => !devices.has(device)).map((one) => [one.device, one] as const),
    ),
  );
  return [
    ...[...devices].map((value) => ({ value, label: deviceNames[value] ?? value })),
    ...[...missing.values()].map(({ device, reason, command }) => ({
      value: device,
      label: deviceNames[device] ?? device,
      blocked: command === undefined ? reason : `${reason} ${command} gets it.`,
    })),
  ];
}

function threadOptions(doctor: DoctorView | undefined) {
  const cores = doctor?.cores ?? 1;
  return [1, 2, 4, 8, 16]
    .filter((count) => count <= cores)
    .map((count) => ({ value: String(count), label: String(count) }));
}
