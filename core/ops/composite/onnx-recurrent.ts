/**
 * ONNX RNN, GRU and LSTM (7, 14), written out step by step: the products with the inputs of all steps at once, then
 * one product with the state and the gates per step. Equations and gate orders are those of the operators' pages.
 */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { floatTensor, int64Tensor, type Tensor, toFloat32 } from '../../ir/tensor.ts';
import type { OnnxNodeView, OnnxReader } from '../facets.ts';
import { input, only } from '../onnx-helpers.ts';
import { indices, pickByAxis, reshaped } from '../pick-elements.ts';

type Kind = 'RNN' | 'GRU' | 'LSTM';

const gateCount: Readonly<Record<Kind, number>> = { RNN: 1, GRU: 3, LSTM: 4 };
const defaultActivations: Readonly<Record<Kind, readonly string[]>> = {
  RNN: ['Tanh'],
  GRU: ['Sigmoid', 'Tanh'],
  LSTM: ['Sigmoid', 'Tanh', 'Tanh'],
};
const knownActivations = ['Sigmoid', 'Tanh', 'Relu', 'HardSigmoid', 'Softsign', 'Softplus'];

/** Beyond this many steps a written-out network is too large to be of use. */
const mostSteps = 1024;

/** Adds nodes under names of the recurrent node. */
class Writer {
  readonly builder: GraphBuilder;
  private readonly prefix: string;

  constructor(builder: GraphBuilder, prefix: string) {
    this.builder = builder;
    this.prefix = prefix;
  }

  one(op: string, inputs: readonly (Value | null)[], attrs: Record<string, unknown>, what: string): Value {
    return this.builder.one(op, inputs, attrs as Parameters<GraphBuilder['one']>[2], {
      name: `${this.prefix}/${what}`,
    });
  }

  two(op: 'Add' | 'Sub' | 'Mul', a: Value, b: Value, what: string): Value {
    return this.one(op, [a, b], { activation: 'none' }, what);
  }

  dense(x: Value, weights: Value, bias: Value | null, what: string): Value {
    return this.one('FullyConnected', [x, weights, bias], { activation: 'none' }, what);
  }

  split(x: Value, axis: number, parts: number, what: string): Value[] {
    const size = Number(x.type.shape[axis]) / parts;
    const sizes = this.ints(new Array<number>(parts).fill(size), `${what}/sizes`);
    return this.builder.add('Split', [x, sizes], { axis }, { name: `${this.prefix}/${what}` });
  }

  reshape(x: Value, shape: readonly number[], what: string): Value {
    return this.one('Reshape', [x, this.ints(shape, `${what}/shape`)], { allowZero: false }, what);
  }

  ints(values: readonly number[], what: string): Value {
    return this.constant(int64Tensor([values.length], values), what);
  }

  constant(tensor: Tensor, what: string): Value {
    return this.builder.constant(`${this.prefix}/${what}`, tensor);
  }
}

interface Direction {
  readonly w: Tensor;
  readonly r: Tensor;
  /** Biases of input and state products, `[gates × H]` each. */
  readonly wb: Float32Array;
  readonly rb: Float32Array;
  readonly peephole: readonly Tensor[] | undefined;
  readonly activations: readonly string[];
  readonly h: Value | null;
  readonly c: Value | null;
  readonly reverse: boolean;
}

interface Setup {
  readonly kind: Kind;
  readonly steps: number;
  readonly batch: number;
  readonly hidden: number;
  readonly linearBeforeReset: boolean;
}

/** Entry `direction` of a tensor whose first axis is the direction. */
function directionOf(tensor: Tensor, direction: number): Tensor {
  const maps = tensor.shape.map(indices);
  maps[0] = [direction];
  return reshaped(pickByAxis(tensor, maps), tensor.shape.slice(1));
}

function constantOf(node: OnnxNodeView, index: number, what: string): Tensor {
  return input(node, index).constant ?? node.refuse(`its ${what} are not constant`);
}

