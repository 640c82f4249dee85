import { useMemo } from 'react';
import { sourceId } from '../../state/view.ts';
import { ticksBetween } from '../../ui/ticks.ts';
import { useWidth } from '../../ui/use-width.ts';
import type { StripRow } from './distribution-strip.tsx';
import { describeRatio, type Ratio, ratioOf } from './ratio.ts';

interface Pair {
  first: StripRow;
  second: StripRow;
  ratio: Ratio;
}

/** The first of the picked files against each other one: in words, and the ratio with its interval. */
export function Verdict({ rows, pickedIds }: { rows: readonly StripRow[]; pickedIds: readonly string[] }) {
  const pairs = useMemo(() => comparedPairs(rows, pickedIds), [rows, pickedIds]);
  if (pickedIds.length < 2) return null;
  if (pairs.length === 0) {
    const measured = pickedIds.every((id) => rows.some((row) => idOf(row) === id));
    return measured ? (
      <div className="verdict" role="status">
        <p>These were not run in turn. Measure them together to compare them.</p>
      </div>
    ) : null;
  }
  return (
    <div className="verdict" role="status">
      {pairs.map(({ first, second, ratio }) => (
        <div key={second.key}>
          <p>{describeRatio(first.name, second.name, ratio)}</p>
          <RatioInterval ratio={ratio} first={first.name} />
          <p className="verdict-how">
            {second.setting}; run in turn, {ratio.rounds} rounds.
          </p>
        </div>
      ))}
    </div>
  );
}

const idOf = ({ profile }: StripRow): string => profile.artifactId ?? sourceId;

/** The latest comparison of the first picked file with each other one, in whichever order they were measured. */
function comparedPairs(rows: readonly StripRow[], [firstId, ...others]: readonly string[]): Pair[] {
  const withFirst = (row: StripRow, id: string): boolean =>
    row.profile.comparison !== undefined && (row.profile.comparison.artifactIdA ?? sourceId) === id;
  return others.flatMap((id) => {
    const found = rows.findLast(
      (row) => (idOf(row) === id && withFirst(row, firstId)) || (idOf(row) === firstId && withFirst(row, id)),
    );
    const first = rows.findLast((row) => idOf(row) === firstId);
    const second = rows.findLast((row) => idOf(row) === id);
    if (!found?.profile.comparison || !first || !second) return [];
    return [{ first, second, ratio: ratioOf(found.profile.comparison, idOf(found) === firstId) }];
  });
}

const height = 44;

/** The ratio as a mark with its interval, beside the line where both take the same time. */
function RatioInterval({ ratio: { ratio, low, high }, first }: { ratio: Ratio; first: string }) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const reach = Math.max(Math.abs(high - 1), Math.abs(low - 1), 0.05) * 1.25;
  const [start, end] = [Math.max(0, 1 - reach), 1 + reach];
  const x = (value: number): number => 12 + ((value - start) / (end - start)) * Math.max(1, width - 24);
  return (
    <div ref={ref} className="ratio">
      {width > 0 && (
        <svg width={width} height={height} role="img" aria-label={`Ratio ${ratio.toFixed(2)}`}>
          <title>{`${first} takes ×${ratio.toFixed(3)}, between ×${low.toFixed(3)} and ×${high.toFixed(3)}`}</title>
          <line x1={12} x2={width - 12} y1={16} y2={16} stroke="var(--line-strong)" />
          {ticksBetween(start, end, 6).map((tick) => (
            <g key={tick}>
              <line x1={x(tick)} x2={x(tick)} y1={13} y2={19} stroke="var(--line-strong)" />
              <text className="ratio-text" x={x(tick)} y={36} textAnchor="middle">
                ×{tick}
              </text>
            </g>
          ))}
          <line x1={x(1)} x2={x(1)} y1={4} y2={28} stroke="var(--text)" strokeDasharray="3 3" />
          <rect
            x={x(low)}
            y={11}
            width={Math.max(1, x(high) - x(low))}
            height={10}
            rx={2}
            fill="var(--accent)"
            fillOpacity={0.35}
          />
          <line x1={x(ratio)} x2={x(ratio)} y1={8} y2={24} stroke="var(--accent)" strokeWidth={3} />
        </svg>
      )}
    </div>
  );
}
