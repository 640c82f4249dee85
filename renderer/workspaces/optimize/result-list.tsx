import type { CompareRow } from '../../state/compare-rows.ts';
import { Button, Chip, Figure } from '../../ui/blocks.tsx';
import {
  formatBytes,
  formatDecibels,
  formatMilliseconds,
  formatPercent,
  formatRatio,
} from '../../ui/format.ts';
import { PrecisionMark } from '../../ui/marker.tsx';

/** Results so far, in short; they appear as each precision finishes. */
export function ResultList({ rows, onCompare }: { rows: readonly CompareRow[]; onCompare: () => void }) {
  const hasAccuracy = rows.some(({ accuracy }) => accuracy !== undefined);
  return (
    <section className="card" aria-label="Results">
      <div className="card-title">
        <h2>Results</h2>
        <Button small onClick={onCompare}>
          Compare results
        </Button>
      </div>
      <div className="table-scroll">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Precision</th>
              <th scope="col" className="right">
                Size
              </th>
              <th scope="col" className="right">
                Quality (SQNR)
              </th>
              {hasAccuracy && (
                <th scope="col" className="right">
                  Accuracy
                </th>
              )}
              <th scope="col" className="right">
                Latency
              </th>
              <th scope="col">Gates</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Result key={row.id} row={row} hasAccuracy={hasAccuracy} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Result({ row, hasAccuracy }: { row: CompareRow; hasAccuracy: boolean }) {
  const missing = row.artifact?.error?.message ?? 'Not measured in this run';
  return (
    <tr>
      <td>
        <span style={{ display: 'flex', alignItems: 'center', gap: 7 }}>
          <PrecisionMark precision={row.precision} />
          {row.name}
        </span>
      </td>
      <td className="right">
        <Figure
          value={
            row.sizeBytes === undefined
              ? undefined
              : `${formatBytes(row.sizeBytes)} ${row.sizeRatio === undefined ? '' : formatRatio(row.sizeRatio)}`
          }
          missing={missing}
        />
      </td>
      <td className="right">
        <Figure value={row.sqnrDb === undefined ? undefined : formatDecibels(row.sqnrDb)} missing={missing} />
      </td>
      {hasAccuracy && (
        <td className="right">
          <Figure
            value={row.accuracy === undefined ? undefined : formatPercent(row.accuracy)}
            missing={missing}
          />
        </td>
      )}
      <td className="right">
        <Figure value={row.latency && formatMilliseconds(row.latency.medianMs)} missing={missing} />
      </td>
      <td>
        <Chip tone={row.failed ? 'danger' : 'ok'}>
          {row.failed ? 'failed' : `${row.gatesPassed} of ${row.gatesTotal}`}
        </Chip>
      </td>
    </tr>
  );
}
