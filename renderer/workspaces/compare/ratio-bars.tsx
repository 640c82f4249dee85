import { useState } from 'react';
import {
  Bar,
  BarChart,
  CartesianGrid,
  ReferenceLine,
  ResponsiveContainer,
  usePlotArea,
  useXAxisScale,
  XAxis,
  YAxis,
} from 'recharts';
import { type CompareRow, sourceRowId } from '../../state/compare-rows.ts';
import { precisionLook } from '../../theme/precision.ts';
import { axisLook, gridColour } from '../../ui/axis-look.ts';
import { dash, trimZeros } from '../../ui/format.ts';
import { markerPath } from '../../ui/marker.tsx';
import { niceStep, ticksBetween } from '../../ui/ticks.ts';
import { shortNames } from './short-names.ts';

export interface RatioBar {
  row: CompareRow;
  /** Undefined where it was not measured; infinite where there is no error at all. */
  value: number | undefined;
  text: string;
  ratioText?: string;
}

interface RatioBarsProps {
  bars: readonly RatioBar[];
  /** The source's value, drawn as a line. */
  reference?: number;
  tick: (value: number) => string;
}

const roomyRow = 20;
const tightRow = 16;
const roomyUpTo = 6;
const nameWidth = 128;
const longestName = 19;
const textWidth = 112;

/** Horizontal bars from zero, one per row, with the source's value as a line through all of them. */
export function RatioBars({ bars, reference, tick }: RatioBarsProps) {
  const rowHeight = bars.length > roomyUpTo ? tightRow : roomyRow;
  const finite = bars.flatMap(({ value }) => (value !== undefined && Number.isFinite(value) ? [value] : []));
  const top = Math.max(...finite, reference ?? 0, 0) || 1;
  const bottom = Math.min(0, ...finite);
  const ticks = ticksBetween(bottom, top + niceStep(top - bottom, 3) * 0.001, 3);
  const data = bars.map(({ row, value }) => ({
    id: row.id,
    value: value !== undefined && Number.isFinite(value) ? value : 0,
  }));
  return (
    <ResponsiveContainer width="100%" height={bars.length * rowHeight + 24}>
      <BarChart
        layout="vertical"
        data={data}
        margin={{ top: 0, right: textWidth, bottom: 2, left: 0 }}
        accessibilityLayer={false}
      >
        <CartesianGrid horizontal={false} stroke={gridColour} />
        <XAxis
          {...axisLook}
          type="number"
          domain={[bottom, top]}
          ticks={ticks}
          tickFormatter={(value: number) => trimZeros(tick(value))}
          tickSize={3}
          height={22}
        />
        <YAxis
          {...axisLook}
          type="category"
          dataKey="id"
          width={nameWidth}
          tick={false}
          tickLine={false}
          interval={0}
        />
        {reference !== undefined && (
          <ReferenceLine x={reference} stroke="var(--line-strong)" strokeDasharray="2 4" />
        )}
        <Bar dataKey="value" isAnimationActive={false} shape={() => null} />
        <Rows bars={bars} />
      </BarChart>
    </ResponsiveContainer>
  );
}

function Rows({ bars }: { bars: readonly RatioBar[] }) {
  const xScale = useXAxisScale();
  const area = usePlotArea();
  const [focused, setFocused] = useState<string>();
  // Before its first layout the chart has no scale.
  if (!xScale || !area || !Number.isFinite(xScale(0))) return null;
  const names = shortNames(bars.map(({ row }) => row));
  const band = area.height / Math.max(1, bars.length);
  const zero = Number(xScale(0));
  return (
    <g>
      {bars.map(({ row, value, text, ratioText }, index) => {
        const look = precisionLook[row.precision];
        const isSource = row.id === sourceRowId;
        const middle = area.y + band * (index + 0.5);
        const end = value !== undefined && Number.isFinite(value) ? Number(xScale(value)) : zero;
        const name = names.get(row.id) ?? row.name;
        const label = `${row.name}: ${text}${ratioText ? `, ${ratioText}` : ''}`;
        return (
          // biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: bars are read one by one by keyboard
          <g
            key={row.id}
            className="point"
            tabIndex={0}
            role="img"
            aria-label={label}
            onFocus={() => setFocused(row.id)}
            onBlur={() => setFocused(undefined)}
          >
            <title>{label}</title>
            <rect
              x={area.x - nameWidth}
              y={middle - band / 2}
              width={area.width + nameWidth + textWidth}
              height={band}
              fill="transparent"
              stroke={focused === row.id ? 'var(--focus)' : 'none'}
              strokeWidth={2}
            />
            <path
              d={markerPath(look.shape, 4.4)}
              transform={`translate(${area.x - nameWidth + 6},${middle})`}
              fill={isSource ? 'none' : look.colour}
              stroke={isSource ? look.colour : 'var(--mark-outline)'}
              strokeWidth={isSource ? 2 : 0.75}
            />
            <text
              className="chart-sublabel"
              x={area.x - nameWidth + 17}
              y={middle}
              dominantBaseline="central"
            >
              {name.length > longestName ? `${name.slice(0, longestName - 1)}…` : name}
            </text>
            {value !== undefined && Number.isFinite(value) && (
              <rect
                x={Math.min(zero, end)}
                y={middle - 5.5}
                width={Math.max(1, Math.abs(end - zero))}
                height={11}
                rx={1.5}
                fill={isSource || row.failed ? 'var(--surface)' : look.colour}
                stroke={row.failed ? 'var(--danger)' : isSource ? look.colour : 'none'}
                strokeWidth={1.5}
                strokeDasharray={row.failed ? '3 2' : undefined}
              />
            )}
            <text className="chart-label" x={area.x + area.width + 8} y={middle} dominantBaseline="central">
              {value === undefined ? dash : text}
              {ratioText && <tspan className="chart-sublabel"> {ratioText}</tspan>}
            </text>
          </g>
        );
      })}
    </g>
  );
}
