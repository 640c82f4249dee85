import { describe, expect, it } from 'vitest';
import { WhittleError } from '../contract/errors.ts';
import { GraphBuilder } from '../ir/builder.ts';
import type { Graph, Value } from '../ir/graph.ts';
import { floatTensor, int64Tensor } from '../ir/tensor.ts';
import { inferTypes } from '../ops/registry.ts';
import { type DecideOptions, decidePlan, ioTypeFor } from './decide.ts';
import { operandKey, type QuantPlan } from './plan.ts';
import { convAttrs, ranges, smallNet, smallRanges, vectorGraph, wave } from './test-graphs.ts';

const int8: DecideOptions = { precision: 'int8', io: 'float32', pureInteger: false };

/** One line per value and operator of a plan: what a golden file shows. */
function planText(plan: QuantPlan): string[] {
  const values = Object.entries(plan.values).map(([id, value]) => {
    const scales = value.scales.map((scale) => scale.toPrecision(4));
    const all = scales.length > 2 ? `${scales[0]} … ×${scales.length}` : scales.join(' ');
    const axis = value.axis === undefined ? '' : ` axis ${value.axis}`;
    return `${id}: ${value.dtype} scale ${all} zero ${value.zeroPoints[0]}${axis} (${value.reason})`;
  });
  const nodes = Object.entries(plan.nodes).map(([id, node]) => `${id}: ${node.mode} (${node.reason})`);
  return [...values, ...nodes];
}

function modes(plan: QuantPlan): Record<string, string> {
  return Object.fromEntries(Object.entries(plan.nodes).map(([id, { mode }]) => [id, mode]));
}

/** So many that the last step's weights are worth integers. */
const manyClasses = 64;

