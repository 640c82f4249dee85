import { type CompareRow, type SortKey, sourceRowId } from '../../state/compare-rows.ts';
import { Chip, classes, Figure } from '../../ui/blocks.tsx';
import {
  formatBytes,
  formatDecibels,
  formatDeltaPoints,
  formatMilliseconds,
  formatPercent,
  formatRatio,
  plural,
} from '../../ui/format.ts';
import { describeSetting } from '../../ui/setting.ts';

/** One figure of a result, with its relation to the source's, or the reason why there is none. */
export function CompareCell({ row, column }: { row: CompareRow; column: SortKey }) {
  const isSource = row.id === sourceRowId;
  const missing = whyMissing(row, column);
  switch (column) {
    case 'name':
      return null;
    case 'size':
      return (
        <>
          <Figure
            value={row.sizeBytes === undefined ? undefined : formatBytes(row.sizeBytes)}
            missing={missing}
          />
          <Second value={isSource || row.sizeRatio === undefined ? undefined : formatRatio(row.sizeRatio)} />
        </>
      );
    case 'quality':
      return (
        <Figure
          value={isSource || row.sqnrDb === undefined ? undefined : formatDecibels(row.sqnrDb)}
          missing={missing}
        />
      );
    case 'agreement':
      return (
        <Figure
          value={row.agreement === undefined ? undefined : formatPercent(row.agreement)}
          missing={missing}
        />
      );
    case 'accuracy':
      return (
        <>
          <Figure
            value={row.accuracy === undefined ? undefined : formatPercent(row.accuracy)}
            missing={missing}
          />
          <Second
            value={row.accuracyDelta === undefined ? undefined : formatDeltaPoints(row.accuracyDelta)}
            large={(row.accuracyDelta ?? 0) < -0.01}
          />
        </>
      );
    case 'latency':
      return (
        <>
          <span title={row.latency && `${describeSetting(row.latency)}, ${plural(row.latency.runs, 'run')}`}>
            <Figure value={row.latency && formatMilliseconds(row.latency.medianMs)} missing={missing} />
          </span>
          <Second
            value={isSource || row.latencyRatio === undefined ? undefined : formatRatio(row.latencyRatio)}
          />
        </>
      );
    case 'gates':
      return isSource ? (
        <Figure missing={missing} />
      ) : (
        <Chip tone={row.failed ? 'danger' : 'ok'}>
          {row.gatesTotal === 0
            ? row.failed
              ? 'not made'
              : 'none'
            : `${row.gatesPassed} of ${row.gatesTotal} passed`}
        </Chip>
      );
    case 'warnings':
      return isSource ? <Figure missing={missing} /> : <span>{row.warnings}</span>;
    case 'findings':
      return (
        <Figure value={row.findings === undefined ? undefined : String(row.findings)} missing={missing} />
      );
  }
}

function Second({ value, large }: { value?: string; large?: boolean }) {
  return <span className={classes('compare-second', large && 'delta-large')}>{value}</span>;
}

function whyMissing(row: CompareRow, column: SortKey): string {
  if (row.artifact?.error) return row.artifact.error.message;
  if (row.id === sourceRowId) {
    if (column === 'accuracy') return 'No labels were given';
    if (column === 'latency') return 'The source was not timed';
    return 'The source is what the others are compared with';
  }
  if (column === 'latency') return 'Not timed: no engine on this machine runs this file';
  if (column === 'accuracy') return 'No labels were given';
  return 'No samples were given to compare outputs on';
}
