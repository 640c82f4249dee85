/**
 * ONNX RNN, GRU and LSTM (7, 14), written out step by step: the products with the inputs of all steps at once, then
 * one product with the state and the gates per step. Equations and gate orders are those of the operators' pages.
 */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { floatTensor, type Tensor, toFloat32 } from '../../ir/tensor.ts';
import type { OnnxNodeView, OnnxReader } from '../facets.ts';
import { input, only } from '../onnx-helpers.ts';
import { indices, pickByAxis, reshaped } from '../pick-elements.ts';
import {
  type Direction,
  gruStep,
  type Kind,
  lstmStep,
  rnnStep,
  type Setup,
  type State,
  Writer,
} from './onnx-cells.ts';

const gateCount: Readonly<Record<Kind, number>> = { RNN: 1, GRU: 3, LSTM: 4 };
const defaultActivations: Readonly<Record<Kind, readonly string[]>> = {
  RNN: ['Tanh'],
  GRU: ['Sigmoid', 'Tanh'],
  LSTM: ['Sigmoid', 'Tanh', 'Tanh'],
};
const knownActivations = ['Sigmoid', 'Tanh', 'Relu', 'HardSigmoid', 'Softsign', 'Softplus'];

/** Beyond this many steps a written-out network is too large to be of use. */
export const mostSteps = 1024;

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
    if (!value || (value.constant && toFloat32(value.constant).every((x) => x === 0))) return null;
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

/** The bias that goes with the input's product: both, but for the part of GRU that the reset gate multiplies. */
function inputBias(direction: Direction, setup: Setup): Tensor {
  const sum = direction.wb.map((value, i) => {
    const apart = setup.kind === 'GRU' && setup.linearBeforeReset && i >= 2 * setup.hidden;
    return apart ? value : value + direction.rb[i];
  });
  return floatTensor([sum.length], sum);
}

/** Runs one direction over time; returns the states h in the order of time, and the last state. */
export function unroll(
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
      ? lstmStep(out, direction, prefix, setup.rounded)
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

/** @param rounded what becomes of a state before it is multiplied with weights; the same when left out */
export function readRecurrent(kind: Kind, rounded?: Setup['rounded']): OnnxReader {
  return (node, builder) => {
    const layout = node.int('layout', 0);
    const hidden = node.int('hidden_size', 0) || Number(input(node, 2).type.shape[2]);
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
    const setup: Setup = { kind, steps, batch, hidden, linearBeforeReset, rounded };
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
