/**
 * Numbers as the studio writes them: three significant digits, a unit always, thousands apart by a thin space, a real
 * minus sign. Everything here takes finite numbers; what is not finite becomes the dash, never "NaN".
 */
export const dash = '–';
const thin = '\u2009';
const noBreak = '\u00a0';
const minus = '\u2212';

function withMinus(text: string): string {
  return text.replace('-', minus);
}

function groupThousands(digits: string): string {
  const [whole, fraction] = digits.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, thin);
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** A whole number in full: `1 797`. */
export function formatInteger(value: number): string {
  return Number.isFinite(value) ? withMinus(groupThousands(String(Math.round(value)))) : dash;
}

/** Three significant digits without an exponent: `0.00123`, `38.2`, `12 300`. Trailing zeros stay: `4.00`. */
export function formatSignificant(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return dash;
  if (value === 0) return '0';
  const exponent = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(digits)))));
  if (exponent < -6) return withMinus(value.toExponential(digits - 1));
  const rounded = Number(value.toPrecision(digits));
  return withMinus(groupThousands(rounded.toFixed(Math.max(0, digits - 1 - exponent))));
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let rest = value;
  let unit = 0;
  // 999.6 would be written "1 000" in its own unit; it belongs to the next one.
  while (unit < units.length - 1 && Number(Math.abs(rest).toPrecision(3)) >= base) {
    rest /= base;
    unit += 1;
  }
  return `${formatSignificant(rest)}${noBreak}${units[unit]}`;
}

/** Bytes in decimal units, as file managers and app stores count: `3.56 MB`. Below 1 kB in full. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return dash;
  if (Math.abs(bytes) < 1000) return `${formatInteger(bytes)}${noBreak}B`;
  return scaled(bytes / 1000, 1000, ['kB', 'MB', 'GB', 'TB']);
}

/** The same for an axis: without zeros that say nothing, `5 MB`. */
export function trimZeros(text: string): string {
  return text.replace(/(\.\d*?)0+(?!\d)/, '$1').replace(/\.(?!\d)/, '');
}

/** Large counts, shortened: `3.54 M`. Below 10 000 in full. */
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) return dash;
  if (Math.abs(count) < 10_000) return formatInteger(count);
  return scaled(count / 1000, 1000, ['k', 'M', 'G', 'T']);
}

/** Milliseconds: `350 µs`, `3.61 ms`, `1.24 s`. */
export function formatMilliseconds(ms: number): string {
  if (!Number.isFinite(ms)) return dash;
  if (ms === 0) return `0${noBreak}ms`;
  const size = Number(Math.abs(ms).toPrecision(3));
  if (size < 1) return `${formatSignificant(ms * 1000)}${noBreak}µs`;
  if (size < 1000) return `${formatSignificant(ms)}${noBreak}ms`;
  return `${formatSignificant(ms / 1000)}${noBreak}s`;
}

/** Time left in words: `12 s left`, `1 min 30 s left`. */
export function formatTimeLeft(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return dash;
  const whole = Math.ceil(seconds);
  if (whole < 1) return 'almost done';
  if (whole < 60) return `${whole}${noBreak}s left`;
  if (whole < 3600) {
    const rest = whole % 60;
    return `${Math.floor(whole / 60)}${noBreak}min${rest > 0 ? ` ${rest}${noBreak}s` : ''} left`;
  }
  return `${Math.floor(whole / 3600)}${noBreak}h ${Math.floor((whole % 3600) / 60)}${noBreak}min left`;
}

/** A ratio to the source: `×0.26`, `×1.61`, `×0.026`. */
export function formatRatio(ratio: number): string {
  if (!Number.isFinite(ratio)) return dash;
  const size = Math.abs(ratio);
  if (size > 0 && size < 0.0995) return `×${formatSignificant(ratio, 2)}`;
  if (size < 9.995) return `×${ratio.toFixed(2)}`;
  return `×${formatSignificant(ratio)}`;
}

/** A fraction as a percentage: `97.3 %`; exactly one is `100 %`, and what is not one never rounds up to it. */
export function formatPercent(fraction: number): string {
  if (!Number.isFinite(fraction)) return dash;
  if (fraction === 1) return `100${noBreak}%`;
  const percent = fraction * 100;
  const text = formatSignificant(percent);
  if (percent < 100 && Number(percent.toPrecision(3)) >= 100) return `>99.9${noBreak}%`;
  return `${text}${noBreak}%`;
}

/** A signed difference of two fractions in percentage points: `−0.40 pp`, `+1.20 pp`, `±0 pp`. */
export function formatDeltaPoints(difference: number): string {
  if (!Number.isFinite(difference)) return dash;
  const points = difference * 100;
  if (Math.abs(points) < 0.005) return `±0${noBreak}pp`;
  const size = Math.abs(points) < 9.995 ? Math.abs(points).toFixed(2) : formatSignificant(Math.abs(points));
  return `${points > 0 ? '+' : minus}${size}${noBreak}pp`;
}

/** Decibels: `38.2 dB`; `null` means that there was no error at all. */
export function formatDecibels(db: number | null): string {
  if (db === null) return 'exact';
  return Number.isFinite(db) ? `${formatSignificant(db)}${noBreak}dB` : dash;
}

/** A shape: `1×224×224×3`; open dimensions keep their name. A scalar is `scalar`. */
export function formatShape(shape: readonly (number | string)[]): string {
  return shape.length === 0 ? 'scalar' : shape.join('×');
}

/** How long ago an ISO 8601 moment was: `just now`, `5 min ago`, `yesterday`, else the date. */
export function formatAgo(iso: string, now: number): string {
  const then = Date.parse(iso);
  if (!Number.isFinite(then)) return dash;
  const minutes = Math.floor((now - then) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes}${noBreak}min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}${noBreak}h ago`;
  const days = Math.floor(hours / 24);
  if (days === 1) return 'yesterday';
  if (days < 7) return `${days} days ago`;
  return iso.slice(0, 10);
}

/** "1 operator", "3 operators". */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatInteger(count)}${noBreak}${count === 1 ? one : many}`;
}
