import type { Precision, ProfileView } from '../../../core/contract/views.ts';
import { precisionLook } from '../../theme/precision.ts';
import { formatMilliseconds, formatPercent } from '../../ui/format.ts';
import { shortenedNames } from '../../ui/names.ts';
import { useWidth } from '../../ui/use-width.ts';

type Operator = NonNullable<ProfileView['perOp']>[number];

const rowHeight = 19;
const rowsShown = 24;
const nameShare = 0.4;
const figures = 118;

export interface OpBar extends Operator {
  /** Share of this one and all above it. */
  cumulative: number;
}

/** The slowest operators first, the many small ones at the end put together. */
export function rankOperators(operators: readonly Operator[], most = rowsShown): OpBar[] {
  const sorted = [...operators].sort((a, b) => b.ms - a.ms);
  const shown = sorted.slice(0, most);
  const rest = sorted.slice(most);
  if (rest.length > 0) {
    const sum = (pick: (one: Operator) => number): number =>
      rest.reduce((total, one) => total + pick(one), 0);
    shown.push({
      name: `${rest.length} others`,
      op: '',
      ms: sum(({ ms }) => ms),
      calls: sum(({ calls }) => calls),
      share: sum(({ share }) => share),
    });
  }
  const total = sorted.reduce((sum, { ms }) => sum + ms, 0);
  let summed = 0;
  return shown.map((one, index) => {
    summed += one.ms;
    return { ...one, cumulative: index === shown.length - 1 || total === 0 ? 1 : summed / total };
  });
}

/** Time of each operator as a bar from zero, with its cumulative share. */
export function PerOpBars({
  operators,
  precision,
}: {
  operators: readonly Operator[];
  precision: Precision;
}) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const bars = rankOperators(operators);
  const longest = Math.max(...bars.map(({ ms }) => ms), Number.MIN_VALUE);
  const nameWidth = width * nameShare;
  const plot = Math.max(40, width - nameWidth - figures);
  const letters = Math.floor(nameWidth / 6.9);
  const shownName = shortenedNames(operators.map(({ name }) => name));
  return (
    <div ref={ref}>
      {width > 0 && (
        // biome-ignore lint/a11y/noSvgWithoutTitle: the figure around it carries the title and a table of the data
        <svg width={width} height={bars.length * rowHeight + 20}>
          <text className="chart-axis-title" x={nameWidth} y={12}>
            Time of one run
          </text>
          <text className="chart-axis-title" x={width} y={12} textAnchor="end">
            cumulative
          </text>
          {bars.map(({ name, op, ms, cumulative }, index) => {
            const y = 20 + index * rowHeight + rowHeight / 2;
            // XNNPACK names an operator after its kind already.
            const label = op && !name.startsWith(op) ? `${op} ${shownName(name)}` : name;
            return (
              <g
                // biome-ignore lint/suspicious/noArrayIndexKey: operators may share a name, and their order is fixed
                key={index}
                aria-label={`${label}: ${formatMilliseconds(ms)}, together ${formatPercent(cumulative)}`}
              >
                <title>{`${op} ${name}`}</title>
                <text className="chart-sublabel" x={0} y={y} dominantBaseline="central">
                  {label.length > letters ? `${label.slice(0, Math.max(1, letters - 1))}…` : label}
                </text>
                <rect
                  x={nameWidth}
                  y={y - 5}
                  width={Math.max(1, (ms / longest) * plot)}
                  height={10}
                  rx={1.5}
                  fill={precisionLook[precision].colour}
                />
                <text
                  className="chart-label"
                  x={nameWidth + (ms / longest) * plot + 6}
                  y={y}
                  dominantBaseline="central"
                >
                  {formatMilliseconds(ms)}
                </text>
                <text className="chart-sublabel" x={width} y={y} textAnchor="end" dominantBaseline="central">
                  {formatPercent(cumulative)}
                </text>
              </g>
            );
          })}
        </svg>
      )}
    </div>
  );
}
