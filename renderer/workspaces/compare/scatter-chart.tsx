import { useState } from 'react';
import {
  CartesianGrid,
  ReferenceLine,
  ResponsiveContainer,
  Scatter,
  ScatterChart,
  usePlotArea,
  useXAxisScale,
  useYAxisScale,
  XAxis,
  YAxis,
} from 'recharts';
import {
  type CompareRow,
  type Measure,
  type ScatterPoint,
  selectScatter,
  sourceRowId,
} from '../../state/compare-rows.ts';
import { precisionLook } from '../../theme/precision.ts';
import { axisLook, axisTitleLook, gridColour } from '../../ui/axis-look.ts';
import {
  formatBytes,
  formatDecibels,
  formatMilliseconds,
  formatPercent,
  formatRatio,
  trimZeros,
} from '../../ui/format.ts';
import { markerPath, PrecisionMark } from '../../ui/marker.tsx';
import { describeSetting } from '../../ui/setting.ts';
import { placeLabels } from './place-labels.ts';
import { type ScatterScale, scatterScale } from './scatter-scale.ts';
import { shortNames } from './short-names.ts';

export const measureTitle: Record<Measure, string> = {
  accuracy: 'Accuracy (%)',
  quality: 'Quality (SQNR, dB)',
  agreement: 'Agreement with the source (%)',
};

const labelHeight = 28;
/** How far above the lower edge a mark is drawn whose value lies below it. */
const edgeInset = 10;
const characterWidth = 6.6;

export function writeMeasure(measure: Measure, value: number): string {
  return measure === 'quality' ? formatDecibels(Number.isFinite(value) ? value : null) : formatPercent(value);
}

/** Size against quality: each result a mark with its name and latency, the best ones joined by a line. */
export function SizeQualityScatter(props: {
  rows: readonly CompareRow[];
  measure: Measure;
  /** Opens a result. */
  onPick: (id: string) => void;
}) {
  const { rows, measure, onPick } = props;
  const { points, front } = selectScatter(rows, measure);
  const scale = scatterScale(points, measure);
  const source = points.find(({ row }) => row.id === sourceRowId);
  const [tip, setTip] = useState<{ point: ScatterPoint; x: number; y: number }>();
  return (
    <>
      <ResponsiveContainer width="100%" height="100%">
        <ScatterChart margin={{ top: 12, right: 16, bottom: 22, left: 14 }} accessibilityLayer={false}>
          <CartesianGrid stroke={gridColour} />
          <XAxis
            {...axisLook}
            type="number"
            dataKey="cost"
            domain={[0, scale.x.max]}
            ticks={scale.x.ticks}
            tickFormatter={(bytes: number) => trimZeros(formatBytes(bytes))}
            tickSize={4}
            label={{
              value: 'Size (smaller is better)',
              position: 'insideBottom',
              offset: -8,
              ...axisTitleLook,
            }}
          />
          <YAxis
            {...axisLook}
            type="number"
            dataKey="gain"
            domain={[scale.y.min, scale.y.max]}
            allowDataOverflow
            ticks={scale.y.ticks}
            tickFormatter={(value: number) =>
              measure === 'quality' ? String(value) : String(Number((value * 100).toPrecision(4)))
            }
            tickSize={4}
            width={48}
            label={{
              value: `${measureTitle[measure]}, higher is better`,
              angle: -90,
              position: 'insideLeft',
              offset: 0,
              style: { ...axisTitleLook, textAnchor: 'middle' },
            }}
          />
          {scale.exactAt !== undefined && (
            <ReferenceLine
              y={scale.exactAt}
              stroke="var(--line-strong)"
              strokeDasharray="2 4"
              label={{
                value: 'no error',
                position: 'insideBottomLeft',
                fill: 'var(--text-muted)',
                fontSize: 11,
              }}
            />
          )}
          {source && measure !== 'quality' && (
            <ReferenceLine y={source.gain} stroke="var(--line-strong)" strokeDasharray="2 4" />
          )}
          {source && <ReferenceLine x={source.cost} stroke="var(--line-strong)" strokeDasharray="2 4" />}
          <Scatter data={points} isAnimationActive={false} shape={() => null} />
          <Marks
            points={points}
            front={front}
            scale={scale}
            measure={measure}
            onPoint={setTip}
            onPick={onPick}
          />
        </ScatterChart>
      </ResponsiveContainer>
      {tip && <PointTip {...tip} measure={measure} />}
    </>
  );
}