function readActivations(node: OnnxNodeView, kind: Kind, directions: number): string[][] {
  const defaults = defaultActivations[kind];
  const given = node.strings('activations') ?? Array.from({ length: directions }, () => defaults).flat();
  const unknown = given.find((name) => !knownActivations.includes(name));
  if (unknown !== undefined) node.refuse(`the activation ${unknown} is not supported`);
  if (node.floats('activation_alpha')?.length || node.floats('activation_beta')?.length) {
    node.refuse('activations with parameters of their own are not supported');
  }
  if (given.length !== defaults.length * directions) node.refuse(`it names ${given.length} activations`);
  return indices(directions).map((d) => given.slice(d * defaults.length, (d + 1) * defaults.length));
}

function readDirections(node: OnnxNodeView, setup: Setup, out: Writer): Direction[] {
  const { kind, hidden, batch } = setup;
  const gates = gateCount[kind] * hidden;
  const direction = node.string('direction', 'forward');
  if (!['forward', 'reverse', 'bidirectional'].includes(direction))
    node.refuse(`direction = ${direction} is not known`);
  const count = direction === 'bidirectional' ? 2 : 1;
  const [w, r] = [constantOf(node, 1, 'weights'), constantOf(node, 2, 'recurrent weights')];
  const b = node.inputs[3] ? toFloat32(constantOf(node, 3, 'biases')) : new Float32Array(2 * gates * count);
  const p = node.inputs[7] ? constantOf(node, 7, 'peepholes') : undefined;
  if (w.shape[0] !== count || w.shape[1] !== gates || w.dtype !== 'float32') {
    node.refuse(
      `its weights are ${w.dtype} [${w.shape.join(', ')}], where float32 [${count}, ${gates}, …] is needed`,
    );
  }
  const activations = readActivations(node, kind, count);
  const layout = node.int('layout', 0);
  const state = (index: number, d: number, what: string): Value | null => {
    const value = node.inputs[index];
    if (!value) return null;
    const parts = count === 1 ? [value] : out.split(value, layout === 1 ? 1 : 0, count, `${what}/parts`);
    return out.reshape(parts[d], [batch, hidden], `${what}${d}`);
  };
  return indices(count).map((d) => ({
    w: directionOf(w, d),
    r: directionOf(r, d),
    wb: b.slice(2 * gates * d, 2 * gates * d + gates),
    rb: b.slice(2 * gates * d + gates, 2 * gates * (d + 1)),
    peephole:
      p && indices(3).map((i) => pickByAxis(directionOf(p, d), [indices(hidden).map((k) => i * hidden + k)])),
    activations: activations[d],
    h: state(5, d, 'initial_h'),
    c: kind === 'LSTM' ? state(6, d, 'initial_c') : null,
    reverse: direction === 'reverse' || d === 1,
  }));
}

function activate(out: Writer, name: string, x: Value, what: string): Value {
  return out.one(name, [x], name === 'HardSigmoid' ? { alpha: 0.2, beta: 0.5 } : {}, what);
}

/** Product of the state with the recurrent weights, added to what the input gives; nothing to add for a zero state. */
function joined(out: Writer, x: Value, h: Value | null, r: Value, bias: Value | null, what: string): Value {
  return h ? out.two('Add', x, out.dense(h, r, bias, `${what}/state`), `${what}/sum`) : x;
}

interface State {
  readonly h: Value | null;
  readonly c: Value | null;
}

type Step = (x: Value, state: State, what: string) => State;

function rnnStep(out: Writer, direction: Direction, prefix: string): Step {
  const r = out.constant(direction.r, `${prefix}/r`);
  return (x, { h }, what) => ({
    h: activate(out, direction.activations[0], joined(out, x, h, r, null, what), `${what}/h`),
    c: null,
  });
}

