import { expect, test } from 'vitest';
import { GraphBuilder } from '../ir/builder.ts';
import type { Graph } from '../ir/graph.ts';
import { floatTensor } from '../ir/tensor.ts';
import { inferTypes } from '../ops/registry.ts';
import { estimatePeakBytes } from './estimate-memory.ts';

/** A 3×3 convolution of a square picture with one channel, to `channels`. */
function net(side: number | string, channels: number): Graph {
  const builder = new GraphBuilder('net', inferTypes);
  const x = builder.input('x', { dtype: 'float32', shape: [1, 1, side, 32] });
  const w = builder.constant('w', floatTensor([channels, 1, 3, 3], new Float32Array(channels * 9)));
  const spatial = { layout: 'NCHW', dilations: [1, 1], pads: [1, 1, 1, 1], strides: [1, 1], group: 1 };
  builder.one('Conv', [x, w], { ...spatial, activation: 'none' }, { name: 'conv', outputs: ['y'] });
  return builder.finish(['y'], { format: 'onnx' });
}

test('the estimate holds the program, the weights several times over, tensors, windows and kept answers', () => {
  const base = estimatePeakBytes(net(32, 1), 0)!;
  expect(base).toBeGreaterThan(100e6);
  expect(base).toBeLessThan(200e6);
  // Another 9·4 bytes of weights seven times, and 32·32·4 bytes of output in two arenas.
  expect(estimatePeakBytes(net(32, 2), 0)! - base).toBe(7 * 36 + 2 * 4096);
  // Twice the rows: input and output in two arenas, 9 pointers for each of 1,024 more positions.
  expect(estimatePeakBytes(net(64, 1), 0)! - base).toBe(2 * 2 * 4096 + 8 * 9 * 1024);
  expect(estimatePeakBytes(net(32, 1), 10)! - base).toBe(10 * 4096);
  expect(estimatePeakBytes(net(32, 1), 1e6)! - base).toBe(64e6);
});

test('large weights are mapped, and an open shape tells nothing', () => {
  const large = estimatePeakBytes(net(1, 2_000_000), 0)!;
  expect(large).toBeLessThan(150e6 + 5 * 72e6 + 3 * 2_000_000 * 32 * 4);
  expect(estimatePeakBytes(net('height', 1), 1)).toBeUndefined();
});
