import { isFloat } from '../../ir/dtype.ts';
import type { Node } from '../../ir/graph.ts';
import type { TfliteFacet, TfliteTensorRef, TfliteWriteContext } from '../facets.ts';
import { frontAxis } from '../infer-helpers.ts';
import { Composition } from '../tflite-composition.ts';
import {
  attrsOf,
  constantInput,
  innerLike,
  inputTensor,
  inputValue,
  int32Vector,
  outputTensor,
  outputValue,
  outputWithQuantOf,
  scalarLike,
  type TfliteWriter,
} from '../tflite-helpers.ts';
import { activationTfliteReaders } from './activation.tflite-read.ts';

function unary(builtin: string): TfliteWriter {
  return (node, context) =>
    context.op(builtin, [inputTensor(node, context, 0)], [outputTensor(node, context)]);
}

/**
 * Clip to one of the ranges that TFLite has an operator for, else MAXIMUM and MINIMUM, which compare stored numbers
 * and keep the parameters of x.
 */
function writeClip(node: Node, context: TfliteWriteContext): void {
  const x = inputValue(node, context, 0);
  const low = constantInput(node, context, 1)?.[0] ?? Number.NEGATIVE_INFINITY;
  const high = constantInput(node, context, 2)?.[0] ?? Number.POSITIVE_INFINITY;
  const builtin = x.quant || isFloat(x.type.dtype) ? clipOperator(low, high) : undefined;
  // RELU_N1_TO_1 has no 16-bit kernel.
  if (builtin && !(builtin === 'RELU_N1_TO_1' && x.type.dtype === 'int16')) {
    unary(builtin)(node, context);
    return;
  }
  const { ref: y, finish } = outputWithQuantOf(x, node, context);
  const steps: [string, number][] = [];
  if (low !== Number.NEGATIVE_INFINITY) steps.push(['MAXIMUM', low]);
  if (high !== Number.POSITIVE_INFINITY) steps.push(['MINIMUM', high]);
  if (steps.length === 0) steps.push(['MAXIMUM', low]);
  let from = context.tensor(x.id);
  steps.forEach(([name, limit], i) => {
    const to = i === steps.length - 1 ? y : innerLike(context, `${node.id}/low`, x);
    context.op(name, [from, scalarLike(x, context, `${node.id}/${name.toLowerCase()}`, limit)], [to]);
    from = to;
  });
  finish();
}

function clipOperator(low: number, high: number): string | undefined {
  if (low === 0 && high === 6) return 'RELU6';
  if (low === 0 && high === Number.POSITIVE_INFINITY) return 'RELU';
  if (low === -1 && high === 1) return 'RELU_N1_TO_1';
  return undefined;
}

function writeLeakyRelu(node: Node, context: TfliteWriteContext): void {
  leakyRelu(node, context, attrsOf(node, 'LeakyRelu').alpha);
}

function leakyRelu(node: Node, context: TfliteWriteContext, alpha: number): void {
  context.op('LEAKY_RELU', [inputTensor(node, context, 0)], [outputTensor(node, context)], {
    table: 'LeakyReluOptions',
    fields: { alpha },
  });
}

function writePRelu(node: Node, context: TfliteWriteContext): void {
  const slope = inputValue(node, context, 1);
  const x = inputValue(node, context, 0);
  if (x.type.shape.length > 4 && slope.type.shape.length > 1) {
    context.refuse(`PRELU broadcasts up to rank 4; x has rank ${x.type.shape.length}`);
  }
  const isScalar = slope.type.shape.every((dim) => dim === 1);
  if (isScalar && slope.constant && !slope.quant) {
    leakyRelu(node, context, constantInput(node, context, 1)![0]);
    return;
  }
  context.op('PRELU', [context.tensor(x.id), context.tensor(slope.id)], [outputTensor(node, context)]);
}

/** max(x, 0) + alpha × elu(min(x, 0)): ELU of the file has alpha 1. */
function eluParts(steps: Composition, alpha: number, to?: TfliteTensorRef): TfliteTensorRef {
  const below = steps.step('ELU', [steps.step('MINIMUM', [steps.x, steps.number(0)])]);
  const scaled = steps.step('MUL', [below, steps.number(alpha)]);
  return steps.step('ADD', [steps.step('RELU', [steps.x]), scaled], to);
}

function writeElu(node: Node, context: TfliteWriteContext): void {
  const { alpha } = attrsOf(node, 'Elu');
  if (alpha === 1) {
    unary('ELU')(node, context);
    return;
  }
  const steps = new Composition(node, context);
  eluParts(steps, alpha, steps.y);
  steps.finish();
}

function writeSelu(node: Node, context: TfliteWriteContext): void {
  const { alpha, gamma } = attrsOf(node, 'Selu');
  const steps = new Composition(node, context);
  steps.step('MUL', [eluParts(steps, alpha), steps.number(gamma)], steps.y);
  steps.finish();
}

