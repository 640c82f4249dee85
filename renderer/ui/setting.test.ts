import { expect, it } from 'vitest';
import { describeSetting } from './setting.ts';

it.each([
  ['LiteRT 2.3.0 native, XNNPACK, 2 threads', 'cpu', 2, 'LiteRT 2.3.0 native, XNNPACK, 2 threads'],
  ['onnxruntime 1.30.0, CPU, 2 threads', 'cpu', 2, 'onnxruntime 1.30.0, CPU, 2 threads'],
  ['litert', 'gpu', 1, 'litert, gpu, 1 thread'],
])('%s on %s', (engine, device, threads, text) =>
  expect(describeSetting({ engine, device, threads }).replace(/\u00a0/g, ' ')).toBe(text),
);
