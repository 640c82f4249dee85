import type { Precision, ProfileView } from '../../../core/contract/views.ts';
import { precisionLook } from '../../theme/precision.ts';
import { formatMilliseconds, trimZeros } from '../../ui/format.ts';
import { markerPath } from '../../ui/marker.tsx';
import { ticksBetween } from '../../ui/ticks.ts';
import { useWidth } from '../../ui/use-width.ts';

export interface StripRow {
  key: string;
  name: string;
  precision: Precision;
  isSource: boolean;
  /** Engine, device and threads in words. */
  setting: string;
  profile: ProfileView;
}

const rowHeight = 46;
const nameWidth = 240;
const figureWidth = 130;
const axisHeight = 40;
/** Times beyond the slowest p90 by this much are rare hiccups; they are counted at the edge instead of squeezing all. */
const tailFactor = 1.25;

/** Every run as a tick, the band from the 10th to the 90th percentile, and the median, on one scale from zero. */
export function DistributionStrip({ rows }: { rows: readonly StripRow[] }) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const end = Math.max(...rows.map(({ profile }) => Math.max(profile.p90Ms, profile.medianMs))) * tailFactor;
  const plot = Math.max(60, width - nameWidth - figureWidth);
  const x = (ms: number): number => nameWidth + (Math.min(ms, end) / end) * plot;
  const height = rows.length * rowHeight + axisHeight;
  return (
    <div ref={ref}>
      {width > 0 && (
        // biome-ignore lint/a11y/noSvgWithoutTitle: the figure around it carries the title and a table of the data
        <svg width={width} height={height}>
          {ticksBetween(0, end, 6).map((tick) => (
            <g key={tick}>
              <line x1={x(tick)} x2={x(tick)} y1={0} y2={height - axisHeight} stroke="var(--grid)" />
              <text className="chart-sublabel" x={x(tick)} y={height - axisHeight + 15} textAnchor="middle">
                {trimZeros(formatMilliseconds(tick))}
              </text>
            </g>
          ))}
          <text className="chart-axis-title" x={nameWidth + plot / 2} y={height - 5} textAnchor="middle">
            Time of one run
          </text>
          {rows.map((row, index) => (
            <Strip
              key={row.key}
              row={row}
              y={index * rowHeight + rowHeight / 2}
              x={x}
              end={end}
              width={width}
            />
          ))}
        </svg>
      )}
    </div>
  );
}

function Strip(props: { row: StripRow; y: number; x: (ms: number) => number; end: number; width: number }) {
  const { row, y, x, end, width } = props;
  const { profile, precision, name, isSource, setting } = row;
  const look = precisionLook[precision];
  const inside = profile.timesMs.filter((ms) => ms <= end);
  const beyond = profile.timesMs.length - inside.length;
  return (
    // biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: rows are read one by one by keyboard
    <g
      className="point"
      tabIndex={0}
      role="img"
      aria-label={`${name}, ${setting}: median ${formatMilliseconds(profile.medianMs)}, 10th to 90th percentile ${formatMilliseconds(profile.p10Ms)} to ${formatMilliseconds(profile.p90Ms)}`}
    >
      <rect
        className="point-ring"
        x={1}
        y={y - rowHeight / 2 + 2}
        width={width - 2}
        height={rowHeight - 4}
        rx={4}
      />
      <path
        d={markerPath(look.shape, 5)}
        transform={`translate(9,${y - 8})`}
        fill={isSource ? 'var(--surface)' : look.colour}
        stroke={isSource ? look.colour : 'var(--mark-outline)'}
        strokeWidth={isSource ? 2 : 0.75}
      />
      <text className="chart-label" x={21} y={y - 4}>
        {name.length > 34 ? `${name.slice(0, 33)}…` : name}
      </text>
      <text className="chart-sublabel" x={21} y={y + 11}>
        {setting.length > 39 ? `${setting.slice(0, 38)}…` : setting}
      </text>
      <rect
        x={x(profile.p10Ms)}
        y={y - 11}
        width={Math.max(1, x(profile.p90Ms) - x(profile.p10Ms))}
        height={22}
        rx={3}
        fill={look.colour}
        fillOpacity={0.25}
      />
      <path
        d={inside.map((ms) => `M${x(ms).toFixed(1)},${y - 8}v16`).join('')}
        stroke={look.colour}
        strokeOpacity={0.5}
        fill="none"
      />
      <line
        x1={x(profile.medianMs)}
        x2={x(profile.medianMs)}
        y1={y - 14}
        y2={y + 14}
        stroke="var(--text)"
        strokeWidth={2}
      />
      <text className="chart-label" x={width} y={y - 3} textAnchor="end">
        {formatMilliseconds(profile.medianMs)}
      </text>
      <text className="chart-sublabel" x={width} y={y + 12} textAnchor="end">
        {beyond > 0 ? `${beyond} slower, not shown` : `p90 ${formatMilliseconds(profile.p90Ms)}`}
      </text>
    </g>
  );
}
