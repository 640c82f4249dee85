import { useMemo } from 'react';
import { sourceId } from '../../state/view.ts';
import { ticksBetween } from '../../ui/ticks.ts';
import { useWidth } from '../../ui/use-width.ts';
import type { StripRow } from './distribution-strip.tsx';
import { compareTimes, describeRatio, type RatioEstimate } from './ratio.ts';

interface Comparison {
  text: string;
  estimate: RatioEstimate;
  setting: string;
  how: string;
  first: string;
}

/** The two picked files against each other: in words, and the ratio with its interval. */
export function Verdict({ rows, pickedIds }: { rows: readonly StripRow[]; pickedIds: readonly string[] }) {
  const verdict = useMemo(() => compare(rows, pickedIds), [rows, pickedIds]);
  if (verdict === undefined) return null;
  return (
    <div className="verdict" role="status">
      {verdict === 'apart' ? (
        <p>The two were not measured in the same setting. Measure them together to compare them.</p>
      ) : (
        <>
          <p>{verdict.text}</p>
          <RatioInterval estimate={verdict.estimate} first={verdict.first} />
          <p>
            {verdict.setting}; {verdict.how}.
          </p>
        </>
      )}
    </div>
  );
}

function compare(rows: readonly StripRow[], pickedIds: readonly string[]): Comparison | 'apart' | undefined {
  if (pickedIds.length !== 2) return undefined;
  const idOf = ({ profile }: StripRow): string => profile.artifactId ?? sourceId;
  const [first, second] = pickedIds.map((id) => rows.filter((row) => idOf(row) === id));
  // The latest setting that both were measured in.
  for (const a of [...first].reverse()) {
    const b = second.findLast((other) => other.setting === a.setting);
    if (!b) continue;
    const { comparison } = b.profile;
    const inTurn =
      comparison?.a === a.profile.path ||
      (comparison?.artifactIdA !== undefined && comparison.artifactIdA === a.profile.artifactId);
    const estimate = comparison && inTurn ? comparison : compareTimes(a.profile.timesMs, b.profile.timesMs);
    if (!estimate) continue;
    return {
      estimate,
      setting: a.setting,
      first: a.name,
      text: describeRatio(a.name, b.name, estimate, comparison && inTurn ? comparison.verdict : undefined),
      how:
        comparison && inTurn
          ? `run in turn, ${comparison.rounds} rounds`
          : 'measured one after the other; interval by bootstrap of the medians',
    };
  }
  return first.length > 0 && second.length > 0 ? 'apart' : undefined;
}

const height = 44;

/** The ratio as a mark with its interval, beside the line where both take the same time. */
function RatioInterval({ estimate, first }: { estimate: RatioEstimate; first: string }) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const { ratio, low, high } = estimate;
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
