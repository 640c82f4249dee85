import { type DType, dtypes } from '../../ir/dtype.ts';
import type { TensorType } from '../../ir/graph.ts';
import type { InferContext, OpDefinition, QuantRule } from '../facets.ts';
import { foldElementwise, type Scalar } from '../fold-helpers.ts';
import { broadcastShapes, countedElements, requiredInput, sameAsFirst } from '../infer-helpers.ts';
import type { BinaryAttrs, FusedActivation, OpAttrs } from '../vocabulary.ts';

const activation = { kind: 'activation' } as const;

const ownRange: QuantRule = {
  inputs: [activation],
  outputs: [activation],
  tflite: { int8: true, int16x8: true, dynamicInt8: false },
};
/** LiteRT's kernel compares or copies raw integers, so every operand has the output's parameters. */
const sameRange: QuantRule = { ...ownRange, outputs: [{ kind: 'same-as-input' }] };

/** Ranges of the activations that can be fused into a preceding operator. */
export const activationRange: Readonly<Record<FusedActivation, readonly [number, number]>> = {
  none: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  relu: [0, Number.POSITIVE_INFINITY],
  relu6: [0, 6],
  relu_n1_to_1: [-1, 1],
};

function broadcastOf(context: InferContext<unknown>, count: number): TensorType['shape'] {
  if (context.inputs.length > count) context.fail(`${context.inputs.length} operands; ${count} are taken`);
  const shapes = Array.from({ length: count }, (_, i) => requiredInput(context, i, 'ABC'[i]).type.shape);
  return broadcastShapes(context, ...shapes);
}

type Compute = (...values: Scalar[]) => Scalar;

/** An operator that gives the same function for numbers and for 64-bit integers. */
function either(number: (a: number, b: number) => number, big: (a: bigint, b: bigint) => bigint): Compute {
  return (a, b) => (typeof a === 'bigint' ? big(a, b as bigint) : number(a, b as number));
}

function binary<A>(summary: string, quant: QuantRule | null, compute: Compute): OpDefinition<A> {
  return {
    summary,
    infer: (context) => [
      { dtype: requiredInput(context, 0, 'A').type.dtype, shape: broadcastOf(context, 2) },
    ],
    cost: (_, [output]) => ({ macs: countedElements(output.type) }),
    fold: (inputs, attrs, [output]) => {
      const [low, high] = activationRange[(attrs as Partial<BinaryAttrs>).activation ?? 'none'];
      const limited: Compute = (a, b) => Math.min(Math.max(Number(compute(a, b)), low), high);
      return [foldElementwise(inputs, output, low === Number.NEGATIVE_INFINITY ? compute : limited)];
    },
    layout: { kind: 'elementwise' },
    quant,
  };
}

function comparison<A>(summary: string, compute: (a: Scalar, b: Scalar) => boolean): OpDefinition<A> {
  return {
    summary,
    infer: (context) => [{ dtype: 'bool', shape: broadcastOf(context, 2) }],
    cost: () => ({ macs: 0 }),
    fold: (inputs, _, [output]) => [foldElementwise(inputs, output, (a, b) => (compute(a, b) ? 1 : 0))],
    layout: { kind: 'elementwise' },
    quant: null,
  };
}

function unary<A>(summary: string, quant: QuantRule | null, compute: Compute | null): OpDefinition<A> {
  return {
    summary,
    infer: sameAsFirst,
    cost: (_, [output]) => ({ macs: countedElements(output.type) }),
    fold: compute
      ? (inputs, _, [output]) => [foldElementwise(inputs.slice(0, 1), output, compute)]
      : undefined,
    layout: { kind: 'elementwise' },
    quant,
  };
}

/** A float function; integers have no business there. */
function real(compute: (x: number) => number): Compute {
  return (x) => compute(Number(x));
}

/** To the nearest integer, halves to the even one (ONNX Round). */
function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  const part = x - down;
  if (part !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}