/** max(x, 0) + log(1 + exp(−|x|)), which never overflows. */
function softplus(steps: Composition, to?: TfliteTensorRef): TfliteTensorRef {
  const decay = steps.step('EXP', [steps.step('NEG', [steps.step('ABS', [steps.x])])]);
  const tail = steps.step('LOG', [steps.step('ADD', [decay, steps.number(1)])]);
  return steps.step('ADD', [steps.step('RELU', [steps.x]), tail], to);
}

function writeSoftplus(node: Node, context: TfliteWriteContext): void {
  const steps = new Composition(node, context);
  softplus(steps, steps.y);
  steps.finish();
}

function writeMish(node: Node, context: TfliteWriteContext): void {
  const steps = new Composition(node, context);
  steps.step('MUL', [steps.x, steps.step('TANH', [softplus(steps)])], steps.y);
  steps.finish();
}

function writeSoftsign(node: Node, context: TfliteWriteContext): void {
  const steps = new Composition(node, context);
  const size = steps.step('ADD', [steps.step('ABS', [steps.x]), steps.number(1)]);
  steps.step('DIV', [steps.x, size], steps.y);
  steps.finish();
}

/** relu6(6 × alpha × x + 6 × beta) / 6. */
function writeHardSigmoid(node: Node, context: TfliteWriteContext): void {
  const { alpha, beta } = attrsOf(node, 'HardSigmoid');
  const steps = new Composition(node, context);
  // A sixth is not a float32: what comes from one is meant as one.
  const isSixth = Math.abs(6 * alpha - 1) < 1e-6;
  const scaled = isSixth ? steps.x : steps.step('MUL', [steps.x, steps.number(6 * alpha)]);
  const limited = steps.step('ADD', [scaled, steps.number(6 * beta)], undefined, 'relu6');
  steps.step('MUL', [limited, steps.number(1 / 6)], steps.y);
  steps.finish();
}

/** x × LOGISTIC(x); the inner tensor has the parameters that the specification fixes for LOGISTIC. */
function writeSwish(node: Node, context: TfliteWriteContext): void {
  const x = inputValue(node, context, 0);
  const fixed =
    x.type.dtype === 'int16'
      ? { scales: [1 / 32768], zeroPoints: [0] }
      : { scales: [1 / 256], zeroPoints: [x.type.dtype === 'uint8' ? 0 : -128] };
  const sigmoid = context.inner(`${node.id}/sigmoid`, x.type, x.quant && fixed);
  context.op('LOGISTIC', [context.tensor(x.id)], [sigmoid]);
  context.op('MUL', [context.tensor(x.id), sigmoid], [outputTensor(node, context)], {
    table: 'MulOptions',
    fields: {},
  });
}

function writeGelu(node: Node, context: TfliteWriteContext): void {
  context.op('GELU', [inputTensor(node, context, 0)], [outputTensor(node, context)], {
    table: 'GeluOptions',
    fields: { approximate: attrsOf(node, 'Gelu').approximate },
  });
}

/** SOFTMAX and LOG_SOFTMAX work on the last axis; another one is moved there and back. */
function overLastAxis(
  builtin: string,
  options?: { table: string; fields: Record<string, unknown> },
): TfliteWriter {
  return (node, context) => {
    const [x, y] = [inputValue(node, context, 0), outputValue(node, context)];
    const shape = x.type.shape as number[];
    const axis = frontAxis(node.attrs.axis as number, shape.length);
    if (axis === shape.length - 1) {
      context.op(builtin, [context.tensor(x.id)], [context.tensor(y.id)], options);
      return;
    }
    const perm = shape.map((_, i) => i);
    perm[axis] = shape.length - 1;
    perm[shape.length - 1] = axis;
    const order = int32Vector(context, `${node.id}/perm`, perm);
    const turned = perm.map((i) => shape[i]);
    const before = innerLike(context, `${node.id}/turned`, x, turned);
    const after = innerLike(context, `${node.id}/normalized`, y, turned);
    context.op('TRANSPOSE', [context.tensor(x.id), order], [before]);
    context.op(builtin, [before], [after], options);
    context.op('TRANSPOSE', [after, order], [context.tensor(y.id)]);
  };
}

export const activationTflite = {
  write: {
    Relu: unary('RELU'),
    Clip: writeClip,
    LeakyRelu: writeLeakyRelu,
    PRelu: writePRelu,
    Elu: writeElu,
    Selu: writeSelu,
    Sigmoid: unary('LOGISTIC'),
    HardSigmoid: writeHardSigmoid,
    HardSwish: unary('HARD_SWISH'),
    Swish: writeSwish,
    Tanh: unary('TANH'),
    Softplus: writeSoftplus,
    Softsign: writeSoftsign,
    Gelu: writeGelu,
    Mish: writeMish,
    Softmax: overLastAxis('SOFTMAX', { table: 'SoftmaxOptions', fields: { beta: 1 } }),
    LogSoftmax: overLastAxis('LOG_SOFTMAX'),
  },
  read: activationTfliteReaders,
} satisfies TfliteFacet;
