import type { CalibrationView } from '../contract/views.ts';
import type { Comparison, ComparisonRow } from './comparison.ts';

/**
 * A comparison as one HTML file that needs nothing else: no script, no font, no network. Charts are SVG with the same
 * figures in the table below them; light and dark follow the reader's system.
 */
export function renderHtmlReport(comparison: Comparison): string {
  const { title, rows } = comparison;
  const known = rows.filter((row) => row.sizeBytes > 0);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}: comparison</title>
<style>${style}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
<p>Every figure was measured on the file itself, run in the engine that is named.</p>
${scatter(known)}
<div class="bars">
${bars('Size', known, (row) => row.sizeBytes, bytesText)}
${bars(
  'Latency',
  known.filter((row) => row.latencyMs !== undefined),
  (row) => row.latencyMs!,
  msText,
)}
</div>
${table(rows)}
${calibrations(rows)}
</body>
</html>
`;
}

const style = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#59636e;--line:#d5dae0;--paper:#fff;--bad:#b3261e;--c0:#6b7280;--c1:#56b4e9;--c2:#e69f00;--c3:#009e73;--c4:#0072b2;--c5:#cc79a7;--c6:#d55e00}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#a2abb5;--line:#3a424c;--paper:#15181c;--bad:#ff8a80;--c0:#9aa3ad}}
body{font:13px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1080px;margin:24px auto;padding:0 16px}
h1{font-size:20px;font-weight:600;margin:0}h2{font-size:15px;font-weight:600;margin:24px 0 4px}p{color:var(--soft);margin:4px 0 16px}
svg{max-width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:var(--ink)}svg .soft{fill:var(--soft)}svg line{stroke:var(--line)}
.bars{display:flex;flex-wrap:wrap;gap:24px}
table{border-collapse:collapse;width:100%;font-size:12px;font-variant-numeric:tabular-nums;margin-top:24px}
th,td{text-align:right;padding:6px 8px;border-bottom:1px solid var(--line);vertical-align:top}
th:first-child,td:first-child,.text{text-align:left}th{font-weight:600;color:var(--soft)}.failed{color:var(--bad)}td.text{color:var(--soft)}code{font-size:11px;overflow-wrap:anywhere}`;

const colours: readonly [RegExp, number][] = [
  [/^float16/, 1],
  [/^dynamic-int8/, 2],
  [/^int8/, 3],
  [/^int16x8/, 4],
  [/^weights-int/, 5],
  [/^auto/, 6],
];

function colourOf(row: ComparisonRow): string {
  const found = row.isSource ? undefined : colours.find(([pattern]) => pattern.test(row.name));
  return `var(--c${found?.[1] ?? 0})`;
}

/** Size against quality; rows without a finite SQNR have no place on the axis and stand in the table. */
function scatter(rows: readonly ComparisonRow[]): string {
  const points = rows.filter((row) => typeof row.quality?.sqnrDb === 'number');
  if (points.length === 0) return '';
  const [width, height, left, right, bottom] = [760, 320, 56, 190, 44];
  const sizeTicks = niceTicks(Math.max(...rows.map((row) => row.sizeBytes)));
  const dbTicks = niceTicks(Math.max(10, ...points.map((row) => row.quality!.sqnrDb!)));
  const x = (bytes: number): number => left + (bytes / sizeTicks.at(-1)!) * (width - left - right);
  const y = (db: number): number =>
    height - bottom - (Math.max(0, db) / dbTicks.at(-1)!) * (height - bottom - 16);
  const grid = dbTicks.map(
    (db) =>
      `<line x1="${left}" x2="${width - right}" y1="${y(db)}" y2="${y(db)}"/><text class="soft" x="${left - 8}" y="${y(db) + 4}" text-anchor="end">${db}</text>`,
  );
  const ticks = sizeTicks.map(
    (bytes) =>
      `<text class="soft" x="${x(bytes)}" y="${height - bottom + 18}" text-anchor="middle">${bytesText(bytes)}</text>`,
  );
  const placed = spreadLabels(
    points.map((row) => ({ row, cx: x(row.sizeBytes), cy: y(row.quality!.sqnrDb!) })),
    height - bottom,
  );
  const marks = placed.map(({ row, cx, cy, labelY }) => {
    const latency = row.latencyMs === undefined ? '' : `, ${msText(row.latencyMs)}`;
    const label = `${row.name} .${row.format}${latency}`;
    const colour = colourOf(row);
    const shape =
      row.format === 'onnx'
        ? `<rect x="${cx - 5}" y="${cy - 5}" width="10" height="10" fill="${colour}"/>`
        : `<circle cx="${cx}" cy="${cy}" r="6" fill="${colour}"/>`;
    const leader = `<line x1="${cx}" y1="${cy}" x2="${cx + 16}" y2="${labelY}"/>`;
    return `${leader}${shape}<text x="${cx + 18}" y="${labelY + 4}">${escapeHtml(label)}</text>`;
  });
  return `<h2>Quality against size</h2>
<svg viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="Quality in dB against file size; the table below has the same figures">
${grid.join('')}${ticks.join('')}${marks.join('')}
<text class="soft" x="${(left + width - right) / 2}" y="${height - 6}" text-anchor="middle">File size</text>
<text class="soft" transform="translate(14 ${height / 2}) rotate(-90)" text-anchor="middle">Quality (SQNR, dB)</text>
</svg>`;
}

/** From 0 in steps of 1, 2 or 5 times a power of ten, to the first one at or above `largest`. */
function niceTicks(largest: number): number[] {
  const power = 10 ** Math.floor(Math.log10(largest / 4));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each * 5 >= largest)!;
  return Array.from({ length: Math.ceil(largest / step) + 1 }, (_unused, i) => i * step);
}

