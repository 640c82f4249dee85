/** The steps of ONNX's recurrent cells: one product with the state, and the gates. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Attrs, Value } from '../../ir/graph.ts';
import { floatTensor, int64Tensor, type Tensor } from '../../ir/tensor.ts';
import { indices, pickByAxis } from '../pick-elements.ts';

export type Kind = 'RNN' | 'GRU' | 'LSTM';

/** Adds nodes under names of the recurrent node. */
export class Writer {
  readonly builder: GraphBuilder;
  private readonly prefix: string;

  constructor(builder: GraphBuilder, prefix: string) {
    this.builder = builder;
    this.prefix = prefix;
  }

  one(op: string, inputs: readonly (Value | null)[], attrs: Attrs, what: string): Value {
    return this.builder.one(op, inputs, attrs, {
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

export interface Direction {
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
  /** TFLite's: the cell state of an LSTM stays within ± this. */
  readonly cellClip?: number;
}

export interface Setup {
  readonly kind: Kind;
  readonly steps: number;
  readonly batch: number;
  readonly hidden: number;
  readonly linearBeforeReset: boolean;
  /** Of an LSTM: what becomes of a state before it is multiplied with weights. */
  readonly rounded?: (h: Value, what: string) => Value;
}

function activate(out: Writer, name: string, x: Value, what: string): Value {
  return out.one(name, [x], name === 'HardSigmoid' ? { alpha: 0.2, beta: 0.5 } : {}, what);
}

/** Product of the state with the recurrent weights, added to what the input gives; nothing to add for a zero state. */
function joined(out: Writer, x: Value, h: Value | null, r: Value, bias: Value | null, what: string): Value {
  return h ? out.two('Add', x, out.dense(h, r, bias, `${what}/state`), `${what}/sum`) : x;
}

export interface State {
  readonly h: Value | null;
  readonly c: Value | null;
}

export type Step = (x: Value, state: State, what: string) => State;

export function rnnStep(out: Writer, direction: Direction, prefix: string): Step {
  const r = out.constant(direction.r, `${prefix}/r`);
  return (x, { h }, what) => ({
    h: activate(out, direction.activations[0], joined(out, x, h, r, null, what), `${what}/h`),
    c: null,
  });
}

/** Gates i, o, f, c. */
export function lstmStep(
  out: Writer,
  direction: Direction,
  prefix: string,
  rounded: Setup['rounded'] = (h) => h,
): Step {
  const r = out.constant(direction.r, `${prefix}/r`);
  const [f, g, h] = direction.activations;
  const clip = direction.cellClip;
  const limits = clip
    ? [-clip, clip].map((limit) => out.constant(floatTensor([], [limit]), `${prefix}/limit`))
    : [];
  let turns = 0;
  const peephole = direction.peephole?.map((tensor, i) => out.constant(tensor, `${prefix}/peephole${i}`));
  const seen = (gate: Value, c: Value | null, index: number, what: string) =>
    peephole && c
      ? out.two('Add', gate, out.two('Mul', c, peephole[index], `${what}/peephole`), `${what}/seen`)
      : gate;
  return (x, state, what) => {
    const [i, o, forget, candidate] = out.split(
      joined(out, x, state.h && rounded(state.h, `${what}/rounded`), r, null, what),
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
    // A state that began at zero has grown by less than one a step.
    turns++;
    if (clip && !(turns <= clip && !direction.c && g === 'Tanh'))
      c = out.one('Clip', [c, ...limits], {}, `${what}/clip`);
    const outGate = activate(out, f, seen(o, c, 1, `${what}/o`), `${what}/o`);
    return { h: out.two('Mul', outGate, activate(out, h, c, `${what}/squashed`), `${what}/h`), c };
  };
}

/** Gates z, r, h. */
export function gruStep(out: Writer, direction: Direction, setup: Setup, prefix: string): Step {
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
