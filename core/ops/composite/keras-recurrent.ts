/** Keras' recurrent layers, unrolled over time: the number of steps is known. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { floatTensor } from '../../ir/tensor.ts';
import type { KerasFacet, KerasLayerView, KerasReader } from '../facets.ts';
import { isTensor } from '../keras-arguments.ts';
import { intsConstant, reshapeTo, shapeOf } from '../keras-layers.ts';
import type { Cell, CellSource, State } from './keras-cell.ts';
import { makeCell } from './keras-cells.ts';

/** More steps than this make a graph that no runtime is quick with. */
const mostSteps = 512;

export interface Recurrence {
  /** Outputs in the order of the steps of the input, each `[batch, …]`. */
  readonly outputs: readonly Value[];
  /** The output of the step that was computed last. */
  readonly last: Value;
  readonly states: readonly Value[];
}

const cellKinds: Readonly<Record<string, CellSource['kind']>> = {
  SimpleRNN: 'SimpleRNN',
  SimpleRNNCell: 'SimpleRNN',
  LSTM: 'LSTM',
  LSTMCell: 'LSTM',
  GRU: 'GRU',
  GRUCell: 'GRU',
  ConvLSTM1D: 'ConvLSTM',
  ConvLSTM2D: 'ConvLSTM',
  ConvLSTM3D: 'ConvLSTM',
};

/** The cells of a layer from the input to the output; only RNN with stacked cells has several. */
function cellsOf(layer: KerasLayerView, builder: GraphBuilder): Cell[] {
  const own = cellKinds[layer.className];
  if (own) {
    const partName =
      own === 'ConvLSTM'
        ? 'conv_lstm_cell'
        : `${layer.className.replace('SimpleRNN', 'simple_rnn').toLowerCase()}_cell`;
    const partClass = own === 'ConvLSTM' ? 'ConvLSTMCell' : `${own}Cell`;
    const weights = layer.part('cell', partName, partClass);
    return [makeCell({ kind: own, options: layer, weights, name: layer.name }, builder)];
  }
  const cell = layer.inner('cell');
  if (cell.className !== 'StackedRNNCells') return [cellFrom(cell, builder)];
  const list = cell.config.cells;
  if (!Array.isArray(list)) return layer.refuse('its stacked cells are no list');
  return list.map((_, index) => cellFrom(cell.inner('cells', { index }), builder));
}

function cellFrom(cell: KerasLayerView, builder: GraphBuilder): Cell {
  const kind = cellKinds[cell.className];
  if (!kind) return cell.refuse(`cells of class ${cell.className} are not read`);
  return makeCell({ kind, options: cell, weights: cell, name: cell.name }, builder);
}

/** Tensors that a call gives as initial states: further inputs in Keras 2, `initial_state` in Keras 3. */
function initialStates(layer: KerasLayerView, given: readonly Value[] | undefined, count: number): State[] {
  const named = layer.kwargs.initial_state;
  const list = given ?? (isTensor(named) ? [named] : Array.isArray(named) ? named : layer.inputs.slice(1));
  const states = list.map((state) =>
    isTensor(state) ? state : layer.refuse('an initial state is no tensor'),
  );
  if (states.length !== 0 && states.length !== count) {
    return layer.refuse(`gets ${states.length} initial states; ${count} are needed`);
  }
  return states.length === 0 ? new Array<State>(count).fill(null) : states;
}

/**
 * Runs a recurrent layer over the steps of its input.
 * @param initial initial states, where a wrapper hands them on.
 */
export function recur(
  layer: KerasLayerView,
  builder: GraphBuilder,
  x: Value,
  initial?: readonly Value[],
): Recurrence {
  for (const option of ['stateful', 'time_major']) {
    if (layer.boolean(option, false)) layer.refuse(`option ${option} is not read`);
  }
  const shape = shapeOf(layer, x);
  const [batch, steps] = shape;
  if (steps > mostSteps) layer.refuse(`unrolls ${steps} steps; at most ${mostSteps} are read`);
  const cells = cellsOf(layer, builder);
  const stateCount = cells.reduce((sum, cell) => sum + cell.states, 0);
  let states = initialStates(layer, initial, stateCount);
  const maskSource = maskFor(layer, x);
  const masks = maskSource ? stepsOf(layer, builder, maskSource, steps, 'mask') : undefined;
  // Later cells of a stack depend on the first one's output, so only the first is projected for all steps at once.
  const projected = stepsOf(layer, builder, cells[0].project(x), steps, 'step');

  const order = Array.from({ length: steps }, (_, i) =>
    layer.boolean('go_backwards', false) ? steps - 1 - i : i,
  );
  const outputs = new Array<Value>(steps);
  let previous: State = null;
  for (const step of order) {
    const name = `${layer.name}/t${step}`;
    const next: Value[] = [];
    let input = projected[step];
    let at = 0;
    cells.forEach((cell, i) => {
      const cellName = cells.length === 1 ? name : `${name}/cell${i}`;
      if (i > 0) {
        const sizes = shapeOf(layer, input);
        const raised = reshapeTo(builder, input, [sizes[0], 1, ...sizes.slice(1)], `${cellName}/input`);
        const alone = cell.project(raised);
        const width = shapeOf(layer, alone).slice(2);
        input = reshapeTo(builder, alone, [batch, ...width], `${cellName}/projected`);
      }
      const fresh = cell.step(input, states.slice(at, at + cell.states), cellName);
      next.push(...fresh);
      input = fresh[0];
      at += cell.states;
    });
    const mask = masks?.[step];
    if (mask) {
      const old = layer.boolean('zero_output_for_mask', false) ? null : previous;
      outputs[step] = choose(builder, mask, input, old, `${name}/output`);
      states = next.map((state, i) => choose(builder, mask, state, states[i], `${name}/state${i}`));
    } else {
      outputs[step] = input;
      states = next;
    }
    previous = outputs[step];
  }
  return { outputs, last: previous!, states: states as Value[] };
}

