import type { Node } from '../../ir/graph.ts';
import type { TfliteFacet, TfliteTensorRef, TfliteWriteContext } from '../facets.ts';
import { frontAxis } from '../infer-helpers.ts';
import {
  attrsOf,
  constantInput,
  innerLike,
  inputTensor,
  inputValue,
  int32Vector,
  needFloat,
  numberTensor,
  outputTensor,
  outputValue,
  scalarLike,
} from '../tflite-helpers.ts';
import { normTfliteReaders } from './norm.tflite-read.ts';

/** x × scale / √(variance + ε) + (bias − mean × scale / √(variance + ε)). */
function writeBatchNormalization(node: Node, context: TfliteWriteContext): void {
  needFloat(node, context);
  const attrs = attrsOf(node, 'BatchNormalization');
  const y = outputValue(node, context);
  const rank = y.type.shape.length;
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((i) => constantInput(node, context, i)!);
  const factor = scale.map((value, c) => value / Math.sqrt(variance[c] + attrs.epsilon));
  const offset = bias.map((value, c) => value - mean[c] * factor[c]);
  const tail = rank - 1 - frontAxis(attrs.axis, rank);
  const shape = [scale.length, ...new Array<number>(tail).fill(1)];
  const constant = (name: string, values: readonly number[]) =>
    context.constant(`${node.id}/${name}`, numberTensor('float32', shape, values));
  const scaled = innerLike(context, `${node.id}/scaled`, y);
  context.op('MUL', [inputTensor(node, context, 0), constant('factor', factor)], [scaled], {
    table: 'MulOptions',
    fields: {},
  });
  context.op('ADD', [scaled, constant('offset', offset)], [outputTensor(node, context)], {
    table: 'AddOptions',
    fields: {},
  });
}

/** ONNX LayerNormalization, stage one and two, from MEAN, RSQRT and elementwise operators. */
function writeLayerNormalization(node: Node, context: TfliteWriteContext): void {
  needFloat(node, context);
  const attrs = attrsOf(node, 'LayerNormalization');
  const y = outputValue(node, context);
  const shape = y.type.shape as number[];
  const first = frontAxis(attrs.axis, shape.length);
  const few = shape.map((dim, axis) => (axis < first ? dim : 1));
  const axes = int32Vector(context, `${node.id}/axes`, shape.map((_, axis) => axis).slice(first));
  const inner = (name: string, isFew = false) =>
    innerLike(context, `${node.id}/${name}`, y, isFew ? few : shape);
  const apply = (builtin: string, inputs: TfliteTensorRef[], to: TfliteTensorRef): TfliteTensorRef => {
    const table = { ADD: 'AddOptions', MUL: 'MulOptions', SUB: 'SubOptions', MEAN: 'ReducerOptions' }[
      builtin
    ];
    const fields: Record<string, unknown> = builtin === 'MEAN' ? { keep_dims: true } : {};
    context.op(builtin, inputs, [to], table ? { table, fields } : undefined);
    return to;
  };
  const x = inputTensor(node, context, 0);
  const mean = apply('MEAN', [x, axes], inner('mean', true));
  const centred = apply('SUB', [x, mean], inner('centred'));
  const squares = apply('MUL', [centred, centred], inner('squares'));
  const variance = apply('MEAN', [squares, axes], inner('variance', true));
  const epsilon = scalarLike(y, context, `${node.id}/epsilon`, attrs.epsilon);
  const guarded = apply('ADD', [variance, epsilon], inner('guarded', true));
  const inverse = apply('RSQRT', [guarded], inner('inverse', true));
  const steps: [string, TfliteTensorRef][] = [['MUL', inverse]];
  if (node.inputs[1]) steps.push(['MUL', context.tensor(inputValue(node, context, 1).id)]);
  if (node.inputs[2]) steps.push(['ADD', context.tensor(inputValue(node, context, 2).id)]);
  let from = centred;
  steps.forEach(([builtin, operand], i) => {
    const to = i === steps.length - 1 ? outputTensor(node, context) : inner(`step${i}`);
    from = apply(builtin, [from, operand], to);
  });
}

export const normTflite = {
  write: { BatchNormalization: writeBatchNormalization, LayerNormalization: writeLayerNormalization },
  read: normTfliteReaders,
} satisfies TfliteFacet;
