/** Keras' activation functions by name (`keras.activations`), as IR nodes. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Attrs, Value } from '../../ir/graph.ts';
import type { KerasLayerView } from '../facets.ts';
import { axisOf, intsConstant, scalarConstant } from '../keras-layers.ts';

/** What an activation is made with: names of its nodes start with `name`, the last one is `name` itself. */
interface Site {
  readonly layer: KerasLayerView;
  readonly builder: GraphBuilder;
  readonly name: string;
  /** Options of the function or layer that stands for it. */
  readonly options: Readonly<Record<string, unknown>>;
}

type Activation = (x: Value, site: Site) => Value;

export function isLinear(activation: unknown): boolean {
  return activation === undefined || activation === null || activation === 'linear';
}

/**
 * Applies an activation in any form in which configurations hold one: a name, a serialized function, a serialized
 * layer. Its last node is named `name`.
 */
export function applyActivation(
  layer: KerasLayerView,
  builder: GraphBuilder,
  x: Value,
  activation: unknown,
  name: string,
): Value {
  const { key, options } = identify(layer, activation);
  if (isLinear(key)) return x;
  const make = activations[key] ?? activations[layerFunctions[key]];
  if (!make) {
    return layer.refuse(
      `the activation ${key} is not known`,
      'Its code is not in the file. Use an activation of keras.activations and save the model again.',
    );
  }
  return make(x, { layer, builder, name, options });
}

/** Runs `build` under the layer's name, or under an inner name when an activation follows. */
export function withActivation(
  layer: KerasLayerView,
  builder: GraphBuilder,
  build: (name: string) => Value,
): Value {
  const { activation } = layer.config;
  if (isLinear(activation)) return build(layer.name);
  return applyActivation(layer, builder, build(`${layer.name}/pre`), activation, layer.name);
}

function identify(layer: KerasLayerView, activation: unknown): { key: string; options: Site['options'] } {
  if (activation === undefined || activation === null) return { key: 'linear', options: {} };
  if (typeof activation === 'string') return { key: activation, options: {} };
  if (typeof activation === 'object' && 'class_name' in activation) {
    const { class_name: className, config } = activation as { class_name: unknown; config?: unknown };
    if (className === 'function' && typeof config === 'string') return { key: config, options: {} };
    if (typeof className === 'string') {
      const options = typeof config === 'object' && config !== null ? config : {};
      return { key: className, options: options as Record<string, unknown> };
    }
  }
  return layer.refuse(`the activation ${JSON.stringify(activation)} cannot be read`);
}

const layerFunctions: Readonly<Record<string, string>> = {
  ReLU: 'relu_layer',
  LeakyReLU: 'leaky_relu_layer',
  ELU: 'elu',
  Softmax: 'softmax',
};

function op(type: string, attrs: Attrs = {}): Activation {
  return (x, { builder, name }) => builder.one(type, [x], attrs, { name });
}

function number(site: Site, option: string, fallback: number): number {
  const value = site.options[option];
  return typeof value === 'number' ? value : fallback;
}

function constant(site: Site, suffix: string, value: number): Value {
  return scalarConstant(site.builder, `${site.name}/${suffix}`, value);
}

function inner(
  site: Site,
  type: string,
  inputs: readonly (Value | null)[],
  suffix: string,
  attrs: Attrs = {},
) {
  return site.builder.one(type, inputs, attrs, { name: `${site.name}/${suffix}` });
}

function last(site: Site, type: string, inputs: readonly (Value | null)[], attrs: Attrs = {}): Value {
  return site.builder.one(type, inputs, attrs, { name: site.name });
}

const fused = { activation: 'none' } as const;

function clip(x: Value, site: Site, low: number | null, high: number | null): Value {
  const min = low === null ? null : constant(site, 'min', low);
  const max = high === null ? null : constant(site, 'max', high);
  return last(site, 'Clip', [x, min, max]);
}

/** `relu(x, negative_slope, max_value, threshold)` of Keras. */
export function relu(
  x: Value,
  site: Site,
  options: { slope: number; max: number | null; threshold: number },
): Value {
  const { slope, max, threshold } = options;
  const step = max === null ? site : { ...site, name: `${site.name}/rectified` };
  if (threshold === 0 && slope === 0) {
    return max === null ? last(site, 'Relu', [x]) : clip(x, site, 0, max);
  }
  let y: Value;
  if (threshold === 0) {
    y = last(step, 'LeakyRelu', [x], { alpha: slope });
  } else {
    const limit = constant(site, 'threshold', threshold);
    const below = inner(site, 'Less', [x, limit], 'below');
    const scale = constant(site, 'slope', slope);
    const low =
      slope === 0
        ? scale
        : inner(site, 'Mul', [inner(site, 'Sub', [x, limit], 'over', fused), scale], 'low', fused);
    y = last(step, 'Where', [below, low, x]);
  }
  return max === null ? y : clip(y, site, null, max);
}

const softmaxOver =
  (type: 'Softmax' | 'LogSoftmax'): Activation =>
  (x, site) => {
    const axis = site.options.axis ?? -1;
    if (typeof axis === 'number') {
      return last(site, type, [x], { axis: axisOf(site.layer, axis, x.type.shape.length) });
    }
    return site.layer.refuse(`softmax over the axes ${JSON.stringify(axis)}; one axis is read`);
  };

/** clip(x / 6 + 1/2, 0, 1) since Keras 3 (`relu6(x + 3) / 6`), clip(0.2 x + 0.5, 0, 1) before. */
function hardSigmoid(x: Value, site: Site): Value {
  return last(site, 'HardSigmoid', [x], { alpha: site.layer.dialect === 3 ? 1 / 6 : 0.2, beta: 0.5 });
}

