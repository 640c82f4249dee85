/** ONNX BatchNormalization (7, 9, 14, 15), LayerNormalization (17), InstanceNormalization (1, 6). */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import type { OnnxFacet, OnnxNodeView, OnnxReader } from '../facets.ts';
import {
  float,
  inner,
  input,
  int,
  integers,
  ints,
  named,
  type OnnxWriter,
  only,
  scalar,
  scalarLike,
  since,
} from '../onnx-helpers.ts';
import type { BatchNormalizationAttrs, LayerNormalizationAttrs } from '../vocabulary.ts';

const readBatchNormalization: OnnxReader = (node, builder) => {
  only(node, 'training_mode', node.int('training_mode', 0), 0);
  only(node, 'spatial', node.int('spatial', 1), 1);
  // The momentum of running statistics matters to training only.
  node.float('momentum', 0.9);
  const attrs: BatchNormalizationAttrs = { epsilon: node.float('epsilon', 1e-5), axis: 1 };
  builder.add(
    'BatchNormalization',
    node.inputs,
    { ...attrs },
    { name: node.name, outputs: node.outputs.slice(0, 1) },
  );
};

const readLayerNormalization: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  only(node, 'stash_type', node.int('stash_type', 1), 1);
  const axis = node.int('axis', -1);
  const attrs: LayerNormalizationAttrs = {
    epsilon: node.float('epsilon', 1e-5),
    axis: axis < 0 ? axis + x.type.shape.length : axis,
  };
  builder.add(
    'LayerNormalization',
    [x, input(node, 1), node.inputs[2] ?? null],
    { ...attrs },
    { name: node.name, outputs: node.outputs.slice(0, 1) },
  );
  if (node.outputs.length > 1) addStatistics(node, builder, x, attrs);
};

/** Mean and 1 / deviation, which training wants. */
function addStatistics(
  node: OnnxNodeView,
  builder: GraphBuilder,
  x: Value,
  { axis, epsilon }: LayerNormalizationAttrs,
): void {
  const axes = integers(
    builder,
    node,
    'axes',
    x.type.shape.map((_, i) => i).filter((i) => i >= axis),
  );
  const named = (output: number, what: string) =>
    node.outputs[output] === undefined
      ? inner(node, what)
      : { name: `${node.name}/${what}`, outputs: [node.outputs[output]] };
  const mean = builder.one('ReduceMean', [x, axes], { keepDims: true }, named(1, 'mean'));
  const centered = builder.one('Sub', [x, mean], { activation: 'none' }, inner(node, 'centered'));
  const squared = builder.one('Mul', [centered, centered], { activation: 'none' }, inner(node, 'squared'));
  const variance = builder.one('ReduceMean', [squared, axes], { keepDims: true }, inner(node, 'variance'));
  const small = scalar(builder, node, 'epsilon', x.type.dtype, epsilon);
  const shifted = builder.one('Add', [variance, small], { activation: 'none' }, inner(node, 'shifted'));
  const deviation = builder.one('Sqrt', [shifted], {}, inner(node, 'deviation'));
  if (node.outputs[2] !== undefined) builder.add('Reciprocal', [deviation], {}, named(2, 'inverse'));
}

/** Statistics over space, per sample and channel: mean, variance, then scale and shift per channel. */
const readInstanceNormalization: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const space = x.type.shape.map((_, axis) => axis).slice(2);
  const axes = integers(builder, node, 'axes', space);
  const mean = builder.one('ReduceMean', [x, axes], { keepDims: true }, inner(node, 'mean'));
  const centered = builder.one('Sub', [x, mean], { activation: 'none' }, inner(node, 'centered'));
  const squared = builder.one('Mul', [centered, centered], { activation: 'none' }, inner(node, 'squared'));
  const variance = builder.one('ReduceMean', [squared, axes], { keepDims: true }, inner(node, 'variance'));
  const epsilon = scalar(builder, node, 'epsilon', x.type.dtype, node.float('epsilon', 1e-5));
  const shifted = builder.one('Add', [variance, epsilon], { activation: 'none' }, inner(node, 'shifted'));
  const deviation = builder.one('Sqrt', [shifted], {}, inner(node, 'deviation'));
  const normal = builder.one('Div', [centered, deviation], { activation: 'none' }, inner(node, 'normal'));
  const after = integers(
    builder,
    node,
    'channel',
    space.map((_, i) => i + 1),
  );
  const scale = builder.one('Unsqueeze', [input(node, 1), after], {}, inner(node, 'scale'));
  const bias = builder.one('Unsqueeze', [input(node, 2), after], {}, inner(node, 'bias'));
  const scaled = builder.one('Mul', [normal, scale], { activation: 'none' }, inner(node, 'scaled'));
  builder.add('Add', [scaled, bias], { activation: 'none' }, named(node));
};

const writeBatchNormalization: OnnxWriter = (node, context) => {
  const attrs = node.attrs as unknown as BatchNormalizationAttrs;
  if (attrs.axis !== 1) context.refuse(`it normalizes over axis ${attrs.axis}; ONNX knows axis 1 only`);
  context.node('BatchNormalization', node.inputs, node.outputs, { epsilon: float(attrs.epsilon) });
};

const writeLayerNormalization: OnnxWriter = (node, context) => {
  const attrs = node.attrs as unknown as LayerNormalizationAttrs;
  const [x, scale, bias] = [node.inputs[0]!, node.inputs[1]!, node.inputs[2] ?? null];
  const [output] = node.outputs;
  if (context.opset >= 17) {
    context.node('LayerNormalization', bias === null ? [x, scale] : [x, scale, bias], [output], {
      axis: int(attrs.axis),
      epsilon: float(attrs.epsilon),
    });
    return;
  }
  const axes = context
    .value(x)
    .type.shape.map((_, axis) => axis)
    .slice(attrs.axis);
  const step = (opType: string, inputs: readonly string[], what: string, to?: string) => {
    const name = to ?? context.fresh(`${output}/${what}`);
    context.node(
      opType,
      inputs,
      [name],
      opType === 'ReduceMean' ? { axes: ints(axes), keepdims: int(1) } : {},
    );
    return name;
  };
  const mean = step('ReduceMean', [x], 'mean');
  const centered = step('Sub', [x, mean], 'centered');
  const squared = step('Mul', [centered, centered], 'squared');
  const variance = step('ReduceMean', [squared], 'variance');
  const shifted = step(
    'Add',
    [variance, scalarLike(context, x, `${output}/epsilon`, attrs.epsilon)],
    'shifted',
  );
  const deviation = step('Sqrt', [shifted], 'deviation');
  const normal = step('Div', [centered, deviation], 'normal');
  if (bias === null) step('Mul', [normal, scale], 'scaled', output);
  else step('Add', [step('Mul', [normal, scale], 'scaled'), bias], 'biased', output);
};

export const normOnnx = {
  read: {
    BatchNormalization: since(7, readBatchNormalization),
    // onnxruntime has it in this form in opsets before its own, 17.
    LayerNormalization: since(1, readLayerNormalization),
    InstanceNormalization: since(6, readInstanceNormalization),
  },
  write: { BatchNormalization: writeBatchNormalization, LayerNormalization: writeLayerNormalization },
} satisfies OnnxFacet;
