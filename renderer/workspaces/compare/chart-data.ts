import type { CompareRow } from '../../state/compare-rows.ts';
import type { DataTable } from '../../ui/csv.ts';
import { describeSetting } from '../../ui/setting.ts';

/** Everything the charts and the table show, in full precision: what "copy as CSV" gives. */
export function comparisonTable(rows: readonly CompareRow[]): DataTable {
  return {
    columns: [
      'name',
      'precision',
      'format',
      'io',
      'status',
      'size (bytes)',
      'size ÷ source',
      'quality (SQNR, dB)',
      'agreement',
      'accuracy',
      'accuracy − source',
      'latency (ms)',
      'latency ÷ source',
      'engine',
      'device',
      'threads',
    ],
    rows: rows.map((row) => [
      row.name,
      row.artifact ? row.precision : 'source',
      row.artifact?.format,
      row.artifact?.io,
      row.artifact?.status,
      row.sizeBytes,
      row.sizeRatio,
      row.sqnrDb === null ? 'exact' : row.sqnrDb,
      row.agreement,
      row.accuracy,
      row.accuracyDelta,
      row.latency?.medianMs,
      row.latencyRatio,
      row.latency?.engine,
      row.latency?.device,
      row.latency?.threads,
    ]),
  };
}

/** The same cut down to one figure. */
export function figureTable(
  rows: readonly CompareRow[],
  column: string,
  pick: (row: CompareRow) => number | null | undefined,
): DataTable {
  return {
    columns: ['name', column],
    rows: rows.map((row) => {
      const value = pick(row);
      return [row.name, value === null || value === Number.POSITIVE_INFINITY ? 'exact' : value];
    }),
  };
}

/** In which engines the latencies were measured, in words; says so when the source's differs. */
export function latencyNote(rows: readonly CompareRow[]): string | undefined {
  const setting = ({ latency }: CompareRow): string | undefined => latency && describeSetting(latency);
  const source = rows.find(({ artifact }) => !artifact);
  const sourceSetting = source && setting(source);
  const others = [...new Set(rows.filter(({ artifact }) => artifact).flatMap((row) => setting(row) ?? []))];
  if (others.length === 0) return sourceSetting && `Median in ${sourceSetting}.`;
  if (!sourceSetting || (others.length === 1 && others[0] === sourceSetting))
    return `Median in ${others.join('; ')}.`;
  return `Median. Results in ${others.join('; ')}; source in ${sourceSetting}.`;
}
