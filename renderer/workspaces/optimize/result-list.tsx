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
              <tr key={row.id}>
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
                    missing={missingReason(row)}
                  />
                </td>
                <td className="right">
                  <Figure
                    value={row.sqnrDb === undefined ? undefined : formatDecibels(row.sqnrDb)}
                    missing={missingReason(row)}
                  />
                </td>
                {hasAccuracy && (
                  <td className="right">
                    <Figure
                      value={row.accuracy === undefined ? undefined : formatPercent(row.accuracy)}
                      missing={missingReason(row)}
                    />
                  </td>
                )}
                <td className="right">
                  <Figure
                    value={row.latency && formatMilliseconds(row.latency.medianMs)}
                    missing={missingReason(row)}
                  />
                </td>
                <td>
                  <Chip tone={row.failed ? 'danger' : 'ok'}>
                    {row.failed ? 'failed' : `${row.gatesPassed} of ${row.gatesTotal}`}
                  </Chip>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function missingReason(row: CompareRow): string {
  return row.artifact?.error?.message ?? 'Not measured in this run';
}
