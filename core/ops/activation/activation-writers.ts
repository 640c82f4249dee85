/** Writes activation functions to ONNX; those that the opset lacks are written out in their parts. */
import type { OnnxWriteContext } from '../facets.ts';
import { float, int, type OnnxWriter, plainWriter, scalarLike } from '../onnx-helpers.ts';

function floatsWriter(opType: string, names: readonly string[]): OnnxWriter {
  return (node, context) =>
    context.node(
      opType,
      node.inputs,
      node.outputs,
      Object.fromEntries(names.map((name) => [name, float(node.attrs[name] as number)])),
    );
}

const writeAxis =
  (opType: string): OnnxWriter =>
  (node, context) =>
    context.node(opType, node.inputs, node.outputs, { axis: int(node.attrs.axis as number) });

/** Optional limits at the end are left out. */
const writeClip: OnnxWriter = (node, context) => {
  const [x, low, high] = node.inputs;
  const inputs = high ? [x, low ?? null, high] : low ? [x, low] : [x];
  context.node('Clip', inputs, node.outputs);
};

/** Adds nodes one after another; each step's value is named after the output. */
function steps(context: OnnxWriteContext, output: string) {
  return (opType: string, inputs: readonly string[], what: string): string => {
    const name = context.fresh(`${output}/${what}`);
    context.node(opType, inputs, [name]);
    return name;
  };
}

const writeSwish: OnnxWriter = (node, context) => {
  const [x, output] = [node.inputs[0]!, node.outputs[0]];
  const gate = steps(context, output)('Sigmoid', [x], 'gate');
  context.node('Mul', [x, gate], [output]);
};

const writeHardSwish: OnnxWriter = (node, context) => {
  if (context.opset >= 14) {
    plainWriter('HardSwish')(node, context);
    return;
  }
  const [x, output] = [node.inputs[0]!, node.outputs[0]];
  const gate = context.fresh(`${output}/gate`);
  context.node('HardSigmoid', [x], [gate], { alpha: float(1 / 6), beta: float(0.5) });
  context.node('Mul', [x, gate], [output]);
};

const writeMish: OnnxWriter = (node, context) => {
  if (context.opset >= 18) {
    plainWriter('Mish')(node, context);
    return;
  }
  const [x, output] = [node.inputs[0]!, node.outputs[0]];
  const step = steps(context, output);
  context.node('Mul', [x, step('Tanh', [step('Softplus', [x], 'softplus')], 'gate')], [output]);
};

/** x × (1 + erf(x / √2)) / 2, or with tanh(√(2/π) (x + 0.044715 x³)) in place of erf (Hendrycks & Gimpel). */
const writeGelu: OnnxWriter = (node, context) => {
  const [x, output] = [node.inputs[0]!, node.outputs[0]];
  const approximate = node.attrs.approximate === true;
  if (context.opset >= 20) {
    context.node('Gelu', [x], [output], { approximate: { string: approximate ? 'tanh' : 'none' } });
    return;
  }
  const step = steps(context, output);
  const number = (what: string, value: number) => scalarLike(context, x, `${output}/${what}`, value);
  let inside: string;
  if (approximate) {
    const square = step('Mul', [x, x], 'square');
    const cube = step('Mul', [square, x], 'cube');
    const scaled = step('Mul', [cube, number('cubic', 0.044715)], 'scaled');
    const sum = step('Add', [x, scaled], 'sum');
    inside = step('Tanh', [step('Mul', [sum, number('factor', Math.sqrt(2 / Math.PI))], 'argument')], 'tanh');
  } else {
    inside = step('Erf', [step('Div', [x, number('root', Math.SQRT2)], 'argument')], 'erf');
  }
  const gate = step('Mul', [step('Add', [inside, number('one', 1)], 'raised'), number('half', 0.5)], 'gate');
  context.node('Mul', [x, gate], [output]);
};

export const activationWriters = {
  Relu: plainWriter('Relu'),
  Clip: writeClip,
  LeakyRelu: floatsWriter('LeakyRelu', ['alpha']),
  PRelu: plainWriter('PRelu'),
  Elu: floatsWriter('Elu', ['alpha']),
  Selu: floatsWriter('Selu', ['alpha', 'gamma']),
  Sigmoid: plainWriter('Sigmoid'),
  HardSigmoid: floatsWriter('HardSigmoid', ['alpha', 'beta']),
  HardSwish: writeHardSwish,
  Swish: writeSwish,
  Tanh: plainWriter('Tanh'),
  Softplus: plainWriter('Softplus'),
  Softsign: plainWriter('Softsign'),
  Gelu: writeGelu,
  Mish: writeMish,
  Softmax: writeAxis('Softmax'),
  LogSoftmax: writeAxis('LogSoftmax'),
} satisfies Record<string, OnnxWriter>;
