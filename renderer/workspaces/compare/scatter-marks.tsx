import { usePlotArea, useXAxisScale, useYAxisScale } from 'recharts';
import { type Measure, type ScatterPoint, sourceRowId } from '../../state/compare-rows.ts';
import { precisionLook } from '../../theme/precision.ts';
import { formatBytes, formatMilliseconds } from '../../ui/format.ts';
import { markerPath } from '../../ui/marker.tsx';
import { writeMeasure } from './measure-words.ts';
import { placeLabels } from './place-labels.ts';
import type { ScatterScale } from './scatter-scale.ts';
import { shortNames } from './short-names.ts';

const labelHeight = 28;
/** How far above the lower edge a mark is drawn whose value lies below it. */
const edgeInset = 10;
const characterWidth = 6.6;

/** A point and where it stands in the chart. */
export interface ShownPoint {
  point: ScatterPoint;
  x: number;
  y: number;
}

/** The marks of a scatter chart, their labels, and the lines through the best ones and through each search. */
export function ScatterMarks(props: {
  points: readonly ScatterPoint[];
  front: readonly ScatterPoint[];
  scale: ScatterScale;
  measure: Measure;
  onPoint: (shown: ShownPoint | undefined) => void;
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
        return (
          <Mark
            key={point.row.id}
            shown={{ point, x, y }}
            label={{ ...labels[index], ...placed[index] }}
            words={describePoint(point, measure)}
            onPoint={onPoint}
            onPick={onPick}
          />
        );
      })}
    </g>
  );
}

interface MarkProps {
  shown: ShownPoint;
  label: { name: string; under: string; x: number; y: number; far: boolean };
  words: string;
  onPoint: (shown: ShownPoint | undefined) => void;
  onPick: (id: string) => void;
}

function Mark({ shown, label, words, onPoint, onPick }: MarkProps) {
  const { x, y } = shown;
  const { row } = shown.point;
  const look = precisionLook[row.precision];
  const isSource = row.id === sourceRowId;
  const pick = (): void => {
    if (!isSource) onPick(row.id);
  };
  const show = (): void => onPoint(shown);
  const hide = (): void => onPoint(undefined);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: its role depends on whether it opens a row
    <g
      className={isSource ? 'point' : 'point point-pick'}
      tabIndex={0}
      role={isSource ? 'img' : 'button'}
      aria-label={words}
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
          d={markerPath(look.shape, row.furtherOf === undefined ? 6 : 4)}
          fill={isSource || row.failed ? 'var(--surface)' : look.colour}
          stroke={row.failed ? 'var(--danger)' : isSource ? look.colour : 'var(--mark-outline)'}
          strokeWidth={isSource || row.failed ? 2 : 0.75}
        />
      </g>
      {label.name !== '' && label.far && (
        <line
          x1={x}
          y1={y}
          x2={label.x + 4}
          y2={label.y + 6}
          stroke="var(--line-strong)"
          strokeWidth={0.75}
        />
      )}
      <text className="chart-label" x={label.x} y={label.y + 11}>
        {label.name}
      </text>
      <text className="chart-sublabel" x={label.x} y={label.y + 24}>
        {label.under}
      </text>
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