/** The mask that a call names, else the one that comes along with the input. */
function maskFor(layer: KerasLayerView, x: Value): Value | undefined {
  return isTensor(layer.kwargs.mask) ? layer.kwargs.mask : layer.maskOf(x);
}

/** `[batch, time, …]` cut into its steps `[batch, …]`. */
function stepsOf(
  layer: KerasLayerView,
  builder: GraphBuilder,
  x: Value,
  steps: number,
  suffix: string,
): Value[] {
  const [batch, , ...rest] = shapeOf(layer, x);
  const name = `${layer.name}/${suffix}`;
  const shape = rest.length === 0 ? [batch, 1] : [batch, ...rest];
  return cut(builder, x, steps, name).map((part, i) => {
    const same = part.type.shape.join() === shape.join();
    return same ? part : reshapeTo(builder, part, shape, `${name}${i}`);
  });
}

/** LiteRT does not split booleans, which masks are: those are sliced. */
function cut(builder: GraphBuilder, x: Value, steps: number, name: string): Value[] {
  if (steps === 1) return [x];
  if (x.type.dtype !== 'bool') {
    const sizes = intsConstant(builder, `${name}/sizes`, new Array<number>(steps).fill(1));
    return builder.add('Split', [x, sizes], { axis: 1 }, { name: `${name}s` });
  }
  const axes = intsConstant(builder, `${name}/axes`, [1]);
  return Array.from({ length: steps }, (_, step) => {
    const start = intsConstant(builder, `${name}/start${step}`, [step]);
    const end = intsConstant(builder, `${name}/end${step}`, [step + 1]);
    return builder.one('Slice', [x, start, end, axes, null], {}, { name: `${name}${step}` });
  });
}

/** The fresh value where the mask holds, else the old one (zeros at the first step). */
function choose(builder: GraphBuilder, mask: Value, fresh: Value, old: State, name: string): Value {
  const zero = old ?? builder.constant(`${name}/zero`, floatTensor([], [0]));
  return builder.one('Where', [mask, fresh, zero], {}, { name });
}

/** Steps put back together as `[batch, time, …]`. */
export function sequence(
  layer: KerasLayerView,
  builder: GraphBuilder,
  steps: readonly Value[],
  name: string,
): Value {
  const raised = steps.map((step, i) => {
    const [batch, ...rest] = shapeOf(layer, step);
    return reshapeTo(builder, step, [batch, 1, ...rest], `${name}/part${i}`);
  });
  if (raised.length === 1) return builder.one('Identity', raised, {}, { name });
  return builder.one('Concat', raised, { axis: 1 }, { name });
}

const recurrent: KerasReader = (layer, builder) => {
  const [x] = layer.inputs;
  if (!x) return layer.refuse('has no input');
  const { outputs, last, states } = recur(layer, builder, x);
  const sequences = layer.boolean('return_sequences', false);
  // Keras returns a backwards layer's steps in the order in which they were computed.
  const ordered = layer.boolean('go_backwards', false) ? [...outputs].reverse() : outputs;
  const result = sequences ? sequence(layer, builder, ordered, layer.name) : last;
  const mask = maskFor(layer, x);
  if (mask && sequences) layer.setMask(result, () => mask);
  return layer.boolean('return_state', false) ? [result, ...states] : [result];
};

export const recurrentKeras: KerasFacet = {
  RNN: recurrent,
  SimpleRNN: recurrent,
  LSTM: recurrent,
  GRU: recurrent,
  ConvLSTM1D: recurrent,
  ConvLSTM2D: recurrent,
  ConvLSTM3D: recurrent,
  // Names under which Keras 2 kept its GPU layers.
  CuDNNLSTM: (layer) =>
    layer.refuse('is a GPU-only layer of Keras 2, which is not read', 'Rebuild it as LSTM.'),
  CuDNNGRU: (layer) =>
    layer.refuse('is a GPU-only layer of Keras 2, which is not read', 'Rebuild it as GRU.'),
};
