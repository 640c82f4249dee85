import { describe, expect, it } from 'vitest';
import { inferTypes } from '../ops/registry.ts';
import { GraphKit } from '../testing/graph-kit.ts';
import type { Graph, Node } from './graph.ts';
import { printGraph } from './print.ts';
import { verifyGraph } from './verify.ts';

function sample(): Graph {
  const kit = new GraphKit();
  const conv = kit.op(
    'Conv',
    [kit.input(1, 1, 2, 2), kit.constant([1, 1, 1, 1], [0.5]), null],
    { layout: 'NCHW', strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], group: 1, activation: 'none' },
    'conv',
  );
  return kit.finish(kit.op('Clip', [conv, null, kit.constant([], [6])], {}, 'clip'));
}

const broken: { name: string; graph(): Graph; problem: string }[] = [
  {
    name: 'a value read before it is made',
    graph: () => ({ ...sample(), nodes: [...sample().nodes].reverse() }),
    problem: 'clip reads conv before it is made',
  },
  {
    name: 'a value that is not there',
    graph: () => withNode({ inputs: ['gone', 'c', null] }),
    problem: 'conv reads gone, which is not in the graph',
  },
  {
    name: 'a value made twice',
    graph: () => {
      const graph = sample();
      return { ...graph, nodes: [...graph.nodes, { ...graph.nodes[1], id: 'again' }] };
    },
    problem: 'clip is made twice',
  },
  {
    name: 'two nodes of one name',
    graph: () => {
      const graph = sample();
      return { ...graph, nodes: [graph.nodes[0], { ...graph.nodes[1], id: 'conv' }] };
    },
    problem: 'two nodes are named conv',
  },
  {
    name: 'a type that does not follow',
    graph: () => withNode({ attrs: { ...sample().nodes[0].attrs, strides: [2, 2] } }),
    problem: 'conv is recorded as float32[1, 1, 2, 2], but conv makes float32[1, 1, 1, 1]',
  },
  {
    name: 'a node that its operator refuses',
    graph: () => withNode({ attrs: { ...sample().nodes[0].attrs, group: 3 } }),
    problem: 'conv (Conv): group 3 does not divide the 1 output channels',
  },
  {
    name: 'an output that nothing makes',
    graph: () => ({ ...sample(), outputs: ['nowhere'] }),
    problem: 'the output nowhere is not made by any node',
  },
];

function withNode(parts: Partial<Node>): Graph {
  const graph = sample();
  return { ...graph, nodes: [{ ...graph.nodes[0], ...parts }, graph.nodes[1]] };
}

describe('verifyGraph', () => {
  it('finds nothing wrong with a good graph', () => {
    expect(verifyGraph(sample(), inferTypes)).toEqual([]);
  });

  it.each(broken)('finds $name', ({ graph, problem }) => {
    expect(verifyGraph(graph(), inferTypes)).toContain(problem);
  });
});

describe('printGraph', () => {
  it('writes one node a line, with types, attributes and the first elements of constants', () => {
    expect(printGraph(sample())).toBe(
      [
        'graph test(%x0: float32[1, 1, 2, 2]) {',
        '  %conv: float32[1, 1, 2, 2] = Conv(%x0, %c=float32[1, 1, 1, 1]{0.5}, _) {layout=NCHW strides=[1, 1] dilations=[1, 1] pads=[0, 0, 0, 0] group=1 activation=none}',
        '  %clip: float32[1, 1, 2, 2] = Clip(%conv, _, %c_1=float32[]{6})',
        '  return %clip',
        '}',
        '',
      ].join('\n'),
    );
  });
});