const activations: Readonly<Record<string, Activation>> = {
  relu: (x, site) => relu(x, site, { slope: 0, max: null, threshold: 0 }),
  relu_layer: (x, site) =>
    relu(x, site, {
      slope: number(site, 'negative_slope', 0),
      max: typeof site.options.max_value === 'number' ? site.options.max_value : null,
      threshold: number(site, 'threshold', 0),
    }),
  relu6: (x, site) => clip(x, site, 0, 6),
  leaky_relu: (x, site) => last(site, 'LeakyRelu', [x], { alpha: number(site, 'negative_slope', 0.2) }),
  leaky_relu_layer: (x, site) =>
    last(site, 'LeakyRelu', [x], { alpha: number(site, 'negative_slope', number(site, 'alpha', 0.3)) }),
  elu: (x, site) => last(site, 'Elu', [x], { alpha: number(site, 'alpha', 1) }),
  selu: op('Selu', { alpha: 1.6732632423543772, gamma: 1.0507009873554805 }),
  softplus: op('Softplus'),
  softsign: op('Softsign'),
  sigmoid: op('Sigmoid'),
  tanh: op('Tanh'),
  silu: op('Swish'),
  swish: op('Swish'),
  gelu: (x, site) => last(site, 'Gelu', [x], { approximate: site.options.approximate === true }),
  exponential: op('Exp'),
  mish: op('Mish'),
  softmax: softmaxOver('Softmax'),
  log_softmax: softmaxOver('LogSoftmax'),
  hard_sigmoid: hardSigmoid,
  hard_silu: op('HardSwish'),
  hard_swish: op('HardSwish'),
  hard_tanh: (x, site) => clip(x, site, -1, 1),
  log_sigmoid(x, site) {
    const soft = inner(site, 'Softplus', [inner(site, 'Neg', [x], 'negated')], 'softplus');
    return last(site, 'Neg', [soft]);
  },
  tanh_shrink: (x, site) => last(site, 'Sub', [x, inner(site, 'Tanh', [x], 'tanh')], fused),
  celu(x, site) {
    const alpha = number(site, 'alpha', 1);
    if (alpha === 1) return last(site, 'Elu', [x], { alpha: 1 });
    const scaled = inner(site, 'Div', [x, constant(site, 'alpha', alpha)], 'scaled', fused);
    const curve = inner(site, 'Elu', [scaled], 'curve', { alpha: 1 });
    return last(site, 'Mul', [curve, constant(site, 'alpha', alpha)], fused);
  },
  soft_shrink(x, site) {
    const threshold = number(site, 'threshold', 0.5);
    const up = inner(
      site,
      'Relu',
      [inner(site, 'Sub', [x, constant(site, 'threshold', threshold)], 'above', fused)],
      'up',
    );
    const low = inner(site, 'Add', [x, constant(site, 'threshold', threshold)], 'below', fused);
    const down = inner(site, 'Min', [low, constant(site, 'zero', 0)], 'down');
    return last(site, 'Add', [up, down], fused);
  },
  hard_shrink(x, site) {
    const outside = inner(
      site,
      'Greater',
      [inner(site, 'Abs', [x], 'abs'), constant(site, 'threshold', number(site, 'threshold', 0.5))],
      'outside',
    );
    return last(site, 'Where', [outside, x, constant(site, 'zero', 0)]);
  },
  squareplus(x, site) {
    const square = inner(site, 'Mul', [x, x], 'square', fused);
    const root = inner(
      site,
      'Sqrt',
      [inner(site, 'Add', [square, constant(site, 'b', number(site, 'b', 4))], 'raised', fused)],
      'root',
    );
    return last(
      site,
      'Mul',
      [inner(site, 'Add', [x, root], 'sum', fused), constant(site, 'half', 0.5)],
      fused,
    );
  },
  /** 0 below −1, x above 1, (x + 1)² / 4 between: with c = clip(x, −1, 1), (c + 1)² / 4 + relu(x − 1). */
  sparse_plus(x, site) {
    const middle = clip(x, { ...site, name: `${site.name}/middle` }, -1, 1);
    const raised = inner(site, 'Add', [middle, constant(site, 'one', 1)], 'raised', fused);
    const half = inner(site, 'Mul', [raised, constant(site, 'half', 0.5)], 'half_raised', fused);
    const curve = inner(site, 'Mul', [half, half], 'curve', fused);
    const over = inner(
      site,
      'Relu',
      [inner(site, 'Sub', [x, constant(site, 'one', 1)], 'rest', fused)],
      'over',
    );
    return last(site, 'Add', [curve, over], fused);
  },
  sparse_sigmoid: (x, site) => last(site, 'HardSigmoid', [x], { alpha: 0.5, beta: 0.5 }),
  /** The first half of the axis times the sigmoid of the second. */
  glu(x, site) {
    const axis = axisOf(site.layer, number(site, 'axis', -1), x.type.shape.length);
    const size = x.type.shape[axis];
    if (typeof size !== 'number' || size % 2 !== 0) {
      return site.layer.refuse(`glu needs an even number of channels, not ${size}`);
    }
    const sizes = intsConstant(site.builder, `${site.name}/sizes`, [size / 2, size / 2]);
    const [value, gate] = site.builder.add('Split', [x, sizes], { axis }, { name: `${site.name}/halves` });
    return last(site, 'Mul', [value, inner(site, 'Sigmoid', [gate], 'gate')], fused);
  },
};
