import { describe, expect, it } from 'vitest';
import type { GraphView, Override } from '../../core/contract/views.ts';
import { operatorsBecome, overrideOf, withOverride } from './overrides.ts';

describe('overrides', () => {
  const pattern: Override = { match: 'block_*', precision: 'float16' };
  it('are one for each operator, and patterns stay', () => {
    const first = withOverride([pattern], 'conv', 'float32');
    expect(first).toEqual([pattern, { match: 'conv', precision: 'float32' }]);
    expect(withOverride(first, 'conv', 'int8')).toEqual([pattern, { match: 'conv', precision: 'int8' }]);
    expect(withOverride(first, 'conv', undefined)).toEqual([pattern]);
  });

  it('of a range stay when the precision goes', () => {
    const both: Override[] = [{ match: 'conv', precision: 'float32', calibration: 'mse' }];
    expect(withOverride(both, 'conv', undefined)).toEqual([{ match: 'conv', calibration: 'mse' }]);
    expect(overrideOf(both, 'conv')?.precision).toBe('float32');
    expect(overrideOf(both, 'con')).toBeUndefined();
  });
});

describe('operatorsBecome', () => {
  const node = (id: string, outputs: string[]) => ({
    id,
    op: 'x',
    outputs,
    outputShape: [],
    parameters: 0,
    macs: 0,
  });
  const graph: GraphView = {
    nodes: [node('conv', ['conv:0']), node('bn', ['bn:0']), node('relu', ['relu:0']), node('split', ['s'])],
    edges: [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 0],
      [3, 1],
    ],
  };
  const relu = { name: 'relu:0', op: 'Conv' };
  it('is what an operator is fused into', () => {
    expect(operatorsBecome(graph, [relu]).slice(0, 3)).toEqual([relu, relu, relu]);
  });
  it('is nothing where the graph branches before', () => {
    expect(operatorsBecome(graph, [relu])[3]).toBeUndefined();
  });
});
