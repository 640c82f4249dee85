import { describe, expect, it } from 'vitest';
import type { GraphView } from '../../core/contract/views.ts';
import { collapse, findNode, groupPaths, namespaceOf, openingGroups } from './namespace.ts';

function chain(...names: string[]): GraphView {
  return {
    nodes: names.map((id) => ({ id, op: 'Conv', outputShape: [1], parameters: 0, macs: 0 })),
    edges: names.slice(1).map((_, i): [number, number] => [i, i + 1]),
  };
}

describe('namespaceOf', () => {
  it.each([
    ['a/b/conv', ['a', 'b']],
    ['/features/0/conv', ['features', '0']],
    ['features.0.conv', ['features', '0']],
    ['block_3_expand', ['block_3']],
    ['net/block_3_expand', ['net', 'block_3']],
    ['conv2d_5', []],
    ['predictions', []],
  ])('%s', (name, expected) => expect(namespaceOf(name)).toEqual(expected));
});

describe('collapse', () => {
  const graph = chain('net/in', 'net/a/1', 'net/a/2', 'net/a/3', 'net/b/1', 'net/out');
  const paths = groupPaths(graph);

  it('leaves out the shared part and groups that are too small', () => {
    expect(paths).toEqual([[], ['net/a'], ['net/a'], ['net/a'], [], []]);
  });

  it('shows a closed group as one box and keeps the edges at its border', () => {
    const { boxes, edges } = collapse(graph, paths, new Set());
    expect(boxes.map(({ id, nodes }) => [id, nodes.length])).toEqual([
      ['net/in', 1],
      ['net/a', 3],
      ['net/b/1', 1],
      ['net/out', 1],
    ]);
    expect(edges).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });

  it('opens at first what the screen can hold', () => {
    expect(openingGroups(graph, paths, 5)).toEqual(new Set());
    expect(openingGroups(graph, paths, 6)).toEqual(new Set(['net/a']));
  });

  it('shows the nodes of an open group', () => {
    expect(collapse(graph, paths, new Set(['net/a'])).boxes).toHaveLength(6);
  });
});

describe('findNode', () => {
  const graph = chain('net/conv', 'net/dense', 'out');
  graph.nodes[1].outputs = ['logits'];
  it.each([
    ['net/conv', 0],
    ['logits', 1],
    ['out/dequantized', 2],
    ['net/conv/kernel/scaled/dequantized', 0],
    ['input/quantized', undefined],
  ])('%s', (name, at) => expect(findNode(graph, name)).toBe(at));
});
