import { useState } from 'react';
import {
  CartesianGrid,
  ReferenceLine,
  ResponsiveContainer,
  Scatter,
  ScatterChart,
  XAxis,
  YAxis,
} from 'recharts';
import { type CompareRow, type Measure, selectScatter, sourceRowId } from '../../state/compare-rows.ts';
import { axisLook, axisTitleLook, gridColour } from '../../ui/axis-look.ts';
import { formatBytes, formatMilliseconds, formatRatio, trimZeros } from '../../ui/format.ts';
import { PrecisionMark } from '../../ui/marker.tsx';
import { describeSetting } from '../../ui/setting.ts';
import { measureTitle, writeMeasure } from './measure-words.ts';
import { ScatterMarks, type ShownPoint } from './scatter-marks.tsx';
import { scatterScale } from './scatter-scale.ts';

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
  const [tip, setTip] = useState<ShownPoint>();
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
          <ScatterMarks
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

function PointTip({ point, x, y, measure }: ShownPoint & { measure: Measure }) {
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