describe('a full integer plan', () => {
  it('follows the specification', () => {
    expect(planText(decidePlan(smallNet('NHWC', manyClasses), smallRanges, int8))).toMatchInlineSnapshot(`
      [
        "x: int8 scale 0.007843 zero -1 (range -1 to 1)",
        "conv: int8 scale 0.007843 zero -128 (range 0 to 2, shared with conv)",
        "pool: int8 scale 0.007843 zero -128 (range 0 to 2, shared with conv)",
        "flat: int8 scale 0.007843 zero -128 (range 0 to 2, shared with conv)",
        "conv/kernel: int8 scale 0.007076 … ×4 zero 0 axis 0 (largest magnitude per channel)",
        "dense/kernel: int8 scale 0.007087 zero 0 (largest magnitude)",
        "conv: integer (integer kernel)",
        "pool: integer (moves integers)",
        "flat: integer (moves integers)",
        "dense: hybrid (the last step gives reals, finer than 8 bits, as the output is float32)",
        "softmax: float (the last step gives reals, finer than 8 bits, as the output is float32)",
      ]
    `);
  });

  it('takes integer weights but makes reals in the last weighted step', () => {
    const plan = decidePlan(smallNet('NHWC', manyClasses), smallRanges, int8);
    expect(modes(plan)).toEqual({
      conv: 'integer',
      pool: 'integer',
      flat: 'integer',
      dense: 'hybrid',
      softmax: 'float',
    });
    // One scale for the matrix: a kernel with a scale per row came with runtime 2.17.
    expect(plan.values['dense/kernel'].scales).toHaveLength(1);
    expect(plan.values.dense).toBeUndefined();
    const few = decidePlan(smallNet('NHWC', 4), smallRanges, int8);
    expect(few.nodes.dense).toMatchObject({ mode: 'float', storage: 'float16' });
    const integers = decidePlan(smallNet(), smallRanges, { ...int8, pureInteger: true });
    expect(new Set(Object.values(modes(integers)))).toEqual(new Set(['integer']));
  });

  it('keeps integers in a network of a single weighted step', () => {
    const plan = decidePlan(dense(wave(8), [0.5]), ranges({ x: [-1, 1], y: [-4, 4] }), int8);
    expect(modes(plan)).toEqual({ y: 'integer' });
  });

  it('keeps a final softmax in integers when asked to', () => {
    const plan = decidePlan(smallNet(), smallRanges, { ...int8, pureInteger: true });
    expect(plan.nodes.softmax.mode).toBe('integer');
    // Fixed by the specification: scale 1/256, zero point −128.
    expect(plan.values.y).toMatchObject({ scales: [1 / 256], zeroPoints: [-128] });
    expect(decidePlan(smallNet(), smallRanges, { ...int8, io: 'int8' }).nodes.softmax.mode).toBe('integer');
  });

  it('has symmetric 16-bit activations with 8-bit weights for int16x8', () => {
    const plan = decidePlan(smallNet(), smallRanges, { ...int8, precision: 'int16x8' });
    expect(plan.values.x).toMatchObject({
      dtype: 'int16',
      scales: [Math.fround(1 / 32767)],
      zeroPoints: [0],
    });
    expect(plan.values['conv/kernel'].dtype).toBe('int8');
  });

  it('uses all that was seen for 16 bits though 8 bits cut some off', () => {
    const cut = new Map(smallRanges);
    cut.set('dense', { min: -2, max: 2, seen: { min: -3, max: 5 } });
    expect(decidePlan(smallNet(), cut, { ...int8, pureInteger: true }).values.dense.scales[0]).toBe(
      Math.fround(4 / 255),
    );
    const wide = decidePlan(smallNet(), cut, { ...int8, precision: 'int16x8' });
    expect(wide.values.dense.scales[0]).toBe(Math.fround(5 / 32767));
  });

  it('gives all operands of a concatenation one range', () => {
    const graph = vectorGraph((b, x) => {
      const scaled = b.one(
        'Mul',
        [x, b.constant('c', floatTensor([1], [4]))],
        { activation: 'none' },
        { name: 'scaled' },
      );
      return [b.one('Concat', [x, scaled], { axis: 1 }, { name: 'joined' })];
    });
    const plan = decidePlan(graph, ranges({ x: [-1, 1], scaled: [-4, 4], joined: [-4, 4] }), int8);
    expect(plan.values.joined.scales).toEqual([Math.fround(8 / 255)]);
    expect(plan.values.x).toEqual(plan.values.joined);
    expect(plan.values.scaled).toEqual(plan.values.joined);
    // The factor is an operand with a range of its own: 0 to 4.
    expect(plan.values.c).toMatchObject({ scales: [Math.fround(4 / 255)], zeroPoints: [-128] });
  });

  it('requantizes an operand whose scale the specification fixes', () => {
    const graph = vectorGraph((b, x) => {
      const gate = b.one('Sigmoid', [x], {}, { name: 'gate' });
      const joined = b.one('Concat', [x, gate], { axis: 1 }, { name: 'joined' });
      return [b.one('Relu', [joined], {}, { name: 'y' })];
    });
    const plan = decidePlan(graph, ranges({ x: [-8, 8], joined: [-8, 8], y: [0, 8] }), int8);
    expect(plan.values.gate).toMatchObject({ scales: [1 / 256], zeroPoints: [-128] });
    expect(plan.requantized[operandKey('joined', 1)]).toEqual(plan.values.joined);
    expect(plan.requantized[operandKey('joined', 0)]).toBeUndefined();
  });

  it('keeps requantization within what XNNPACK opens, whatever a channel weighs', () => {
    const graph = vectorGraph((b, x) => {
      const width = x.type.shape[1] as number;
      const weights = Array.from({ length: 2 * width }, (_, i) => (i < width ? 1 : 1e4));
      const matrix = b.constant('w', floatTensor([2, width], weights));
      const dense = b.one('FullyConnected', [x, matrix, null], { activation: 'none' }, { name: 'dense' });
      return [b.one('Relu', [dense], {}, { name: 'y' })];
    });
    const plan = decidePlan(graph, ranges({ x: [-8, 8], dense: [-1, 1], y: [0, 1] }), {
      ...int8,
      pureInteger: true,
    });
    const step = plan.values.x.scales[0] / plan.values.dense.scales[0];
    const [usual, heavy] = plan.values.w.scales;
    expect(usual).toBeCloseTo(1 / 127, 6);
    expect(heavy * step).toBeLessThan(256);
    expect(heavy * step).toBeGreaterThan(250);
  });

  it('keeps the fixed scale where all operands have it', () => {
    const graph = vectorGraph((b, x) => {
      const gates = [b.one('Sigmoid', [x], {}, { name: 'g1' }), b.one('Sigmoid', [x], {}, { name: 'g2' })];
      const joined = b.one('Concat', gates, { axis: 1 }, { name: 'joined' });
      return [b.one('Mul', [joined, joined], { activation: 'none' }, { name: 'y' })];
    });
    const plan = decidePlan(graph, ranges({ x: [-8, 8], joined: [0, 1], y: [0, 1] }), int8);
    expect(plan.requantized).toEqual({});
    expect(plan.values.joined.scales).toEqual([1 / 256]);
  });

  it('leaves moves between float operators in float, and warns of islands by name', () => {
    const graph = vectorGraph((b, x) => {
      const soft = b.one('Softplus', [x], {}, { name: 'soft' });
      const shape = b.constant('shape', int64Tensor([2], [2, 4]));
      const moved = b.one('Reshape', [soft, shape], { allowZero: false }, { name: 'moved' });
      const erf = b.one('Erf', [moved], {}, { name: 'erf' });
      const added = b.one('Add', [erf, erf], { activation: 'none' }, { name: 'added' });
      return [
        b.one(
          'Reshape',
          [added, b.constant('back', int64Tensor([2], [1, 8]))],
          { allowZero: false },
          { name: 'y' },
        ),
      ];
    });
    const plan = decidePlan(graph, ranges({ x: [-1, 1], erf: [-1, 1], added: [-2, 2], y: [-2, 2] }), int8);
    expect(modes(plan)).toEqual({
      soft: 'float',
      moved: 'float',
      erf: 'float',
      added: 'integer',
      y: 'integer',
    });
    expect(plan.warnings.map(({ node }) => node)).toEqual(['soft', 'erf']);
  });

  it.each([
    [1, { w1: 'hybrid', sum: 'float', last: 'integer' }],
    [2, { w1: 'hybrid', w2: 'hybrid', sum: 'float', last: 'integer' }],
    [3, { w1: 'integer', w2: 'integer', w3: 'integer', sum: 'float', last: 'integer' }],
  ])('makes reals on short ways to an operator in float, of %i weighted steps', (steps, expected) => {
    const graph = vectorGraph((b, x) => {
      const dense = (from: Value, name: string) =>
        b.one(
          'FullyConnected',
          [from, b.constant(`${name}/w`, floatTensor([8, 8], wave(64))), null],
          { activation: 'none' },
          { name },
        );
      let at = x;
      for (let i = 1; i <= steps; i++) at = dense(at, `w${i}`);
      const soft = b.one('Softplus', [at], {}, { name: 'soft' });
      const sum = b.one('Add', [soft, x], { activation: 'none' }, { name: 'sum' });
      const once = b.one('Softplus', [sum], {}, { name: 'once' });
      return [b.one('Relu', [dense(once, 'last')], {}, { name: 'y' })];
    });
    const names = ['x', 'w1', 'w2', 'w3', 'soft', 'sum', 'once', 'last', 'y'];
    const seen = ranges(Object.fromEntries(names.map((name) => [name, [-9, 9]])));
    expect(modes(decidePlan(graph, seen, int8))).toMatchObject(expected);
    expect(modes(decidePlan(graph, seen, { ...int8, pureInteger: true }))).toMatchObject({ w1: 'integer' });
  });

  it('stays in float where calibration gave no range', () => {
    const without = new Map(smallRanges);
    without.delete('dense');
    const plan = decidePlan(smallNet(), without, int8);
    expect(plan.nodes.dense).toEqual({ mode: 'float', reason: 'calibration gave no range for dense' });
    expect(plan.warnings).toContainEqual({
      code: 'quantize.float-island',
      message: 'FullyConnected stays in float32: calibration gave no range for dense',
      node: 'dense',
    });
  });

  it('widens weight scales until the bias fits int32', () => {
    const graph = dense([1e-9, -1e-9, 5e-10, 1e-9, 0, 0, 0, 0], [2e6]);
    const plan = decidePlan(graph, ranges({ x: [-1, 1], y: [-2e6, 2e6] }), int8);
    const scale = plan.values.w.scales[0];
    expect(2e6 / (plan.values.x.scales[0] * scale)).toBeLessThanOrEqual(2 ** 30);
    expect(scale).toBeGreaterThan(1e-9 / 127);
  });

  it.each([
    ['alone', [], { squares: 'float', sum: 'float' }],
    ['and an output too', ['squares'], { squares: 'integer', sum: 'float' }],
  ])('keeps in float what feeds a logarithm %s', (_case, given, expected) => {
    const graph = vectorGraph((b, x) => {
      const positive = b.one('Relu', [x], {}, { name: 'positive' });
      const squares = b.one('Mul', [positive, positive], { activation: 'none' }, { name: 'squares' });
      const offset = b.constant('offset', floatTensor([], [1e-6]));
      const sum = b.one('Add', [squares, offset], { activation: 'none' }, { name: 'sum' });
      const scaled = b.one(
        'Mul',
        [x, b.one('Log', [sum], {}, { name: 'log' })],
        { activation: 'none' },
        { name: 'y' },
      );
      return [scaled, ...given.map(() => squares)];
    });
    const seen = ranges({
      x: [-1, 1],
      positive: [0, 1],
      squares: [0, 1],
      sum: [0, 1],
      log: [-14, 0],
      y: [-14, 14],
    });
    const plan = modes(decidePlan(graph, seen, int8));
    expect(plan).toMatchObject({ ...expected, log: 'float', y: 'integer' });
    expect(modes(decidePlan(graph, seen, { ...int8, pureInteger: true }))).toMatchObject({
      squares: 'integer',
      sum: 'integer',
    });
  });

  it('takes integer weights but computes reals right before a logarithm', () => {
    const rows = 128;
    const graph = vectorGraph((b, x) => {
      const matrix = b.constant('w', floatTensor([rows, 8], wave(8 * rows)));
      const bands = b.one('FullyConnected', [x, matrix, null], { activation: 'relu' }, { name: 'bands' });
      return [b.one('Relu', [b.one('Log', [bands], {}, { name: 'log' })], {}, { name: 'y' })];
    });
    const plan = decidePlan(graph, ranges({ x: [-1, 1], bands: [0, 4], log: [-14, 2], y: [0, 2] }), int8);
    expect(modes(plan)).toMatchObject({ bands: 'weights-only', log: 'float' });
    expect(plan.values.w).toMatchObject({ dtype: 'int8', axis: 0 });
    expect(plan.values.bands).toBeUndefined();
  });

  it('gives a channel of zeros the step of the others, so that its bias stays fine', () => {
    const graph = dense([...wave(8), ...new Array<number>(8).fill(0)], [0.25, 0.125]);
    const plan = decidePlan(graph, ranges({ x: [-1, 1], y: [-4, 4] }), int8);
    expect(plan.values.w.scales[1]).toBeLessThan(0.01);
  });

  it('stores weights that no integer kernel computes with', () => {
    const builder = new GraphBuilder('volume', inferTypes);
    const x = builder.input('x', { dtype: 'float32', shape: [1, 4, 4, 4, 8] });
    const w = builder.constant('w', floatTensor([8, 8, 3, 3, 3], wave(1728)));
    const each = [1, 1, 1];
    const attrs = { ...convAttrs('NHWC'), strides: each, dilations: each, pads: [...each, ...each] };
    builder.one('Conv', [x, w, null], attrs, { outputs: ['y'], name: 'volume' });
    const graph = builder.finish(['y'], { format: 'keras' });
    const plan = decidePlan(graph, ranges({ x: [-1, 1], y: [-4, 4] }), int8);
    expect(modes(plan)).toEqual({ volume: 'weights-only' });
    expect(plan.values.w).toMatchObject({ dtype: 'int8', axis: 0 });
  });

  it('is refused without ranges', () => {
    expect(() => decidePlan(smallNet(), new Map(), int8)).toThrow(
      expect.objectContaining({ code: 'data.missing' }),
    );
  });
});

