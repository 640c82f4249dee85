import type { Precision } from '../../core/contract/views.ts';
import { type MarkShape, precisionLook } from '../theme/precision.ts';

/** SVG path of a marker shape around the origin, about 2·r across. */
export function markerPath(shape: MarkShape, r: number): string {
  switch (shape) {
    case 'circle':
      return `M${-r},0a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0Z`;
    case 'square': {
      const a = r * 0.88;
      return `M${-a},${-a}H${a}V${a}H${-a}Z`;
    }
    case 'triangle':
      return polygon(3, r * 1.15, -90);
    case 'triangle-down':
      return polygon(3, r * 1.15, 90);
    case 'diamond':
      return polygon(4, r * 1.2, -90);
    case 'hexagon':
      return polygon(6, r * 1.05, 0);
    case 'cross': {
      const a = r * 0.36;
      return `M${-a},${-r}H${a}V${-a}H${r}V${a}H${a}V${r}H${-a}V${a}H${-r}V${-a}H${-a}Z`;
    }
    case 'star': {
      const points = Array.from({ length: 10 }, (_, i) => polar(i % 2 ? r * 0.55 : r * 1.25, -90 + i * 36));
      return `M${points.join('L')}Z`;
    }
  }
}

function polar(r: number, degrees: number): string {
  const angle = (degrees * Math.PI) / 180;
  return `${(r * Math.cos(angle)).toFixed(2)},${(r * Math.sin(angle)).toFixed(2)}`;
}

function polygon(corners: number, r: number, start: number): string {
  return `M${Array.from({ length: corners }, (_, i) => polar(r, start + (360 / corners) * i)).join('L')}Z`;
}

/** The mark of a precision, for lists and tables. The source's is hollow. */
export function PrecisionMark({
  precision,
  hollow,
  size = 12,
}: {
  precision: Precision;
  hollow?: boolean;
  size?: number;
}) {
  const { colour, shape } = precisionLook[precision];
  return (
    <svg
      width={size}
      height={size}
      viewBox="-7 -7 14 14"
      aria-hidden
      focusable="false"
      style={{ flex: 'none' }}
    >
      <path
        d={markerPath(shape, 5)}
        fill={hollow ? 'none' : colour}
        stroke={hollow ? colour : 'var(--mark-outline)'}
        strokeWidth={hollow ? 2 : 0.75}
      />
    </svg>
  );
}
