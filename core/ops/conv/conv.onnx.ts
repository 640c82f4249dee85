/** ONNX Conv and ConvTranspose (opset 1, 11, 22: types only). */
import type { Value } from '../../ir/graph.ts';
import type { OnnxFacet, OnnxNodeView, OnnxReader } from '../facets.ts';
import {
  input,
  int,
  ints,
  named,
  type OnnxWriter,
  requireChannelsFirst,
  since,
  writeActivated,
} from '../onnx-helpers.ts';
import { perAxis, readSpatial, writeSpatial } from '../onnx-spatial.ts';
import type { ConvAttrs, ConvTransposeAttrs } from '../vocabulary.ts';

/** Kernel sizes, which the weights give and `kernel_shape` may repeat. */
function kernelOf(node: OnnxNodeView, weights: Value): number[] {
  const kernel = weights.type.shape.slice(2);
  const declared = node.ints('kernel_shape');
  if (kernel.length < 1 || kernel.some((size) => typeof size !== 'number')) {
    node.refuse(`the weights have shape [${weights.type.shape.join(', ')}]`);
  }
  if (declared && String(declared) !== String(kernel)) {
    node.refuse(`kernel_shape = [${declared.join(', ')}], but the weights are for [${kernel.join(', ')}]`);
  }
  return kernel as number[];
}

const readConv: OnnxReader = (node, builder) => {
  const [x, weights] = [input(node, 0), input(node, 1)];
  const attrs: ConvAttrs = {
    ...readSpatial(node, x, kernelOf(node, weights)),
    group: node.int('group', 1),
    activation: 'none',
  };
  builder.add('Conv', [x, weights, node.inputs[2] ?? null], { ...attrs }, named(node));
};

/** ONNX ConvTranspose: `output_shape`, or SAME (input × stride), decides the pads. */
const readConvTranspose: OnnxReader = (node, builder) => {
  const [x, weights] = [input(node, 0), input(node, 1)];
  const kernel = kernelOf(node, weights);
  const axes = kernel.length;
  const strides = perAxis(node, 'strides', axes, 1);
  const dilations = perAxis(node, 'dilations', axes, 1);
  let outputPadding = perAxis(node, 'output_padding', axes, 0);
  const autoPad = node.string('auto_pad', 'NOTSET');
  let pads = node.ints('pads') ?? new Array<number>(2 * axes).fill(0);
  if (autoPad === 'VALID') pads = new Array<number>(2 * axes).fill(0);
  const size = (i: number): number => {
    const dim = x.type.shape[i + 2];
    if (typeof dim === 'number') return dim;
    throw new Error(`${node.opType} "${node.name}" is given its output's size, but its input's size is open`);
  };
  const same = autoPad.startsWith('SAME');
  const wanted =
    node.ints('output_shape')?.slice(-axes) ?? (same ? strides.map((s, i) => size(i) * s) : undefined);
  if (wanted) {
    const totals = kernel.map(
      (k, i) => strides[i] * (size(i) - 1) + outputPadding[i] + dilations[i] * (k - 1) + 1 - wanted[i],
    );
    // What no padding can reach is added at the end.
    outputPadding = outputPadding.map((added, i) => added + Math.max(0, -totals[i]));
    const less = totals.map((total) => Math.floor(Math.max(0, total) / 2));
    const more = totals.map((total, i) => Math.max(0, total) - less[i]);
    pads = autoPad === 'SAME_UPPER' ? [...less, ...more] : [...more, ...less];
  }
  const attrs: ConvTransposeAttrs = {
    layout: 'NCHW',
    strides,
    dilations,
    pads,
    outputPadding,
    group: node.int('group', 1),
    activation: 'none',
  };
  builder.add('ConvTranspose', [x, weights, node.inputs[2] ?? null], { ...attrs }, named(node));
};

/** Trailing inputs that are left out are not written. */
function present(inputs: readonly (string | null)[]): (string | null)[] {
  return inputs[2] === null ? inputs.slice(0, 2) : [...inputs];
}

const writeConv: OnnxWriter = (node, context) => {
  requireChannelsFirst(node, context);
  const attrs = node.attrs as unknown as ConvAttrs;
  writeActivated(node, context, (output) =>
    context.node('Conv', present(node.inputs), [output], {
      ...writeSpatial(attrs),
      group: int(attrs.group),
      kernel_shape: ints(context.value(node.inputs[1]!).type.shape.slice(2) as number[]),
    }),
  );
};

const writeConvTranspose: OnnxWriter = (node, context) => {
  requireChannelsFirst(node, context);
  const attrs = node.attrs as unknown as ConvTransposeAttrs;
  writeActivated(node, context, (output) =>
    context.node('ConvTranspose', present(node.inputs), [output], {
      ...writeSpatial(attrs),
      group: int(attrs.group),
      kernel_shape: ints(context.value(node.inputs[1]!).type.shape.slice(2) as number[]),
      output_padding: ints(attrs.outputPadding),
    }),
  );
};

export const convOnnx = {
  read: { Conv: since(1, readConv), ConvTranspose: since(1, readConvTranspose) },
  write: { Conv: writeConv, ConvTranspose: writeConvTranspose },
} satisfies OnnxFacet;
