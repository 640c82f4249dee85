import { WhittleError } from '../../contract/errors.ts';
import { fromKeras1 } from './keras1.ts';

type Json = Record<string, unknown>;

/** Points at one output of one call of one layer: Keras' `[layer, node index, tensor index]`. */
export class TensorRef {
  readonly layer: string;
  readonly call: number;
  readonly index: number;

  constructor(layer: string, call: number, index: number) {
    this.layer = layer;
    this.call = call;
    this.index = index;
  }
}

/** Arguments of one call: `TensorRef`s where tensors go in, plain values, and lists and records of these. */
export interface LayerCall {
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

export interface LayerConfig {
  readonly className: string;
  readonly name: string;
  readonly config: Readonly<Json>;
  /** Where Keras finds the class: `layer` for layers, `operation` for a call of `keras.ops`. */
  readonly kind: 'layer' | 'operation';
  /** Whether the file says that the class is one of Keras' own; older files do not say. */
  readonly isBuiltIn: boolean;
  readonly calls: readonly LayerCall[];
  /** The inner model when the layer is one. */
  readonly model?: ModelConfig;
  /** Shape it was built with, where the file keeps it. */
  readonly buildShape?: readonly (number | null)[];
}

export interface ModelConfig {
  readonly name: string;
  readonly sequential: boolean;
  readonly layers: readonly LayerConfig[];
  readonly inputs: readonly TensorRef[];
  readonly outputs: readonly TensorRef[];
}

const modelClasses = new Set(['Functional', 'Model', 'Sequential']);

export function isModelClass(className: string): boolean {
  return modelClasses.has(className);
}

/**
 * Parses what `model.get_config()` wrote, in the dialects of Keras 1.2 to 3: nested lists or `__keras_tensor__`
 * records as call arguments, a Sequential as a bare list or as a record. A Sequential becomes a chain of calls.
 * @throws WhittleError `format.damaged` where the config is not of these forms.
 */
export function parseModelConfig(raw: unknown, dialect: 1 | 2 | 3): ModelConfig {
  const { class_name: className, config } = record(raw, 'the model configuration');
  const name = isRecord(config) && typeof config.name === 'string' ? config.name : 'model';
  if (className === 'Sequential') return parseSequential(name, config, dialect);
  const body = record(config, `the configuration of model ${name}`);
  const layers = list(body.layers, `the layers of model ${name}`).map((layer) => parseLayer(layer, dialect));
  const names = new Set(layers.map((layer) => layer.name));
  return rebaseCalls({
    name,
    sequential: false,
    layers: layers.map((layer, i) => {
      const nodes = (list(body.layers, 'layers')[i] as Json).inbound_nodes;
      return { ...layer, calls: parseNodes(nodes, names, layer.name) };
    }),
    inputs: parseRefs(body.input_layers, name),
    outputs: parseRefs(body.output_layers, name),
  });
}

function parseSequential(name: string, config: unknown, dialect: 1 | 2 | 3): ModelConfig {
  const body = Array.isArray(config)
    ? { layers: config }
    : record(config, `the configuration of model ${name}`);
  const layers = list(body.layers, `the layers of model ${name}`).map((layer) => parseLayer(layer, dialect));
  if (layers.length === 0) throw damaged(`model ${name} has no layers`);
  if (layers[0].className !== 'InputLayer') layers.unshift(inputFor(layers[0], body));
  return {
    name,
    sequential: true,
    layers: layers.map((layer, i) => ({
      ...layer,
      calls: i === 0 ? [] : [{ args: [new TensorRef(layers[i - 1].name, 0, 0)], kwargs: {} }],
    })),
    inputs: [new TensorRef(layers[0].name, 0, 0)],
    outputs: [new TensorRef(layers.at(-1)!.name, 0, 0)],
  };
}

/** The input that a Sequential without an InputLayer has; Keras names it after the first layer. */
function inputFor(first: LayerConfig, body: Json): LayerConfig {
  const inner = first.model?.layers.find((layer) => layer.className === 'InputLayer');
  const shape =
    first.config.batch_input_shape ??
    first.config.batch_shape ??
    body.build_input_shape ??
    inner?.config.batch_input_shape ??
    inner?.config.batch_shape ??
    first.buildShape;
  return {
    className: 'InputLayer',
    name: `${first.name}_input`,
    config: { batch_shape: shape, dtype: first.className === 'Embedding' ? 'float32' : first.config.dtype },
    kind: 'layer',
    isBuiltIn: true,
    calls: [],
  };
}

function parseLayer(raw: unknown, dialect: 1 | 2 | 3): LayerConfig {
  const layer = record(raw, 'a layer');
  const written = String(layer.class_name ?? '').replace(/^.*>/, '');
  const options = isRecord(layer.config) ? layer.config : {};
  const { className, config } =
    dialect === 1 ? fromKeras1(written, options) : { className: written, config: options };
  const name = typeof layer.name === 'string' ? layer.name : config.name;
  if (className === '' || typeof name !== 'string') throw damaged('a layer has no class or no name');
  const module = typeof layer.module === 'string' ? layer.module : undefined;
  const isModel = isModelClass(className) && (Array.isArray(layer.config) || Array.isArray(config.layers));
  const build = isRecord(layer.build_config) ? layer.build_config.input_shape : undefined;
  return {
    className,
    name,
    config,
    kind: isOperation(layer, config) && !isModel ? 'operation' : 'layer',
    isBuiltIn: module !== undefined && /^(tf_)?keras(\.|$)/.test(module),
    calls: [],
    model: isModel ? parseModelConfig(layer, dialect) : undefined,
    buildShape: Array.isArray(build) ? (build as (number | null)[]) : undefined,
  };
}

/** A `.keras` file names the module of each class. In Keras 3's `.h5` only layers have a type to compute in, or layers. */
function isOperation({ module, inbound_nodes: nodes }: Json, config: Readonly<Json>): boolean {
  if (typeof module === 'string') return /(^|\.)ops(\.|$)/.test(module);
  return Array.isArray(nodes) && isRecord(nodes[0]) && !('dtype' in config || 'layers' in config);
}

function parseNodes(raw: unknown, layers: ReadonlySet<string>, layer: string): LayerCall[] {
  if (raw === undefined) return [];
  return list(raw, `the inbound nodes of ${layer}`).map((node) => {
    if (isRecord(node)) {
      const kwargs = isRecord(node.kwargs) ? node.kwargs : {};
      return {
        args: list(node.args ?? [], `the arguments of ${layer}`).map(resolveTensors),
        kwargs: resolveTensors(kwargs) as Record<string, unknown>,
      };
    }
    return parseListNode(list(node, `an inbound node of ${layer}`), layers);
  });
}

/** Keras 1 and 2: `[[layer, node, tensor, kwargs], …]`, or one such entry alone. */
function parseListNode(node: readonly unknown[], layers: ReadonlySet<string>): LayerCall {
  const kwargs: Record<string, unknown> = {};
  const parse = (entry: unknown): unknown => {
    if (!Array.isArray(entry)) return entry;
    if (typeof entry[0] !== 'string') return entry.map(parse);
    if (isRecord(entry[3])) {
      for (const [key, value] of Object.entries(entry[3])) kwargs[key] = resolveListRefs(value, layers);
    }
    if (entry[0] === '_CONSTANT_VALUE') return entry[2];
    return new TensorRef(entry[0], Number(entry[1]), Number(entry[2]));
  };
  const args =
    typeof node[0] === 'string' ? [parse(node)] : node.length === 1 ? [parse(node[0])] : [node.map(parse)];
  return { args, kwargs };
}

function resolveListRefs(value: unknown, layers: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) {
    const [layer, call, index] = value;
    if (value.length === 3 && typeof layer === 'string' && layers.has(layer) && Number.isSafeInteger(call)) {
      return new TensorRef(layer, Number(call), Number(index));
    }
    return value.map((item) => resolveListRefs(item, layers));
  }
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolveListRefs(item, layers)]));
}

