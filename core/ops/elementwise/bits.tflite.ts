/** Bitwise operators in what LiteRT has: exclusive or, shift to the right, and arithmetic of int32. */
import type { Node, Value } from '../../ir/graph.ts';
import type { TfliteTensorRef, TfliteWriteContext } from '../facets.ts';
import {
  attrsOf,
  inputTensor,
  inputValue,
  numberTensor,
  outputTensor,
  outputValue,
  type TfliteWriter,
} from '../tflite-helpers.ts';

const tables: Readonly<Record<string, string>> = { ADD: 'AddOptions', SUB: 'SubOptions', MUL: 'MulOptions' };

/** Steps over the result's shape; operands may be smaller and broadcast. */
class BitSteps {
  private readonly node: Node;
  private readonly context: TfliteWriteContext;
  private count = 0;

  constructor(node: Node, context: TfliteWriteContext) {
    this.node = node;
    this.context = context;
    const { dtype } = outputValue(node, context).type;
    if (dtype !== 'int32')
      context.refuse(`LiteRT has no bitwise kernels for ${dtype}; it has them for int32`);
  }

  number(value: number): TfliteTensorRef {
    return this.context.constant(`${this.node.id}/number`, numberTensor('int32', [], [value]));
  }

  step(
    builtin: string,
    inputs: readonly TfliteTensorRef[],
    shape: Value['type']['shape'],
    to?: TfliteTensorRef,
  ) {
    const name = `${this.node.id}/${builtin.toLowerCase()}_${this.count++}`;
    const output = to ?? this.context.inner(name, { dtype: 'int32', shape });
    const table = tables[builtin];
    this.context.op(builtin, inputs, [output], table ? { table, fields: {} } : undefined);
    return output;
  }
}

/**
 * a + b counts shared bits twice, a xor b not at all. Halves keep the sum inside of int32: with a = 2h + l,
 * a and b = (ha + hb) − (ha xor hb) + la × lb.
 */
function sharedBits(
  steps: BitSteps,
  node: Node,
  context: TfliteWriteContext,
  to?: TfliteTensorRef,
): TfliteTensorRef {
  const { shape } = outputValue(node, context).type;
  const parts = [0, 1].map((i) => {
    const x = inputTensor(node, context, i);
    const own = inputValue(node, context, i).type.shape;
    return {
      half: steps.step('RIGHT_SHIFT', [x, fullOf(node, context, i, 1)], own),
      low: steps.step('FLOOR_MOD', [x, steps.number(2)], own),
    };
  });
  const [a, b] = parts;
  const sum = steps.step('ADD', [a.half, b.half], shape);
  const twice = steps.step('SUB', [sum, steps.step('BITWISE_XOR', [a.half, b.half], shape)], shape);
  return steps.step('ADD', [twice, steps.step('MUL', [a.low, b.low], shape)], shape, to);
}

/** A number in the shape of an input: RIGHT_SHIFT does not broadcast everywhere. */
function fullOf(node: Node, context: TfliteWriteContext, index: number, value: number): TfliteTensorRef {
  const shape = inputValue(node, context, index).type.shape as number[];
  const count = shape.reduce((product, size) => product * size, 1);
  return context.constant(
    `${node.id}/places`,
    numberTensor('int32', shape, new Array<number>(count).fill(value)),
  );
}

const writeAnd: TfliteWriter = (node, context) => {
  sharedBits(new BitSteps(node, context), node, context, outputTensor(node, context));
};

const writeXor: TfliteWriter = (node, context) => {
  const inputs = [inputTensor(node, context, 0), inputTensor(node, context, 1)];
  new BitSteps(node, context).step('BITWISE_XOR', inputs, [], outputTensor(node, context));
};

/** Bits of one or the other, and bits of both. */
const writeOr: TfliteWriter = (node, context) => {
  const steps = new BitSteps(node, context);
  const { shape } = outputValue(node, context).type;
  const inputs = [inputTensor(node, context, 0), inputTensor(node, context, 1)];
  const shared = sharedBits(steps, node, context);
  steps.step('ADD', [steps.step('BITWISE_XOR', inputs, shape), shared], shape, outputTensor(node, context));
};

/** In two's complement −1 − x. */
const writeNot: TfliteWriter = (node, context) => {
  const steps = new BitSteps(node, context);
  steps.step('SUB', [steps.number(-1), inputTensor(node, context, 0)], [], outputTensor(node, context));
};

/** Numbers are not negative here: unsigned types are computed in wider ones. To the left: times a power of two. */
const writeShift: TfliteWriter = (node, context) => {
  const steps = new BitSteps(node, context);
  const [x, places] = [inputTensor(node, context, 0), inputTensor(node, context, 1)];
  const y = outputTensor(node, context);
  if (attrsOf(node, 'BitShift').direction === 'RIGHT') {
    steps.step('RIGHT_SHIFT', [x, places], [], y);
    return;
  }
  const factor = steps.step('POW', [steps.number(2), places], inputValue(node, context, 1).type.shape);
  steps.step('MUL', [x, factor], [], y);
};

export const bitTfliteWriters = {
  BitwiseAnd: writeAnd,
  BitwiseOr: writeOr,
  BitwiseXor: writeXor,
  BitwiseNot: writeNot,
  BitShift: writeShift,
};
