import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../ir/builder.ts';
import { type Graph, type Value, valueNamed } from '../ir/graph.ts';
import { floatTensor, toFloat32, typedData } from '../ir/tensor.ts';
import { toHalf, toHalfBalanced } from '../kernels/half.ts';
import { inferTypes } from '../ops/registry.ts';
import { type DecideOptions, decidePlan } from './decide.ts';
import { storeInFloat16 } from './float16.ts';
import { recurrentOperators } from './recurrences.ts';
import { ranges, wave } from './test-graphs.ts';

const width = 32;

/** Dense layers of 32 × 32 weights and additions: `wire` joins them to one network. */
function network(wire: (parts: Parts) => Value): Graph {
  const builder = new GraphBuilder('steps', inferTypes);
  const input = builder.input('x', { dtype: 'float32', shape: [1, width] });
  const kernel = (name: string) => builder.constant(name, floatTensor([width, width], wave(width * width)));
  const kernels = new Map<string, Value>();
  const output = wire({
    input,
    dense: (x, weights, name) => {
      const matrix = kernels.get(weights) ?? kernel(weights);
      kernels.set(weights, matrix);
      return builder.one('FullyConnected', [x, matrix, null], { activation: 'none' }, { name });
    },
    sum: (a, b, name) => builder.one('Add', [a, b], { activation: 'none' }, { name }),
    curve: (x, name) => builder.one('Tanh', [x], {}, { name }),
  });
  return builder.finish([output.id], { format: 'keras' });
}

interface Parts {
  readonly input: Value;
  dense(x: Value, weights: string, name: string): Value;
  sum(a: Value, b: Value, name: string): Value;
  curve(x: Value, name: string): Value;
}

/** A layer, three steps of a recurrence that the input enters anew, a layer behind. */
const recurrent = network(({ input, dense, sum, curve }) => {
  const before = curve(dense(input, 'first', 'before'), 'curved');
  const projected = dense(before, 'projection', 'projected');
  let state = curve(projected, 't0');
  for (const t of [1, 2]) {
    state = curve(sum(dense(state, 'shared', `t${t}/state`), projected, `t${t}/sum`), `t${t}`);
  }
  const behind = sum(dense(state, 'last', 'behind'), input, 'rest');
  return dense(behind, 'head', 'y');
});

const steps = ['projected', 't0', 't1/state', 't1/sum', 't1', 't2/state', 't2/sum', 't2'];

const seen = ranges(Object.fromEntries([...recurrent.values.keys()].map((id) => [id, [-2, 2]])));
const int8: DecideOptions = { precision: 'int8', io: 'float32', pureInteger: false };

describe('recurrences', () => {
  it('are the steps that weights are shared by, from the projection of the input to the next weights', () => {
    expect([...recurrentOperators(recurrent)].sort()).toEqual([...steps].sort());
  });

  it('are not two branches with the same weights', () => {
    const twins = network(({ input, dense, sum, curve }) =>
      sum(dense(input, 'shared', 'a'), dense(curve(input, 'curved'), 'shared', 'b'), 'y'),
    );
    expect(recurrentOperators(twins).size).toBe(0);
  });

  it('compute reals with 8-bit weights in int8, a scale per row, and are warned of once', () => {
    const plan = decidePlan(recurrent, seen, int8);
    for (const id of steps) {
      const hasWeights = id === 'projected' || id.endsWith('/state');
      expect([id, plan.nodes[id].mode]).toEqual([id, hasWeights ? 'weights-only' : 'float']);
    }
    for (const id of ['before', 'curved', 'behind', 'rest']) expect(plan.nodes[id].mode).toBe('integer');
    expect(plan.values.shared.scales).toHaveLength(width);
    expect(plan.warnings.map(({ code }) => code)).toEqual(['quantize.recurrence']);
  });

  it('round to the nearest halves; elsewhere errors cancel', () => {
    const { graph } = storeInFloat16(recurrent);
    const bitsOf = (id: string) => typedData(valueNamed(graph, `${id}/float16`).constant!);
    const reals = (id: string) => toFloat32(valueNamed(recurrent, id).constant!);
    for (const id of ['projection', 'shared']) expect(bitsOf(id)).toEqual(toHalf(reals(id)).bits);
    for (const id of ['first', 'last', 'head']) {
      expect(bitsOf(id)).toEqual(toHalfBalanced(reals(id), width).bits);
      expect(bitsOf(id)).not.toEqual(toHalf(reals(id)).bits);
    }
  });

  it.each([
    ['pure integers', { ...int8, pureInteger: true }],
    ['16 bits', { ...int8, precision: 'int16x8' }],
  ] as const)('are integers with %s', (_, options) => {
    const { nodes } = decidePlan(recurrent, seen, options);
    for (const id of steps) expect(nodes[id].mode).toBe('integer');
  });
});