/** Math.max for 64-bit integers. */
function bigMax(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

const abs: Compute = (x) => (x < 0 ? -x : x);
const divide = either(
  (a, b) => a / b,
  (a, b) => (b === 0n ? 0n : a / b),
);

/** Integer division rounds towards zero. */
function foldDivide(...[inputs, attrs, outputs]: Parameters<NonNullable<OpDefinition<BinaryAttrs>['fold']>>) {
  const compute: Compute = (a, b) => {
    const quotient = divide(a, b);
    if (typeof quotient === 'bigint' || outputs[0].dtype.startsWith('float')) return quotient;
    return Math.trunc(quotient);
  };
  return binary<BinaryAttrs>('', null, compute).fold!(inputs, attrs, outputs);
}

function isDType(name: string): name is DType {
  return (dtypes as readonly string[]).includes(name);
}

const remainder = (a: number, b: number): number => a % b;
const bigRemainder = (a: bigint, b: bigint): bigint => (b === 0n ? 0n : a % b);
/** The remainder with the sign of the divisor. */
const modulo = (a: number, b: number): number => a - Math.floor(a / b) * b;
const bigModulo = (a: bigint, b: bigint): bigint => (b === 0n ? 0n : ((a % b) + b) % b);

const binaryDefinitions = {
  Add: binary<OpAttrs['Add']>(
    'A + B.',
    ownRange,
    either(
      (a, b) => a + b,
      (a, b) => a + b,
    ),
  ),
  Sub: binary<OpAttrs['Sub']>(
    'A − B.',
    ownRange,
    either(
      (a, b) => a - b,
      (a, b) => a - b,
    ),
  ),
  Mul: binary<OpAttrs['Mul']>(
    'A × B.',
    ownRange,
    either(
      (a, b) => a * b,
      (a, b) => a * b,
    ),
  ),
  Div: { ...binary<OpAttrs['Div']>('A / B.', null, divide), fold: foldDivide, relative: [1] },
  Max: binary<OpAttrs['Max']>('The larger of A and B.', sameRange, either(Math.max, bigMax)),
  Min: binary<OpAttrs['Min']>(
    'The smaller of A and B.',
    sameRange,
    either(Math.min, (a, b) => -bigMax(-a, -b)),
  ),
  Pow: binary<OpAttrs['Pow']>('A to the power B.', null, (a, b) => Number(a) ** Number(b)),
  Mod: {
    ...binary<OpAttrs['Mod']>('Remainder of A / B.', null, (a) => a),
    fold: (inputs, { truncated }, [output]) => [
      foldElementwise(
        inputs,
        output,
        truncated ? either(remainder, bigRemainder) : either(modulo, bigModulo),
      ),
    ],
  } satisfies OpDefinition<OpAttrs['Mod']>,
  BitwiseAnd: binary<OpAttrs['BitwiseAnd']>(
    'The bits that A and B share.',
    null,
    either(
      (a, b) => a & b,
      (a, b) => a & b,
    ),
  ),
  BitwiseOr: binary<OpAttrs['BitwiseOr']>(
    'The bits of A and of B.',
    null,
    either(
      (a, b) => a | b,
      (a, b) => a | b,
    ),
  ),
  BitwiseXor: binary<OpAttrs['BitwiseXor']>(
    'The bits that A and B do not share.',
    null,
    either(
      (a, b) => a ^ b,
      (a, b) => a ^ b,
    ),
  ),
  BitShift: {
    ...binary<OpAttrs['BitShift']>('The bits of A moved by B places.', null, (a) => a),
    fold: (inputs, { direction }, [output]) => [
      foldElementwise(inputs, output, (a, b) => {
        const factor = 2n ** BigInt(b);
        const moved = direction === 'LEFT' ? BigInt(a) * factor : BigInt(a) / factor;
        return typeof a === 'bigint' ? BigInt.asUintN(64, moved) : Number(BigInt.asUintN(32, moved));
      }),
    ],
  } satisfies OpDefinition<OpAttrs['BitShift']>,
  Equal: comparison<OpAttrs['Equal']>('A = B.', (a, b) => a === b),
  Greater: comparison<OpAttrs['Greater']>('A > B.', (a, b) => a > b),
  Less: comparison<OpAttrs['Less']>('A < B.', (a, b) => a < b),
  And: comparison<OpAttrs['And']>('A and B.', (a, b) => Boolean(a) && Boolean(b)),
  Or: comparison<OpAttrs['Or']>('A or B.', (a, b) => Boolean(a) || Boolean(b)),
};

const unaryDefinitions = {
  Abs: unary<OpAttrs['Abs']>('|x|.', ownRange, abs),
  Sign: unary<OpAttrs['Sign']>('−1, 0 or 1.', null, (x) => (x > 0 ? 1 : x < 0 ? -1 : 0)),
  Neg: unary<OpAttrs['Neg']>('−x.', null, (x) => -x),
  Exp: unary<OpAttrs['Exp']>('e to the power x.', ownRange, real(Math.exp)),
  Log: { ...unary<OpAttrs['Log']>('Natural logarithm.', null, real(Math.log)), relative: [0] },
  Sqrt: { ...unary<OpAttrs['Sqrt']>('Square root.', null, real(Math.sqrt)), relative: [0] },
  Reciprocal: {
    ...unary<OpAttrs['Reciprocal']>(
      '1 / x.',
      null,
      real((x) => 1 / x),
    ),
    relative: [0],
  },
  Floor: unary<OpAttrs['Floor']>('Largest integer not above x.', null, real(Math.floor)),
  Ceil: unary<OpAttrs['Ceil']>('Smallest integer not below x.', null, real(Math.ceil)),
  Round: unary<OpAttrs['Round']>('Nearest integer, halves to even.', null, real(roundHalfEven)),
  Sin: unary<OpAttrs['Sin']>('Sine.', null, real(Math.sin)),
  Cos: unary<OpAttrs['Cos']>('Cosine.', null, real(Math.cos)),
  Asin: unary<OpAttrs['Asin']>('Arc sine.', null, real(Math.asin)),
  Acos: unary<OpAttrs['Acos']>('Arc cosine.', null, real(Math.acos)),
  Atan: unary<OpAttrs['Atan']>('Arc tangent.', null, real(Math.atan)),
  Asinh: unary<OpAttrs['Asinh']>('Inverse hyperbolic sine.', null, real(Math.asinh)),
  Acosh: unary<OpAttrs['Acosh']>('Inverse hyperbolic cosine.', null, real(Math.acosh)),
  Atanh: unary<OpAttrs['Atanh']>('Inverse hyperbolic tangent.', null, real(Math.atanh)),
  BitwiseNot: unary<OpAttrs['BitwiseNot']>('Every bit of an integer turned over.', null, (x) =>
    typeof x === 'bigint' ? ~x : ~x,
  ),
  Erf: unary<OpAttrs['Erf']>('Error function.', null, null),
  Not: unary<OpAttrs['Not']>('Logical not.', null, (x) => (x ? 0 : 1)),
  Identity: {
    ...unary<OpAttrs['Identity']>('x.', sameRange, null),
    cost: () => ({ macs: 0 }),
    fold: ([x]) => [x!],
  } satisfies OpDefinition<OpAttrs['Identity']>,
};

export const elementwiseDefinitions = {
  ...binaryDefinitions,
  ...unaryDefinitions,
  Cast: {
    summary: 'Converts the element type.',
    infer(context) {
      const x = requiredInput(context, 0, 'x');
      const { to } = context.attrs;
      return isDType(to)
        ? [{ dtype: to, shape: x.type.shape }]
        : context.fail(`no element type is named ${to}`);
    },
    cost: () => ({ macs: 0 }),
    fold: (inputs, _, [output]) => [foldElementwise(inputs, output, (x) => x)],
    layout: { kind: 'elementwise' },
    quant: null,
  } satisfies OpDefinition<OpAttrs['Cast']>,
  Where: {
    summary: 'x where the condition holds, else y.',
    infer: (context) => [
      { dtype: requiredInput(context, 1, 'x').type.dtype, shape: broadcastOf(context, 3) },
    ],
    cost: () => ({ macs: 0 }),
    fold: (inputs, _, [output]) => [
      foldElementwise(inputs, output, (condition, x, y) => (condition ? x : y)),
    ],
    layout: { kind: 'elementwise' },
    quant: { ...sameRange, inputs: [{ kind: 'plain' }, activation] },
  } satisfies OpDefinition<OpAttrs['Where']>,
} satisfies Record<string, OpDefinition<never>>;
