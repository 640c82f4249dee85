/**
 * TFLite's fused recurrent layers over a sequence, written out step by step as ONNX's are. States that the file keeps
 * between runs begin at zero.
 */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { floatTensor, type Tensor, toFloat32 } from '../../ir/tensor.ts';
import type { TfliteOpView } from '../facets.ts';
import {
  addLast,
  flagOption,
  inputOf,
  numberOption,
  staticShapeOf,
  type TfliteReader,
} from '../tflite-read-helpers.ts';
import { type Direction, type Kind, type Setup, type State, Writer } from './onnx-cells.ts';
import { mostSteps, unroll } from './onnx-recurrent.ts';

/** Places of the inputs of one direction; −1 where the operator has none. */
interface Slots {
  readonly w: readonly number[];
  readonly r: readonly number[];
  readonly biases: readonly number[];
  readonly peepholes: readonly number[];
  readonly h: number;
  readonly c: number;
}

/** Gates in the order i, o, f, c of the written-out cell; the file has i, f, c, o. */
function lstmSlots(first: number, states: readonly [number, number]): Slots {
  const gates = (from: number) => [0, 3, 1, 2].map((i) => first + from + i);
  const peepholes = [8, 10, 9].map((i) => first + i);
  return { w: gates(0), r: gates(4), biases: gates(11), peepholes, h: states[0], c: states[1] };
}

function rnnSlots(first: number): Slots {
  return { w: [first], r: [first + 1], biases: [first + 2], peepholes: [], h: first + 3, c: -1 };
}

const activationNames: Readonly<Record<number, string>> = { 1: 'Relu', 4: 'Tanh', 6: 'Sigmoid' };

function constantOf(op: TfliteOpView, index: number): Tensor {
  const { constant, type } = inputOf(op, index);
  if (!constant) return op.refuse(`its weights, input ${index}, are computed while the model runs`);
  return type.dtype === 'float32'
    ? constant
    : op.refuse(`its weights are ${type.dtype}; float32 ones are read`);
}

/** Matrices of all gates, one under the other. */
function stacked(op: TfliteOpView, slots: readonly number[]): Tensor {
  const parts = slots.map((index) => constantOf(op, index));
  const [rows, columns] = parts[0].shape;
  if (parts.some(({ shape }) => shape.length !== 2 || shape[0] !== rows || shape[1] !== columns)) {
    op.refuse('the weights of its gates differ in size');
  }
  const joined = new Float32Array(rows * columns * parts.length);
  for (const [i, part] of parts.entries()) joined.set(toFloat32(part), i * rows * columns);
  return floatTensor([rows * parts.length, columns], joined);
}

/** A state; null where it is zero, as a variable of the file is at the beginning. */
function stateOf(op: TfliteOpView, index: number): Value | null {
  const value = index < 0 ? null : (op.inputs[index] ?? null);
  const isZero = value?.constant && toFloat32(value.constant).every((number) => number === 0);
  return isZero ? null : value;
}

function directionOf(op: TfliteOpView, kind: Kind, slots: Slots, reverse: boolean): Direction {
  const code = numberOption(op, 'fused_activation_function');
  const activation =
    activationNames[code] ?? op.refuse(`its activation is number ${code}; relu, tanh and sigmoid are read`);
  const r = stacked(op, slots.r);
  const hidden = r.shape[1];
  const wb = new Float32Array(r.shape[0]);
  slots.biases.forEach((index, i) => {
    if (op.inputs[index]) wb.set(toFloat32(constantOf(op, index)), i * hidden);
  });
  const hasPeepholes = slots.peepholes.some((index) => op.inputs[index]);
  return {
    w: stacked(op, slots.w),
    r,
    wb,
    rb: new Float32Array(r.shape[0]),
    peephole: hasPeepholes ? slots.peepholes.map((index) => constantOf(op, index)) : undefined,
    activations: kind === 'LSTM' ? ['Sigmoid', activation, activation] : [activation],
    h: stateOf(op, slots.h),
    c: stateOf(op, slots.c),
    reverse,
    cellClip: numberOption(op, 'cell_clip') || undefined,
  };
}

/** What the kernel has and the written-out cell has not. */
function refuseExtras(op: TfliteOpView, extras: Readonly<Record<string, readonly number[]>>): void {
  for (const [what, slots] of Object.entries(extras)) {
    if (slots.some((index) => op.inputs[index])) op.refuse(`it has ${what}, which is not read`);
  }
}

function readSequence(
  kind: Kind,
  slots: readonly Slots[],
  extras: Record<string, readonly number[]>,
): TfliteReader {
  return (op, builder) => {
    if (op.inputs.some((input) => input?.quant)) op.refuse('its integer form is not read');
    refuseExtras(op, extras);
    const x = inputOf(op, 0);
    const isTimeMajor = flagOption(op, 'time_major');
    const [first, second] = staticShapeOf(op, x);
    const [steps, batch] = isTimeMajor ? [first, second] : [second, first];
    if (steps < 1 || steps > mostSteps)
      op.refuse(`${steps} steps cannot be written out; 1 to ${mostSteps} can`);
    const out = new Writer(builder, op.name);
    const timed = isTimeMajor ? x : out.one('Transpose', [x], { perm: [1, 0, 2] }, 'timed');
    const runs = slots.map((own, i) => {
      const direction = directionOf(op, kind, own, i === 1);
      const hidden = direction.r.shape[1];
      const setup: Setup = { kind, steps, batch, hidden, linearBeforeReset: false };
      return sequence(out, unroll(out, timed, direction, setup, i), setup, isTimeMajor, i);
    });
    giveOut(op, builder, runs);
  };
}

/** The states of all steps as one tensor, [steps, batch, H] or [batch, steps, H]. */
function sequence(
  out: Writer,
  { all }: { readonly all: readonly Value[]; readonly last: State },
  { batch, hidden }: Setup,
  isTimeMajor: boolean,
  direction: number,
): Value {
  const shape = isTimeMajor ? [1, batch, hidden] : [batch, 1, hidden];
  const rows = all.map((value, step) => out.reshape(value, shape, `y${direction}/${step}`));
  if (rows.length === 1) return rows[0];
  return out.one('Concat', rows, { axis: isTimeMajor ? 0 : 1 }, `y${direction}`);
}

function giveOut(op: TfliteOpView, builder: GraphBuilder, runs: readonly Value[]): void {
  if (runs.length > 1 && flagOption(op, 'merge_outputs')) {
    addLast(op, builder, 'Concat', runs, { axis: 2 });
    return;
  }
  op.outputs.forEach(({ name }, i) => {
    builder.add('Identity', [runs[i]], {}, { name: i === 0 ? op.name : name, outputs: [name] });
  });
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

export const recurrentTfliteReaders = {
  UNIDIRECTIONAL_SEQUENCE_LSTM: readSequence('LSTM', [lstmSlots(1, [18, 19])], {
    'a projection': [16, 17],
    'a normalization of its gates': range(20, 24),
  }),
  BIDIRECTIONAL_SEQUENCE_LSTM: readSequence('LSTM', [lstmSlots(1, [35, 36]), lstmSlots(18, [37, 38])], {
    'a projection': [16, 17, 33, 34],
    'a second input': range(39, 48),
  }),
  UNIDIRECTIONAL_SEQUENCE_RNN: readSequence('RNN', [rnnSlots(1)], {}),
  BIDIRECTIONAL_SEQUENCE_RNN: readSequence('RNN', [rnnSlots(1), rnnSlots(5)], {
    'a second input': range(9, 12),
  }),
};