function dense(weights: readonly number[], bias: readonly number[]): Graph {
  return vectorGraph((b, x) => {
    const w = b.constant('w', floatTensor([bias.length, 8], weights));
    const offset = b.constant('b', floatTensor([bias.length], bias));
    return [b.one('FullyConnected', [x, w, offset], { activation: 'none' }, { name: 'y' })];
  });
}

describe('a plan for weights alone', () => {
  const big = vectorGraph((b, x) => {
    const w = b.constant('w', floatTensor([200, 8], wave(1600)));
    const first = b.one('FullyConnected', [x, w, null], { activation: 'relu' }, { name: 'first' });
    const v = b.constant('v', floatTensor([2, 200], wave(400)));
    return [b.one('FullyConnected', [first, v, null], { activation: 'none' }, { name: 'y' })];
  });

  it.each([
    ['dynamic-int8', 'hybrid', 'int8', 127],
    ['weights-int8', 'weights-only', 'int8', 127],
    ['weights-int4', 'weights-only', 'int4', 7],
  ] as const)('%s', (precision, mode, dtype, limit) => {
    const plan = decidePlan(big, new Map(), { precision, io: 'float32', pureInteger: false });
    expect(modes(plan)).toEqual({ first: mode, y: 'float' });
    expect(plan.nodes.y.storage).toBe('float16');
    expect(Object.keys(plan.values)).toEqual(['w']);
    expect(plan.values.w).toMatchObject({ dtype, axis: 0 });
    expect(plan.values.w.scales).toHaveLength(200);
    for (const scale of plan.values.w.scales) expect(scale).toBeLessThanOrEqual(Math.fround(0.9 / limit));
  });
});

describe('input and output types', () => {
  it.each([
    ['int8', 'uint8', 'uint8'],
    ['int16x8', 'int16', 'int16'],
    ['float16', 'int8', 'float32'],
    ['weights-int8', 'uint8', 'float32'],
  ] as const)('%s with %s gives %s', (precision, io, expected) => {
    expect(ioTypeFor(precision, io)).toBe(expected);
  });

  it('refuses what has no kernel', () => {
    expect(() => ioTypeFor('int8', 'int16')).toThrow(WhittleError);
    expect(() => ioTypeFor('int16x8', 'uint8')).toThrow('int16x8 has no uint8 inputs and outputs');
  });
});