function Marks(props: {
  points: readonly ScatterPoint[];
  front: readonly ScatterPoint[];
  scale: ScatterScale;
  measure: Measure;
  onPoint: (tip: { point: ScatterPoint; x: number; y: number } | undefined) => void;
  onPick: (id: string) => void;
}) {
  const { points, front, scale, measure, onPoint, onPick } = props;
  const xScale = useXAxisScale();
  const yScale = useYAxisScale();
  const area = usePlotArea();
  if (!xScale || !yScale || !area || !Number.isFinite(xScale(0))) return null;
  const isBelow = ({ gain }: ScatterPoint): boolean => gain < scale.y.min;
  const locate = (point: ScatterPoint): [number, number] => [
    Number(xScale(point.cost)),
    isBelow(point)
      ? area.y + area.height - edgeInset
      : Number(yScale(Number.isFinite(point.gain) ? point.gain : (scale.exactAt ?? 0))),
  ];
  const names = shortNames(points.map(({ row }) => row));
  const labels = points.map((point) => {
    const { row, gain } = point;
    // Further points of a search are told by the line through them.
    if (row.furtherOf !== undefined) return { name: '', under: '' };
    const latency = row.latency ? formatMilliseconds(row.latency.medianMs) : '';
    return {
      name: names.get(row.id) ?? row.name,
      under: isBelow(point) ? `↓ ${writeMeasure(measure, gain)}` : latency,
    };
  });
  const placed = placeLabels(
    points.map((point, index) => {
      const [x, y] = locate(point);
      const characters = Math.max(labels[index].name.length, labels[index].under.length);
      return { x, y, width: characters * characterWidth, height: labels[index].under ? labelHeight : 15 };
    }),
    { left: area.x, top: area.y, right: area.x + area.width, bottom: area.y + area.height },
  );
  return (
    <g>
      <polyline
        points={front.map((point) => locate(point).join(',')).join(' ')}
        fill="none"
        stroke="var(--accent)"
        strokeWidth={1.5}
        strokeDasharray="5 3"
      />
      {searchLines(points).map((line) => (
        <polyline
          key={line[0].row.id}
          points={line.map((point) => locate(point).join(',')).join(' ')}
          fill="none"
          stroke={precisionLook.auto.colour}
          strokeWidth={1.25}
        />
      ))}
      {points.map((point, index) => {
        const [x, y] = locate(point);
        const { row } = point;
        const look = precisionLook[row.precision];
        const isSource = row.id === sourceRowId;
        const size = row.furtherOf === undefined ? 6 : 4;
        const pick = (): void => {
          if (!isSource) onPick(row.id);
        };
        const show = (): void => onPoint({ point, x, y });
        const hide = (): void => onPoint(undefined);
        return (
          // biome-ignore lint/a11y/noStaticElementInteractions: its role depends on whether it opens a row
          <g
            key={row.id}
            className={isSource ? 'point' : 'point point-pick'}
            tabIndex={0}
            role={isSource ? 'img' : 'button'}
            aria-label={describePoint(point, measure)}
            onClick={pick}
            onKeyDown={(event) => {
              if (event.key === 'Enter') pick();
            }}
            onMouseEnter={show}
            onMouseLeave={hide}
            onFocus={show}
            onBlur={hide}
          >
            <g transform={`translate(${x},${y})`}>
              <circle className="point-ring" r={11} />
              <path
                d={markerPath(look.shape, size)}
                fill={isSource || row.failed ? 'var(--surface)' : look.colour}
                stroke={row.failed ? 'var(--danger)' : isSource ? look.colour : 'var(--mark-outline)'}
                strokeWidth={isSource || row.failed ? 2 : 0.75}
              />
            </g>
            {labels[index].name !== '' && placed[index].far && (
              <line
                x1={x}
                y1={y}
                x2={placed[index].x + 4}
                y2={placed[index].y + 6}
                stroke="var(--line-strong)"
                strokeWidth={0.75}
              />
            )}
            <text className="chart-label" x={placed[index].x} y={placed[index].y + 11}>
              {labels[index].name}
            </text>
            <text className="chart-sublabel" x={placed[index].x} y={placed[index].y + 24}>
              {labels[index].under}
            </text>
          </g>
        );
      })}
    </g>
  );
}

/** The points of each search by size, as lines. */
function searchLines(points: readonly ScatterPoint[]): ScatterPoint[][] {
  const lines = new Map<string, ScatterPoint[]>();
  for (const point of points) {
    const { id, furtherOf, precision } = point.row;
    if (precision !== 'auto' || point.row.failed) continue;
    lines.set(furtherOf ?? id, [...(lines.get(furtherOf ?? id) ?? []), point]);
  }
  return [...lines.values()]
    .filter((line) => line.length > 1)
    .map((line) => line.sort((a, b) => a.cost - b.cost));
}

function describePoint({ row, cost, gain }: ScatterPoint, measure: Measure): string {
  const latency = row.latency ? `, ${formatMilliseconds(row.latency.medianMs)}` : '';
  const failed = row.failed ? ', failed its gates' : '';
  return `${row.name}: ${formatBytes(cost)}, ${writeMeasure(measure, gain)}${latency}${failed}`;
}

function PointTip({ point, x, y, measure }: { point: ScatterPoint; x: number; y: number; measure: Measure }) {
  const { row } = point;
  const style =
    x > 260 ? { left: x - 14, top: y + 14, transform: 'translateX(-100%)' } : { left: x + 14, top: y + 14 };
  return (
    <div className="chart-tip point-tip" style={style} role="presentation">
      <h3>
        <PrecisionMark precision={row.precision} hollow={row.id === sourceRowId} />
        {row.name}
      </h3>
      <dl className="keyvalues">
        <dt>Size</dt>
        <dd className="num">
          {formatBytes(point.cost)}{' '}
          {row.sizeRatio !== undefined && row.artifact && formatRatio(row.sizeRatio)}
        </dd>
        <dt>{measureTitle[measure].replace(/ \(.*/, '')}</dt>
        <dd className="num">{writeMeasure(measure, point.gain)}</dd>
        {row.latency && (
          <>
            <dt>Latency</dt>
            <dd className="num">
              {formatMilliseconds(row.latency.medianMs)}
              <br />
              <span className="muted">{describeSetting(row.latency)}</span>
            </dd>
          </>
        )}
      </dl>
    </div>
  );
}