const labelHeight = 15;

/** Moves labels apart, downwards from the highest, and up again from `floor` where they do not fit. */
function spreadLabels<T extends { cy: number }>(
  points: readonly T[],
  floor: number,
): (T & { labelY: number })[] {
  const sorted = [...points].sort((a, b) => a.cy - b.cy).map((point) => ({ ...point, labelY: point.cy }));
  for (let i = 1; i < sorted.length; i++) {
    sorted[i].labelY = Math.max(sorted[i].labelY, sorted[i - 1].labelY + labelHeight);
  }
  let limit = floor;
  for (let i = sorted.length - 1; i >= 0; i--) {
    sorted[i].labelY = Math.min(sorted[i].labelY, limit);
    limit = sorted[i].labelY - labelHeight;
  }
  return sorted;
}

function bars(
  title: string,
  rows: readonly ComparisonRow[],
  valueOfRow: (row: ComparisonRow) => number,
  text: (value: number) => string,
): string {
  if (rows.length === 0) return '';
  const [width, step, left] = [480, 26, 170];
  const largest = Math.max(...rows.map(valueOfRow));
  const source = rows.find((row) => row.isSource);
  const lines = rows.map((row, i) => {
    const value = valueOfRow(row);
    const length = (value / largest) * (width - left - 120);
    const ratio = source && !row.isSource ? `, ×${(value / valueOfRow(source)).toFixed(2)}` : '';
    const name = row.isSource ? 'source' : `${row.name} .${row.format}`;
    return `<text x="${left - 8}" y="${i * step + 17}" text-anchor="end">${escapeHtml(name)}</text><rect x="${left}" y="${i * step + 4}" width="${Math.max(1, length)}" height="18" rx="2" fill="${colourOf(row)}"/><text x="${left + length + 6}" y="${i * step + 17}">${text(value)}${ratio}</text>`;
  });
  return `<div><h2>${title}</h2><svg viewBox="0 0 ${width} ${rows.length * step}" width="${width}" role="img" aria-label="${title}; the table below has the same figures">${lines.join('')}</svg></div>`;
}

function table(rows: readonly ComparisonRow[]): string {
  const head = [
    '',
    'format',
    'size',
    'SQNR',
    'cosine',
    'agreement',
    'accuracy',
    'latency',
    'engine',
    'status',
  ];
  const body = rows.map((row) => {
    const quality = row.quality ?? {};
    const cells = [
      escapeHtml(row.name),
      escapeHtml(row.format),
      row.sizeBytes > 0 ? bytesText(row.sizeBytes) : '–',
      quality.sqnrDb === undefined
        ? '–'
        : quality.sqnrDb === null
          ? 'exact'
          : `${quality.sqnrDb.toFixed(1)} dB`,
      quality.cosine === undefined ? '–' : quality.cosine.toFixed(5),
      percent(quality.top1Agreement),
      percent(quality.accuracy),
      row.latencyMs === undefined ? '–' : msText(row.latencyMs),
      escapeHtml(row.engine ?? '–'),
      row.status === 'failed' ? '<span class="failed">failed</span>' : (row.status ?? '–'),
    ];
    const notes = row.notes.map((note) => `<div>${escapeHtml(note)}</div>`).join('');
    const noteRow = notes === '' ? '' : `<tr><td class="text" colspan="${head.length}">${notes}</td></tr>`;
    return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>${noteRow}`;
  });
  return `<table><thead><tr>${head.map((name) => `<th>${name}</th>`).join('')}</tr></thead><tbody>${body.join('')}</tbody></table>`;
}

const chosenWords: Record<CalibrationView['chosen'], (seed: number) => string> = {
  all: () => 'all there are',
  random: (seed) => `drawn by seed ${seed}`,
  'by-class': (seed) => `drawn class by class by seed ${seed}`,
};

/** What ranges were found on, once for all files that share it. */
function calibrations(rows: readonly ComparisonRow[]): string {
  const sharing = new Map<string, { view: CalibrationView; files: string[] }>();
  for (const { name, format, calibration: view } of rows) {
    if (!view) continue;
    const key = JSON.stringify(view);
    const { files } = sharing.get(key) ?? sharing.set(key, { view, files: [] }).get(key)!;
    files.push(`${name} .${format}`);
  }
  const lines = [...sharing.values()].map(
    ({ view, files }) =>
      `<p>${escapeHtml(`${files.join(', ')}: ${calibrationText(view)}`)} <code>${escapeHtml(view.sha256)}</code></p>`,
  );
  return lines.length === 0 ? '' : `<h2>Calibration</h2>${lines.join('')}`;
}

function calibrationText(view: CalibrationView): string {
  const { samples, available, classes, stability } = view;
  const of = samples === available ? '' : ` of ${available}`;
  const from = classes.length === 0 ? '' : `; ${classes.length} classes`;
  const source = view.path.split(/[\\/]/).findLast((part) => part !== '');
  const steadiness = stability
    ? `Ranges of two halves of them differ by ${percent(stability.typical)} at a typical value and by ${percent(stability.difference)} at ${stability.value}. `
    : '';
  return `ranges (${view.observer}) of ${samples}${of} samples from ${source}, ${chosenWords[view.chosen](view.seed)}${from}. ${steadiness}SHA-256 of what was fed:`;
}

function percent(share: number | undefined): string {
  return share === undefined ? '–' : `${(share * 100).toFixed(1)} %`;
}

function bytesText(bytes: number): string {
  if (bytes < 1e3) return `${Math.round(bytes)} B`;
  return bytes < 1e6 ? `${short(bytes / 1e3)} kB` : `${short(bytes / 1e6)} MB`;
}

function msText(ms: number): string {
  return `${short(ms)} ms`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (character) => entities[character]);
}