/** Gates i, o, f, c. */
function lstmStep(out: Writer, direction: Direction, prefix: string): Step {
  const r = out.constant(direction.r, `${prefix}/r`);
  const [f, g, h] = direction.activations;
  const peephole = direction.peephole?.map((tensor, i) => out.constant(tensor, `${prefix}/peephole${i}`));
  const seen = (gate: Value, c: Value | null, index: number, what: string) =>
    peephole && c
      ? out.two('Add', gate, out.two('Mul', c, peephole[index], `${what}/peephole`), `${what}/seen`)
      : gate;
  return (x, state, what) => {
    const [i, o, forget, candidate] = out.split(
      joined(out, x, state.h, r, null, what),
      1,
      4,
      `${what}/gates`,
    );
    const inGate = activate(out, f, seen(i, state.c, 0, `${what}/i`), `${what}/i`);
    const fresh = out.two('Mul', inGate, activate(out, g, candidate, `${what}/candidate`), `${what}/fresh`);
    let c = fresh;
    if (state.c) {
      const forgetGate = activate(out, f, seen(forget, state.c, 2, `${what}/f`), `${what}/f`);
      c = out.two('Add', out.two('Mul', forgetGate, state.c, `${what}/kept`), fresh, `${what}/c`);
    }
    const outGate = activate(out, f, seen(o, c, 1, `${what}/o`), `${what}/o`);
    return { h: out.two('Mul', outGate, activate(out, h, c, `${what}/squashed`), `${what}/h`), c };
  };
}

/** Gates z, r, h. */
function gruStep(out: Writer, direction: Direction, setup: Setup, prefix: string): Step {
  const { hidden } = setup;
  const rows = (from: number, to: number) =>
    pickByAxis(direction.r, [indices((to - from) * hidden).map((k) => from * hidden + k), indices(hidden)]);
  const gatesR = out.constant(rows(0, 2), `${prefix}/r`);
  const freshR = out.constant(rows(2, 3), `${prefix}/rh`);
  const stateBias = out.constant(floatTensor([hidden], direction.rb.slice(2 * hidden)), `${prefix}/rb`);
  const one = out.constant(floatTensor([], [1]), `${prefix}/one`);
  const sizes = out.ints([2 * hidden, hidden], `${prefix}/sizes`);
  const [f, g] = direction.activations;
  return (x, { h }, what) => {
    const [gates, candidate] = out.builder.add('Split', [x, sizes], { axis: 1 });
    const [z, r] = out.split(joined(out, gates, h, gatesR, null, what), 1, 2, `${what}/gates`);
    const update = activate(out, f, z, `${what}/z`);
    let sum = candidate;
    if (h || setup.linearBeforeReset) {
      const reset = activate(out, f, r, `${what}/r`);
      let recurrent: Value;
      if (!setup.linearBeforeReset)
        recurrent = out.dense(out.two('Mul', reset, h!, `${what}/reset`), freshR, null, `${what}/rh`);
      else
        recurrent = out.two(
          'Mul',
          reset,
          h ? out.dense(h, freshR, stateBias, `${what}/rh`) : stateBias,
          `${what}/reset`,
        );
      sum = out.two('Add', candidate, recurrent, `${what}/sum2`);
    }
    const fresh = activate(out, g, sum, `${what}/candidate`);
    const share = out.two('Mul', out.two('Sub', one, update, `${what}/rest`), fresh, `${what}/fresh`);
    return {
      h: h ? out.two('Add', share, out.two('Mul', update, h, `${what}/kept`), `${what}/h`) : share,
      c: null,
    };
  };
}

/** The bias that goes with the input's product: both, but for the part of GRU that the reset gate multiplies. */
function inputBias(direction: Direction, setup: Setup): Tensor {
  const sum = direction.wb.map((value, i) => {
    const apart = setup.kind === 'GRU' && setup.linearBeforeReset && i >= 2 * setup.hidden;
    return apart ? value : value + direction.rb[i];
  });
  return floatTensor([sum.length], sum);
}

/** Runs one direction over time; returns the states h in the order of time, and the last state. */
function unroll(
  out: Writer,
  x: Value,
  direction: Direction,
  setup: Setup,
  d: number,
): { all: Value[]; last: State } {
  const prefix = `direction${d}`;
  const bias = out.constant(inputBias(direction, setup), `${prefix}/wb`);
  const products = out.dense(x, out.constant(direction.w, `${prefix}/w`), bias, `${prefix}/inputs`);
  const parts = out.split(products, 0, setup.steps, `${prefix}/steps`);
  const width = gateCount[setup.kind] * setup.hidden;
  const step =
    setup.kind === 'LSTM'
      ? lstmStep(out, direction, prefix)
      : setup.kind === 'GRU'
        ? gruStep(out, direction, setup, prefix)
        : rnnStep(out, direction, prefix);
  const all = new Array<Value>(setup.steps);
  let state: State = { h: direction.h, c: direction.c };
  for (const t of direction.reverse ? indices(setup.steps).reverse() : indices(setup.steps)) {
    const what = `${prefix}/step${t}`;
    state = step(out.reshape(parts[t], [setup.batch, width], `${what}/x`), state, what);
    all[t] = state.h!;
  }
  return { all, last: state };
}

