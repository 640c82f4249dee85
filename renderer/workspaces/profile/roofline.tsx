import type { PerOp, ProfileView } from '../../../core/contract/views.ts';
import { formatMilliseconds, formatPercent, formatSignificant } from '../../ui/format.ts';
import { useWidth } from '../../ui/use-width.ts';
import { type RoofPoint, roofAt, roofPoints } from './roof-points.ts';

type RooflineView = NonNullable<ProfileView['roofline']>;

const height = 300;
const margin = { left: 54, right: 12, top: 10, bottom: 40 };

/** Operators by how much they compute for a byte, under what this machine gives; both axes are logarithmic. */
export function Roofline(props: { operators: readonly PerOp[]; roofline: RooflineView; colour: string }) {
  const { operators, roofline, colour } = props;
  const [ref, width] = useWidth<HTMLDivElement>();
  const points = roofPoints(operators);
  if (points.length === 0)
    return <p className="muted">No operator’s multiply-adds and bytes are both known.</p>;
  const peak = Math.max(roofline.gflopPerS, roofline.int8GopPerS ?? 0);
  const ridge = peak / roofline.gbPerS;
  const xs = decades([...points.map(({ intensity }) => intensity), ridge * 2, ridge / 20]);
  const ys = decades([
    ...points.map(({ gflopPerS }) => gflopPerS),
    peak,
    roofAt(roofline, 10 ** xs.from, peak),
  ]);
  const plotWidth = Math.max(40, width - margin.left - margin.right);
  const plotHeight = height - margin.top - margin.bottom;
  const x = (value: number): number =>
    margin.left + ((Math.log10(value) - xs.from) / (xs.to - xs.from)) * plotWidth;
  const y = (value: number): number =>
    margin.top + plotHeight * (1 - (Math.log10(value) - ys.from) / (ys.to - ys.from));
  const roof = (top: number): string => {
    const corner = top / roofline.gbPerS;
    const first = 10 ** xs.from;
    return `M${x(first)},${y(Math.min(top, first * roofline.gbPerS))}L${x(corner)},${y(top)}H${width - margin.right}`;
  };
  const longest = Math.max(...points.map(({ ms }) => ms));
  return (
    <div ref={ref}>
      {width > 0 && (
        // biome-ignore lint/a11y/noSvgWithoutTitle: the figure around it carries the title and a table of the data
        <svg width={width} height={height}>
          <Grid xs={xs} ys={ys} x={x} y={y} width={width} />
          <Roof
            path={roof(roofline.gflopPerS)}
            y={y(roofline.gflopPerS)}
            right={width - margin.right}
            words={`float32 ${formatSignificant(roofline.gflopPerS)} GFLOP/s`}
          />
          {roofline.int8GopPerS !== undefined && (
            <Roof
              path={roof(roofline.int8GopPerS)}
              y={y(roofline.int8GopPerS)}
              right={width - margin.right}
              words={`int8 ${formatSignificant(roofline.int8GopPerS)} GOP/s`}
              dashed
            />
          )}
          {points.map((point, index) => (
            <Mark
              // biome-ignore lint/suspicious/noArrayIndexKey: operators may share a name, and their order is fixed
              key={index}
              point={point}
              x={x(point.intensity)}
              y={y(point.gflopPerS)}
              r={3 + 6 * Math.sqrt(point.ms / longest)}
              colour={colour}
            />
          ))}
          <text
            className="chart-axis-title"
            x={margin.left + plotWidth / 2}
            y={height - 6}
            textAnchor="middle"
          >
            Intensity (FLOP for each byte, logarithmic)
          </text>
          <text
            className="chart-axis-title"
            transform={`translate(12,${margin.top + plotHeight / 2}) rotate(-90)`}
            textAnchor="middle"
          >
            GFLOP/s (logarithmic)
          </text>
        </svg>
      )}
      <p className="chart-note">
        Slope: {formatSignificant(roofline.gbPerS)} GB/s of memory. The larger a mark, the more time.
      </p>
    </div>
  );
}

interface GridProps {
  xs: Decades;
  ys: Decades;
  x: (value: number) => number;
  y: (value: number) => number;
  width: number;
}

/** A line and a number at each power of ten. */
function Grid({ xs, ys, x, y, width }: GridProps) {
  const bottom = height - margin.bottom;
  return (
    <>
      {powers(xs).map((value) => (
        <g key={value}>
          <line x1={x(value)} x2={x(value)} y1={margin.top} y2={bottom} stroke="var(--grid)" />
          <text className="chart-sublabel" x={x(value)} y={bottom + 14} textAnchor="middle">
            {formatSignificant(value, 1)}
          </text>
        </g>
      ))}
      {powers(ys).map((value) => (
        <g key={value}>
          <line x1={margin.left} x2={width - margin.right} y1={y(value)} y2={y(value)} stroke="var(--grid)" />
          <text
            className="chart-sublabel"
            x={margin.left - 6}
            y={y(value)}
            textAnchor="end"
            dominantBaseline="central"
          >
            {formatSignificant(value, 1)}
          </text>
        </g>
      ))}
    </>
  );
}

function Roof(props: { path: string; y: number; right: number; words: string; dashed?: boolean }) {
  const { path, y, right, words, dashed } = props;
  return (
    <>
      <path
        d={path}
        fill="none"
        stroke="var(--text)"
        strokeWidth={1.5}
        strokeDasharray={dashed ? '5 3' : undefined}
      />
      <text className="chart-sublabel" x={right - 4} y={y - 6} textAnchor="end">
        {words}
      </text>
    </>
  );
}

function Mark(props: { point: RoofPoint; x: number; y: number; r: number; colour: string }) {
  const { point, x, y, r, colour } = props;
  const words = `${point.op} ${point.name}: ${formatSignificant(point.gflopPerS)} GFLOP/s, ${formatMilliseconds(point.ms)}${
    point.ofRoof === undefined ? '' : `, ${formatPercent(point.ofRoof)} of the roof`
  }${point.bound ? `, limited by ${point.bound === 'memory' ? 'memory' : 'computing'}` : ''}`;
  return (
    // biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: points are read one by one by keyboard
    <g className="point" tabIndex={0} role="img" aria-label={words}>
      <title>{words}</title>
      <circle className="point-ring" cx={x} cy={y} r={r + 4} />
      <circle
        cx={x}
        cy={y}
        r={r}
        fill={colour}
        fillOpacity={0.7}
        stroke="var(--mark-outline)"
        strokeWidth={0.75}
      />
    </g>
  );
}

interface Decades {
  from: number;
  to: number;
}

/** Whole powers of ten around values. */
function decades(values: readonly number[]): Decades {
  const logs = values.map(Math.log10).filter(Number.isFinite);
  const from = Math.floor(Math.min(...logs));
  return { from, to: Math.max(from + 1, Math.ceil(Math.max(...logs))) };
}

function powers({ from, to }: Decades): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i));
}
