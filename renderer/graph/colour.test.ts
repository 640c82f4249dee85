import { describe, expect, it } from 'vitest';
import type { GraphView, TargetView } from '../../core/contract/views.ts';
import { byError, byTarget, byTime } from './colour.ts';

const node = (id: string, output: string) => ({
  id,
  op: 'Conv',
  outputs: [output],
  outputShape: [1],
  parameters: 0,
  macs: 0,
});
/** A convolution with its activation, and a softmax; results have other names than operators. */
const graph: GraphView = {
  nodes: [node('conv', 'conv:0'), node('relu', 'relu:0'), node('head', 'probs')],
  edges: [
    [0, 1],
    [1, 2],
  ],
};

describe('colours by what was measured', () => {
  it('find operators by the names of their results', () => {
    const error = byError(graph, {
      artifactId: 'a',
      operators: [
        { name: 'relu:0', op: 'Conv', sqnrDb: 10 },
        { name: 'probs', op: 'Softmax', sqnrDb: null },
      ],
      changed: [],
    });
    expect([0, 1, 2].map((at) => error.strength([at]))).toEqual([undefined, 1, 0]);
    const perOp = [{ name: 'probs', op: 'Softmax', ms: 2, calls: 1, share: 1 }];
    const time = byTime(graph, { perOp } as Parameters<typeof byTime>[1]);
    expect(time.text([2])).toMatch(/^2.00/);
  });

  it('count what is fused into an operator that a target takes as taken', () => {
    const parts = [
      { taken: true, nodes: ['relu:0'] },
      { taken: false, nodes: ['probs'] },
    ];
    const target = byTarget(graph, { name: 'GPU', parts } as TargetView);
    expect([0, 1, 2].map((at) => target.text([at]))).toEqual(['taken', 'taken', 'not taken']);
    expect(target.text([0, 1, 2])).toBe('1 of 3 not taken');
    expect(target.strength([0, 1, 2])).toBeCloseTo(1 / 3);
  });
});
