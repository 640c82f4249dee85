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

test('samples that ranges were found on stand once for all files that share them', () => {
  const calibration = {
    path: '/home/me/<digits>/',
    samples: 64,
    available: 1797,
    chosen: 'by-class' as const,
    seed: 3,
    observer: 'mse' as const,
    sha256: 'ab12',
    classes: [
      { name: 'one', count: 30 },
      { name: 'two', count: 34 },
    ],
    stability: { value: 'conv<1>', difference: 0.221, typical: 0.04 },
  };
  const twins = ['tflite', 'onnx'].map((format) => ({ ...rows[1], format, calibration }));
  const other = {
    ...twins[0],
    name: 'int16x8',
    calibration: { ...calibration, observer: 'minmax' as const },
  };
  const html = renderHtmlReport({ title: 'm', rows: [rows[0], ...twins, other] });
  expect(html.match(/<p>int8 .*?<\/p>/g)).toEqual([
    '<p>int8 .tflite, int8 .onnx: ranges (mse) of 64 of 1797 samples from &lt;digits&gt;, drawn class by class by ' +
      'seed 3; 2 classes. Ranges of two halves of them differ by 4.0 % at a typical value and by 22.1 % at ' +
      'conv&lt;1&gt;. SHA-256 of what was fed: <code>ab12</code></p>',
  ]);
  expect(html).toContain('<p>int16x8 .tflite: ranges (minmax) of 64');
  expect(html).not.toContain('/home/me');
  expect(renderHtmlReport({ title: 'm', rows })).not.toContain('Calibration');
});
