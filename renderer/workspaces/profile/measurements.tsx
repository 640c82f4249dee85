import { Fragment } from 'react';
import type { MachineView, ProfileView } from '../../../core/contract/views.ts';
import { OperatorLink } from '../../parts/operator-link.tsx';
import { Chip, Figure } from '../../ui/blocks.tsx';
import {
  formatBytes,
  formatMilliseconds,
  formatPercent,
  formatSignificant,
  plural,
} from '../../ui/format.ts';
import { PrecisionMark } from '../../ui/marker.tsx';
import type { StripRow } from './distribution-strip.tsx';

/** Every measurement in figures, with what it was measured on and whether it can be trusted. */
export function Measurements({ rows }: { rows: readonly StripRow[] }) {
  return (
    <section className="card" aria-label="Measurements">
      <div className="card-title">
        <h2>Measurements</h2>
      </div>
      <div className="table-scroll">
        <table className="table measurements">
          <thead>
            <tr>
              <th scope="col">File</th>
              <th scope="col" className="right">
                Median
              </th>
              <th scope="col" className="right" title="(p90 − p10) ÷ median">
                Spread
              </th>
              <th scope="col" className="right">
                Load
              </th>
              <th scope="col" className="right" title="Of the process that ran it">
                Peak memory
              </th>
              <th scope="col" className="right" title="One block that holds all tensors that move, planned">
                Arena
              </th>
              <th scope="col" className="right" title="Weights, their packed copy, and the arena">
                On a phone
              </th>
              <th scope="col">Trust</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Fragment key={row.key}>
                <Measurement row={row} />
                <Remarks profile={row.profile} />
              </Fragment>
            ))}
          </tbody>
        </table>
      </div>
      <Machine machine={rows.at(-1)?.profile.machine} />
    </section>
  );
}

function Measurement({ row }: { row: StripRow }) {
  const { name, precision, isSource, setting, profile } = row;
  return (
    <tr>
      <th scope="row">
        <span className="measured-name">
          <PrecisionMark precision={precision} hollow={isSource} />
          {name}
        </span>
        <span className="muted measured-setting">
          {setting}
          {profile.measuredAs && `; measured as ${profile.measuredAs}`}
        </span>
      </th>
      <td className="right">{formatMilliseconds(profile.medianMs)}</td>
      <td className="right">
        <Figure
          value={profile.spread === undefined ? undefined : formatPercent(profile.spread)}
          missing="Not told by this measurement"
        />
      </td>
      <td className="right">{formatMilliseconds(profile.loadMs)}</td>
      <td className="right">{formatBytes(profile.peakRssBytes)}</td>
      <td className="right">
        <Figure
          value={profile.memory && formatBytes(profile.memory.arenaBytes)}
          missing="Planned for .tflite and .onnx files only"
        />
      </td>
      <td className="right">
        <Figure
          value={profile.memory && formatBytes(profile.memory.phoneEstimateBytes)}
          missing="Planned for .tflite and .onnx files only"
          est
        />
      </td>
      <td>
        {profile.valid === false ? (
          <Chip tone="warning" title={profile.notes?.join(' ')}>
            too noisy
          </Chip>
        ) : (
          <Chip tone="ok">{plural(profile.runs, 'run')}</Chip>
        )}
      </td>
    </tr>
  );
}

/** What ran elsewhere than on the device, and what makes the figures doubtful. */
function Remarks({ profile }: { profile: ProfileView }) {
  const { notes = [], delegation, fallback } = profile;
  const first = delegation?.first;
  if (notes.length === 0 && !delegation && !fallback) return null;
  return (
    <tr className="remarks">
      <td colSpan={8}>
        {notes.map((note) => (
          <p key={note}>{note}</p>
        ))}
        {delegation && (
          <p>
            {delegation.name} takes {delegation.taken} of {plural(delegation.nodes, 'operator')}
            {delegation.taken > 0 && ` in ${plural(delegation.partitions, 'piece')}`}.
            {first && (
              <>
                {' '}
                First left to the CPU: {first.op} <OperatorLink name={first.name} />, {first.reason}.
              </>
            )}
          </p>
        )}
        {fallback && fallback.operators.length > 0 && (
          <p>
            {fallback.device} ran {fallback.taken} of {plural(fallback.nodes, 'operator')}. Left to the CPU:{' '}
            {fallback.operators.map(({ op, count, nodes, reason }, index) => (
              <Fragment key={op}>
                {index > 0 && ', '}
                {count > 1 ? `${count} ` : ''}
                {op} {nodes[0] !== undefined && <OperatorLink name={nodes[0]} />}
                {reason && ` (${reason})`}
              </Fragment>
            ))}
            .
          </p>
        )}
      </td>
    </tr>
  );
}

/** The machine as it was: what the system tells. */
function Machine({ machine }: { machine: MachineView | undefined }) {
  if (!machine) return null;
  const parts = [machine.cpu, plural(machine.cores, 'core')];
  if (machine.mhz) parts.push(`${formatSignificant(machine.mhz / 1000)} GHz`);
  if (machine.governor) parts.push(`governor ${machine.governor}`);
  if (machine.loadAverage !== undefined)
    parts.push(`load ${formatSignificant(machine.loadAverage, 2)} before`);
  if (machine.otherCores !== undefined)
    parts.push(`${formatSignificant(machine.otherCores, 2)} cores busy with other work`);
  if (machine.onBattery !== undefined)
    parts.push(
      machine.onBattery
        ? `on battery${machine.batteryPercent === undefined ? '' : `, ${machine.batteryPercent} %`}`
        : 'on mains',
    );
  return <p className="muted small machine">Machine: {parts.join(' · ')}.</p>;
}
