import { WhittleError } from '../../contract/errors.ts';
import type { Value } from '../../ir/graph.ts';
import { type Tensor, tensorOf, toFloat32 } from '../../ir/tensor.ts';
import type { KerasLayerView, KerasWeights } from '../../ops/facets.ts';
import { isRecord, type LayerConfig } from './config.ts';
import type { Masks } from './masks.ts';
import { weightOrder } from './weight-names.ts';
import type { WeightScope } from './weights.ts';

/** What a layer view needs of the model that is being read. */
export interface LayerHost {
  readonly dialect: 1 | 2 | 3;
  readonly masks: Masks;
  /** Called with each weight that is used, for the count of parameters. */
  used(tensor: Tensor): void;
  /** Parses the configuration of a layer that is nested in another one. */
  parseInner(raw: unknown): LayerConfig;
  /** Adds a call of a layer to the graph. */
  callLayer(layer: LayerConfig, name: string, weights: WeightScope, call: BoundCall): Value[];
}

/** A call whose tensor references have been replaced by values. */
export interface BoundCall {
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/** @param name the layer's path in the whole model, which is unique: nested layers carry their model's name. */
export function layerView(
  host: LayerHost,
  layer: LayerConfig,
  name: string,
  scope: WeightScope,
  call: BoundCall,
): KerasLayerView {
  const { className, config } = layer;
  const refuse = (message: string, hint?: string): never => {
    throw new WhittleError('model.unsupported-option', `${name} (${className}): ${message}`, { hint });
  };
  const invalid = (message: string): never => {
    throw new WhittleError('model.invalid', `${name} (${className}): ${message}`, {
      hint: 'The configuration and the weights of the file do not belong together. Save the model again.',
    });
  };
  const option = <T>(key: string, kind: string, is: (value: unknown) => value is T, fallback?: T): T => {
    const value = config[key] ?? fallback;
    if (value !== undefined && is(value)) return value;
    return refuse(`option ${key} is ${JSON.stringify(config[key] ?? null)}; ${kind} is expected`);
  };
  const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
  const weights = weightsOf(host, scope, className, config, `${name} (${className})`, invalid);

  return {
    className,
    name,
    config,
    dialect: host.dialect,
    inputs: valuesIn(call.args),
    args: call.args,
    kwargs: call.kwargs,
    ...weights,
    part: (attribute, partName, partClass) =>
      weightsOf(
        host,
        scope.part(attribute, partName),
        partClass,
        config,
        `${name} (${className})`,
        (message) => invalid(`${partName}: ${message}`),
      ),
    int: (key, fallback) =>
      option(key, 'a whole number', (value): value is number => Number.isSafeInteger(value), fallback),
    number: (key, fallback) => option(key, 'a number', isNumber, fallback),
    string: (key, fallback) =>
      option(key, 'a text', (value): value is string => typeof value === 'string', fallback),
    boolean: (key, fallback) =>
      option(key, 'true or false', (value): value is boolean => typeof value === 'boolean', fallback),
    ints(key, length, fallback) {
      const value = config[key] ?? fallback;
      const items = typeof value === 'number' ? new Array<number>(length).fill(value) : value;
      const fits = Array.isArray(items) && items.length === length && items.every(Number.isSafeInteger);
      return fits
        ? items
        : refuse(`option ${key} is ${JSON.stringify(value ?? null)}; ${length} whole numbers are expected`);
    },
    inner(key, place = {}) {
      const held = config[key];
      const raw = place.index !== undefined && Array.isArray(held) ? held[place.index] : held;
      if (!isRecord(raw)) return refuse(`option ${key} does not hold a layer`);
      const parsed = host.parseInner(raw);
      const inner = { ...parsed, config: { ...parsed.config, ...place.config } };
      const group = place.attribute ?? key;
      const innerScope = scope.part(group, place.name ?? inner.name, inner, place.index);
      return layerView(host, inner, `${name}/${place.name ?? inner.name}`, innerScope, call);
    },
    hasMask: (value) => host.masks.has(value.id),
    maskOf(value) {
      const mask = host.masks.get(value.id);
      return mask === 'unknown'
        ? refuse('gets a mask through layers that may or may not hand it on')
        : mask?.();
    },
    setMask(value, make) {
      let made: Value | undefined;
      host.masks.set(value.id, () => {
        made ??= make();
        return made;
      });
    },
    call: (inputs, kwargs = {}) => host.callLayer(layer, name, scope, { args: [...inputs], kwargs }),
    refuse,
  };
}

function weightsOf(
  host: LayerHost,
  scope: WeightScope,
  className: string,
  config: Readonly<Record<string, unknown>>,
  owner: string,
  invalid: (message: string) => never,
): KerasWeights {
  const order = weightOrder(className, config);
  const optionalWeight = (name: string, shape?: readonly number[]): Tensor | undefined => {
    const stored = scope.find(name, order);
    if (!stored) return undefined;
    host.used(stored);
    if (!stored.dtype.startsWith('float')) {
      throw new WhittleError(
        'model.already-quantized',
        `${owner}: weight ${name} holds ${stored.dtype} numbers; the model is quantized already`,
        { hint: 'Open the model as it was before it was quantized.' },
      );
    }
    if (shape && (stored.shape.length !== shape.length || stored.shape.some((dim, i) => dim !== shape[i]))) {
      invalid(`weight ${name} has the shape [${stored.shape.join(', ')}]; [${shape.join(', ')}] is expected`);
    }
    return asFloat32(stored);
  };
  return {
    optionalWeight,
    weight(name, shape) {
      const found = optionalWeight(name, shape);
      if (found) return found;
      const there = scope.names();
      return invalid(
        `weight ${name} is not in the file; ${there.length > 0 ? there.join(', ') : 'none'} is there`,
      );
    },
  };
}

const converted = new WeakMap<Tensor, Tensor>();

/** Float weights of other widths (policies `float16`, `float64`) in the IR's own float32; integers stay. */
function asFloat32(tensor: Tensor): Tensor {
  if (tensor.dtype !== 'float16' && tensor.dtype !== 'float64') return tensor;
  const known = converted.get(tensor);
  if (known) return known;
  const wide = tensorOf('float32', tensor.shape, toFloat32(tensor));
  converted.set(tensor, wide);
  return wide;
}

export function isValue(item: unknown): item is Value {
  return isRecord(item) && typeof item.id === 'string' && isRecord(item.type);
}

/** Every value in a call's arguments, in order. */
export function valuesIn(item: unknown): Value[] {
  if (isValue(item)) return [item];
  if (Array.isArray(item)) return item.flatMap(valuesIn);
  return isRecord(item) ? Object.values(item).flatMap(valuesIn) : [];
}
