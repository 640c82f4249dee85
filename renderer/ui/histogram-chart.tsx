import type { HistogramView } from '../../core/contract/views.ts';
import { formatInteger, formatSignificant, trimZeros } from './format.ts';
import { ticksBetween } from './ticks.ts';
import { useWidth } from './use-width.ts';

interface HistogramChartProps {
  /** Filled. */
  source: HistogramView;
  /** Drawn as a line over it, in the same bins. */
  file?: HistogramView;
  colour?: string;
  /** Ends of what the file's integers can say. */
  limits?: readonly [number, number];
  height?: number;
}

const marginLeft = 34;
const marginBottom = 32;
const marginTop = 6;

/** Distribution of values: bars from zero on a logarithmic scale of counts, since one bin often holds most of them. */
export function HistogramChart({ source, file, colour, limits, height = 132 }: HistogramChartProps) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const bins = source.counts.length;
  const binWidth = source.width || 1;
  const start = Math.min(source.start, ...(limits ?? []));
  const end = Math.max(source.start + bins * binWidth, ...(limits ?? []));
  const most = Math.max(...source.counts, ...(file?.counts ?? []), 1);
  const decades = Math.max(1, Math.ceil(Math.log10(most)));
  const marks = Array.from({ length: decades + 1 }, (_, decade) => 10 ** decade);
  const plotWidth = Math.max(20, width - marginLeft - 4);
  const plotHeight = height - marginBottom - marginTop;
  const x = (value: number): number => marginLeft + ((value - start) / (end - start)) * plotWidth;
  // One element is still seen.
  const y = (count: number): number =>
    count <= 0
      ? marginTop + plotHeight
      : marginTop + plotHeight * (1 - (Math.log10(count) + 0.3) / (decades + 0.3));
  const outline = file
    ? `M${x(source.start)},${y(0)}${file.counts
        .map((count, bin) => `V${y(count).toFixed(1)}H${x(source.start + (bin + 1) * binWidth).toFixed(1)}`)
        .join('')}V${y(0)}`
    : undefined;
  return (
    <div ref={ref}>
      {width > 0 && (
        // biome-ignore lint/a11y/noSvgWithoutTitle: the figure around it carries the title and a table of the data
        <svg width={width} height={height}>
          {marks.map((count, decade) => (
            <g key={count}>
              <line x1={marginLeft} x2={width - 4} y1={y(count)} y2={y(count)} stroke="var(--grid)" />
              {decade % Math.ceil(decades / 3) === 0 && (
                <text
                  className="chart-sublabel"
                  x={marginLeft - 4}
                  y={y(count)}
                  textAnchor="end"
                  dominantBaseline="central"
                >
                  {decade < 4 ? formatInteger(count) : `10${superscript(decade)}`}
                </text>
              )}
            </g>
          ))}
          {source.counts.map((count, bin) => (
            <rect
              // biome-ignore lint/suspicious/noArrayIndexKey: a bin is its place
              key={bin}
              x={x(source.start + bin * binWidth)}
              y={y(count)}
              width={Math.max(0.75, (binWidth / (end - start)) * plotWidth - 0.5)}
              height={Math.max(0, y(0) - y(count))}
              fill="var(--p-float32)"
              fillOpacity={0.55}
            />
          ))}
          {outline && <path d={outline} fill="none" stroke={colour ?? 'var(--accent)'} strokeWidth={1.5} />}
          {limits?.map((limit) => (
            <line
              key={limit}
              x1={x(limit)}
              x2={x(limit)}
              y1={marginTop}
              y2={marginTop + plotHeight}
              stroke="var(--text)"
              strokeDasharray="3 3"
            />
          ))}
          <line x1={marginLeft} x2={width - 4} y1={y(0)} y2={y(0)} stroke="var(--line-strong)" />
          {ticksBetween(start, end, Math.max(2, Math.floor(plotWidth / 70))).map((tick) => (
            <text
              key={tick}
              className="chart-sublabel"
              x={x(tick)}
              y={height - marginBottom + 13}
              textAnchor="middle"
            >
              {trimZeros(formatSignificant(tick))}
            </text>
          ))}
          <text className="chart-sublabel" x={marginLeft + plotWidth / 2} y={height - 4} textAnchor="middle">
            value; elements on a logarithmic scale
          </text>
        </svg>
      )}
    </div>
  );
}

function superscript(exponent: number): string {
  return [...String(exponent)].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]).join('');
}
