import { describe, expect, it } from 'vitest';
import type { Graph, Value } from '../ir/graph.ts';
import { contiguous, permute, type Tensor, tensorOf } from '../ir/tensor.ts';
import { setAside } from './set-aside.ts';

/** Weights on one file's bytes, as a reader gives them. */
const file = Float32Array.from({ length: 300_000 }, (_, i) => Math.sin(i));
const view = (from: number, shape: number[]): Tensor =>
  tensorOf('float32', shape, file.subarray(from, from + shape.reduce((a, b) => a * b, 1)));

function graphOf(constants: Record<string, Tensor>): Graph {
  const values = Object.entries(constants).map(([id, constant]): [string, Value] => [
    id,
    { id, type: { dtype: constant.dtype, shape: constant.shape }, constant },
  ]);
  return {
    name: 'g',
    inputs: [],
    outputs: [],
    nodes: [],
    values: new Map(values),
    source: { format: 'keras' },
  };
}

const kernel = view(0, [300, 400]);
const turned = permute(view(120_000, [200, 300]), [1, 0]);
const bias = view(200_000, [100]);
const graphs = [graphOf({ kernel, turned, bias }), graphOf({ kernel, other: permute(kernel, [1, 0]) })];
const constantOf = (graph: Graph, id: string) => graph.values.get(id)!.constant!;

describe('setAside', () => {
  it('gives the same numbers from a file, whatever is read in between', async () => {
    const aside = await setAside(graphs, 1);
    try {
      for (let round = 0; round < 2; round++) {
        for (const [n, graph] of graphs.entries()) {
          for (const [id, { constant }] of graph.values) {
            const moved = constantOf(aside.graphs[n], id);
            expect(moved.shape).toEqual(constant!.shape);
            expect(moved.strides).toEqual(constant!.strides);
            expect(Buffer.compare(contiguous(moved).bytes, contiguous(constant!).bytes)).toBe(0);
            expect(Buffer.compare({ ...moved }.bytes, constant!.bytes)).toBe(0);
          }
        }
      }
    } finally {
      await aside.close();
    }
  });

  it('holds nothing of what the constants were on, and keeps one constant of two graphs one', async () => {
    const aside = await setAside(graphs, 1);
    for (const graph of aside.graphs) {
      for (const { constant } of graph.values.values()) expect(constant!.bytes.buffer).not.toBe(file.buffer);
    }
    expect(constantOf(aside.graphs[0], 'kernel')).toBe(constantOf(aside.graphs[1], 'kernel'));
    await aside.close();
    expect(() => constantOf(aside.graphs[0], 'kernel').bytes).toThrow();
  });

  it('leaves few weights where they are', async () => {
    expect((await setAside(graphs)).graphs).toBe(graphs);
  });
});