function readRecurrent(kind: Kind): OnnxReader {
  return (node, builder) => {
    const layout = node.int('layout', 0);
    const hidden = node.int('hidden_size', 0);
    if (node.float('clip', 0) !== 0) node.refuse('clip is not supported');
    if (kind === 'LSTM') only(node, 'input_forget', node.int('input_forget', 0), 0);
    const x = input(node, 0);
    const [steps, batch] = (layout === 1 ? [1, 0] : [0, 1]).map((axis) => {
      const dim = x.type.shape[axis];
      if (typeof dim !== 'number') throw new Error(`${kind} "${node.name}" runs over an open dimension`);
      return dim;
    });
    if (steps < 1 || steps > mostSteps)
      node.refuse(`${steps} steps cannot be written out; 1 to ${mostSteps} can`);
    const lengths = node.inputs[4];
    if (
      lengths &&
      !(lengths.constant && [...toFloat32(lengths.constant)].every((length) => length === steps))
    ) {
      node.refuse('sequences of different lengths are not supported');
    }
    const linearBeforeReset = kind === 'GRU' && node.int('linear_before_reset', 0) !== 0;
    const setup: Setup = { kind, steps, batch, hidden, linearBeforeReset };
    const out = new Writer(builder, node.name);
    const directions = readDirections(node, setup, out);
    const timed = layout === 1 ? out.one('Transpose', [x], { perm: [1, 0, 2] }, 'timed') : x;
    const runs = directions.map((direction, d) => unroll(out, timed, direction, setup, d));
    giveOut(node, builder, out, setup, runs, layout);
  };
}

/** Y is [steps, directions, batch, H], or [batch, steps, directions, H]; the last states have no axis of steps. */
function giveOut(
  node: OnnxNodeView,
  builder: GraphBuilder,
  out: Writer,
  { steps, batch, hidden }: Setup,
  runs: readonly { all: Value[]; last: State }[],
  layout: number,
): void {
  const states = indices(steps).flatMap((t) => runs.map(({ all }) => all[t]));
  const joinedStates = (
    values: readonly Value[],
    shape: readonly number[],
    perm: readonly number[],
    at: number,
  ) => {
    if (node.outputs[at] === undefined) return;
    const rows = values.map((value, i) => out.reshape(value, [1, batch, hidden], `y${at}/${i}`));
    const stacked = rows.length === 1 ? rows[0] : out.one('Concat', rows, { axis: 0 }, `y${at}/stacked`);
    const name = { name: `${node.name}/y${at}`, outputs: [node.outputs[at]] };
    const wanted = out.ints(shape, `y${at}/shape`);
    if (layout === 0) {
      builder.add('Reshape', [stacked, wanted], { allowZero: false }, name);
      return;
    }
    const shaped = out.one('Reshape', [stacked, wanted], { allowZero: false }, `y${at}/shaped`);
    builder.add('Transpose', [shaped], { perm }, name);
  };
  const count = runs.length;
  joinedStates(states, [steps, count, batch, hidden], [2, 0, 1, 3], 0);
  joinedStates(
    runs.map(({ last }) => last.h!),
    [count, batch, hidden],
    [1, 0, 2],
    1,
  );
  if (runs.every(({ last }) => last.c)) {
    joinedStates(
      runs.map(({ last }) => last.c!),
      [count, batch, hidden],
      [1, 0, 2],
      2,
    );
  }
}

export const recurrentReaders = {
  RNN: { 7: readRecurrent('RNN') },
  GRU: { 7: readRecurrent('GRU') },
  LSTM: { 7: readRecurrent('LSTM') },
};