/** Keras 3: `__keras_tensor__` records anywhere in the arguments become references, arrays become plain lists. */
function resolveTensors(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolveTensors);
  if (!isRecord(value)) return value;
  if (value.class_name === '__keras_tensor__' && isRecord(value.config)) {
    const history = value.config.keras_history;
    if (!Array.isArray(history)) throw damaged('a tensor has no keras_history');
    return new TensorRef(String(history[0]), Number(history[1]), Number(history[2]));
  }
  if ((value.class_name === '__numpy__' || value.class_name === '__tensor__') && isRecord(value.config)) {
    return value.config.value;
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolveTensors(item)]));
}

function parseRefs(raw: unknown, model: string): TensorRef[] {
  if (Array.isArray(raw)) {
    if (typeof raw[0] === 'string') return [new TensorRef(raw[0], Number(raw[1] ?? 0), Number(raw[2] ?? 0))];
    return raw.flatMap((item) => parseRefs(item, model));
  }
  // Keras flattens dictionaries by sorted key.
  if (isRecord(raw))
    return Object.keys(raw)
      .sort()
      .flatMap((key) => parseRefs(raw[key], model));
  throw damaged(`model ${model} does not list its inputs or outputs`);
}

/**
 * Keras 1 and 2 count the call that made an inner model's own graph as its call 0 and leave it out of the file, so
 * that references to inner models start at 1; Keras 3 starts at 0. Both are brought to 0.
 */
function rebaseCalls(model: ModelConfig): ModelConfig {
  const highest = new Map<string, number>();
  const visit = (value: unknown): void => {
    if (value instanceof TensorRef)
      highest.set(value.layer, Math.max(value.call, highest.get(value.layer) ?? 0));
    else if (Array.isArray(value)) value.forEach(visit);
    else if (isRecord(value)) Object.values(value).forEach(visit);
  };
  visit(model.outputs);
  for (const layer of model.layers) for (const call of layer.calls) visit([call.args, call.kwargs]);
  const shifted = new Set(
    model.layers
      .filter(
        (layer) =>
          layer.model && layer.calls.length > 0 && (highest.get(layer.name) ?? 0) >= layer.calls.length,
      )
      .map((layer) => layer.name),
  );
  if (shifted.size === 0) return model;
  const shift = (value: unknown): unknown => {
    if (value instanceof TensorRef) {
      return shifted.has(value.layer) ? new TensorRef(value.layer, value.call - 1, value.index) : value;
    }
    if (Array.isArray(value)) return value.map(shift);
    if (!isRecord(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shift(item)]));
  };
  return {
    ...model,
    outputs: shift(model.outputs) as TensorRef[],
    layers: model.layers.map((layer) => ({
      ...layer,
      calls: layer.calls.map((call) => shift(call) as LayerCall),
    })),
  };
}

export function isRecord(value: unknown): value is Json {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof TensorRef)
  );
}

function record(value: unknown, what: string): Json {
  if (!isRecord(value)) throw damaged(`${what} is not a record`);
  return value;
}

function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw damaged(`${what} are not a list`);
  return value;
}

function damaged(message: string): WhittleError {
  return new WhittleError('format.damaged', `The Keras configuration is damaged: ${message}`, {
    hint: 'Save the model again with model.save().',
  });
}
