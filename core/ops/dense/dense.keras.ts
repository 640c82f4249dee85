import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { permute } from '../../ir/tensor.ts';
import { withActivation } from '../activation/keras-activations.ts';
import type { KerasFacet, KerasLayerView, KerasReader } from '../facets.ts';
import { argumentOf, dtypeAmong, operand, tensorArgument } from '../keras-arguments.ts';
import {
  axisOf,
  intsConstant,
  onlyInput,
  reshapeTo,
  resultOf,
  scalarConstant,
  shapeOf,
  weightConstant,
} from '../keras-layers.ts';
import { EinsumError, einsum } from './einsum.ts';

const dense: KerasReader = (layer, builder) => {
  const x = onlyInput(layer);
  const columns = shapeOf(layer, x).at(-1)!;
  const units = layer.int('units');
  const kernel = permute(layer.weight('kernel', [columns, units]), [1, 0]);
  const weights = weightConstant(builder, `${layer.name}/kernel`, kernel);
  const bias = layer.boolean('use_bias', true)
    ? weightConstant(builder, `${layer.name}/bias`, layer.weight('bias', [units]))
    : null;
  return [
    withActivation(layer, builder, (name) =>
      builder.one('FullyConnected', [x, weights, bias], { activation: 'none' }, { name }),
    ),
  ];
};

function guarded(layer: KerasLayerView, run: () => Value): Value {
  try {
    return run();
  } catch (error) {
    if (error instanceof EinsumError) return layer.refuse(error.message);
    throw error;
  }
}

/** The bias has its own axes, named by `bias_axes`; between the axes of the output it is broadcast. */
const einsumDense: KerasReader = (layer, builder) => {
  const x = onlyInput(layer);
  const equation = layer.string('equation');
  const kernel = layer.weight('kernel');
  const axes = layer.config.bias_axes;
  if (axes === null || axes === undefined || axes === '') {
    return [
      withActivation(layer, builder, (name) =>
        guarded(layer, () => einsum(builder, equation, x, kernel, name)),
      ),
    ];
  }
  const out = equation.split('->')[1]?.trim() ?? '';
  const bias = layer.weight('bias');
  return [
    withActivation(layer, builder, (name) => {
      if (out.endsWith(String(axes)) && String(axes).length === 1) {
        return guarded(layer, () => einsum(builder, equation, x, kernel, name, bias));
      }
      const product = guarded(layer, () => einsum(builder, equation, x, kernel, `${name}/product`));
      const letters = out.replace('...', '');
      const first = letters.split('').findIndex((letter) => String(axes).includes(letter));
      let next = 0;
      const shape = letters
        .slice(first)
        .split('')
        .map((letter) => (String(axes).includes(letter) ? bias.shape[next++] : 1));
      const value = weightConstant(builder, `${layer.name}/bias`, { ...bias, shape });
      return builder.one('Add', [product, value], { activation: 'none' }, { name });
    }),
  ];
};

/** Sums products over one axis of each side; `normalize` gives the sides length 1 along it first. */
const dot: KerasReader = (layer, builder) => {
  if (layer.inputs.length !== 2) return layer.refuse(`takes 2 inputs, not ${layer.inputs.length}`);
  const { axes } = layer.config;
  const given = Array.isArray(axes) ? axes : [axes, axes];
  const sides = layer.inputs.map((x, i) => {
    const shape = shapeOf(layer, x);
    if (shape.length > 3 || shape.length < 2) {
      return layer.refuse(`takes tensors of 2 or 3 axes, not [${shape.join(', ')}]`);
    }
    return {
      x,
      shape,
      axis: axisOf(layer, Number(given[i]), shape.length),
      suffix: i === 0 ? 'left' : 'right',
    };
  });
  const [left, right] = sides.map(({ x, shape, axis, suffix }, i) => {
    const y = layer.boolean('normalize', false) ? unitLength(layer, builder, x, axis, suffix) : x;
    const size = shape[axis];
    if (shape.length === 2) {
      return reshapeTo(
        builder,
        y,
        i === 0 ? [shape[0], 1, size] : [shape[0], size, 1],
        `${layer.name}/${suffix}`,
      );
    }
    const isInPlace = axis === (i === 0 ? 2 : 1);
    if (isInPlace) return y;
    return builder.one('Transpose', [y], { perm: [0, 2, 1] }, { name: `${layer.name}/${suffix}` });
  });
  const product = builder.one('MatMul', [left, right], {}, { name: `${layer.name}/product` });
  const rest = sides.flatMap(({ shape, axis }) => shape.filter((_, i) => i !== 0 && i !== axis));
  return [reshapeTo(builder, product, [sides[0].shape[0], ...(rest.length > 0 ? rest : [1])], layer.name)];
};

/** x / √(max(Σx², 1e-12)). */
function unitLength(
  layer: KerasLayerView,
  builder: GraphBuilder,
  x: Value,
  axis: number,
  suffix: string,
): Value {
  const name = `${layer.name}/${suffix}_unit`;
  const node = (op: string, inputs: readonly Value[], part: string, attrs = {}) =>
    builder.one(op, inputs, attrs, { name: `${name}/${part}` });
  const square = node('Mul', [x, x], 'square', { activation: 'none' });
  const sum = node('ReduceSum', [square, intsConstant(builder, `${name}/axes`, [axis])], 'sum', {
    keepDims: true,
  });
  const floored = node('Max', [sum, scalarConstant(builder, `${name}/epsilon`, 1e-12)], 'floored');
  return node('Div', [x, node('Sqrt', [floored], 'length')], 'scaled', { activation: 'none' });
}

const matmul: KerasReader = (layer, builder) => {
  const left = argumentOf(layer, 0, 'x1', 'a');
  const right = argumentOf(layer, 1, 'x2', 'b');
  for (const option of ['transpose_a', 'transpose_b', 'adjoint_a', 'adjoint_b']) {
    if (layer.kwargs[option] === true) return layer.refuse(`option ${option} is not read`);
  }
  const dtype = dtypeAmong(left, right);
  const sides = [operand(layer, builder, left, dtype, 'x'), operand(layer, builder, right, dtype, 'y')];
  return [resultOf(layer, builder, 'MatMul', sides)];
};

const einsumFunction: KerasReader = (layer, builder) => {
  const isTensorFlow = layer.className === 'TFOpLambda';
  const equation = isTensorFlow ? argumentOf(layer, 0, 'equation') : layer.config.subscripts;
  if (layer.inputs.length !== 2) return layer.refuse(`einsum of ${layer.inputs.length} tensors; 2 are read`);
  const [left, right] = layer.inputs;
  return [guarded(layer, () => einsum(builder, String(equation), left, right, layer.name))];
};

export const denseKeras = {
  Dense: dense,
  EinsumDense: einsumDense,
  Dot: dot,
  'ops.Matmul': matmul,
  'tf.linalg.matmul': matmul,
  'ops.Einsum': einsumFunction,
  'tf.einsum': einsumFunction,
  'tf.linalg.einsum': einsumFunction,
  'ops.Dot': (layer, builder) => {
    const right = tensorArgument(layer, 1, 'x2');
    if (right.type.shape.length > 2)
      return layer.refuse('a product with a tensor of more than 2 axes is not read');
    return matmul(layer, builder);
  },
} satisfies KerasFacet;
