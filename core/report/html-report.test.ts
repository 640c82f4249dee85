import { expect, test } from 'vitest';
import { renderHtmlReport } from './html-report.ts';

const rows = [
  {
    name: 'source',
    path: 'm.h5',
    format: 'keras-h5',
    sizeBytes: 1_000_000,
    isSource: true,
    latencyMs: 2,
    notes: [],
  },
  {
    name: 'int8',
    path: 'm_int8.tflite',
    format: 'tflite',
    sizeBytes: 260_000,
    isSource: false,
    status: 'failed' as const,
    quality: { samples: 10, sqnrDb: 31.24, cosine: 0.9991, maxAbsError: 0.1, top1Agreement: 0.98 },
    latencyMs: 1.25,
    engine: 'LiteRT <2.3>',
    notes: ['gate "quality" & more'],
  },
  { name: 'float32', path: '', format: 'tflite', sizeBytes: 0, isSource: false, notes: [] },
];

test('a report stands alone, escapes what it is given, and never shows a missing figure as a number', () => {
  const html = renderHtmlReport({ title: '<script>alert(1)</script>', rows });
  expect(html).not.toMatch(/<script|https?:|undefined|NaN|<link/);
  expect(html).toContain('&lt;script&gt;');
  expect(html).toContain('LiteRT &lt;2.3&gt;');
  expect(html).toContain('gate &quot;quality&quot; &amp; more');
  for (const figure of ['260 kB', '31.2 dB', '98.0 %', '1.25 ms', '×0.26', '×0.63', '>failed<']) {
    expect(html).toContain(figure);
  }
});
