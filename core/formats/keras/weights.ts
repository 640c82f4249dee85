import type { Tensor } from '../../ir/tensor.ts';
import type { LayerConfig, ModelConfig } from './config.ts';
import type { HdfFile } from './hdf5.ts';
import { keras1Weights } from './keras1.ts';
import { snakeCase } from './weight-names.ts';

/** Where the weights of one layer (or inner model) are in the file. */
export interface WeightScope {
  /** A variable by name. `order` are the variables of the layer in Keras 3's own order, when they are known. */
  find(name: string, order: readonly string[] | undefined): Tensor | undefined;
  /**
   * A part of a layer: an RNN's cell, a wrapper's inner layer. Known by attribute (in `.keras` files) or by the part's
   * own name (in HDF5 files); `layer` is its configuration where it has one, `index` its place in a list.
   */
  part(attribute: string, name: string, layer?: LayerConfig, index?: number): WeightScope;
  /** The weights of a layer inside the model that this scope stands for. */
  layer(layer: LayerConfig): WeightScope;
  /** Names of the variables that are there, for messages. */
  names(): readonly string[];
}

interface NamedWeight {
  /** The weight's name split at slashes, without `:0`. */
  readonly parts: readonly string[];
  readonly path: string;
}

/**
 * Weights of a whole-model HDF5 file: `<root>/<layer>` lists its weights in `weight_names`, nested models flattened
 * into their outermost layer (Keras 1 to 3).
 */
export function hdf5Weights(file: HdfFile, root: string): WeightScope {
  const none: WeightScope = new NamedScope(file, [], undefined);
  return {
    find: () => undefined,
    part: () => none,
    names: () => [],
    layer: ({ name, model }) => {
      const group = `${root}/${name}`;
      const weights = textList(file, group, 'weight_names').map((weight) => ({
        parts: weight.replace(/:\d+$/, '').split('/'),
        path: `${group}/${weight}`,
      }));
      return new NamedScope(file, weights, model);
    },
  };
}

/** Where named weights are read from by their path. */
type Datasets = Pick<HdfFile, 'dataset'>;

/** Weights of a file that knows them by name alone, in no groups: those of TF.js. */
export function namedWeights(file: Datasets, names: readonly string[], model: ModelConfig): WeightScope {
  return new NamedScope(
    file,
    names.map((name) => ({ parts: name.split('/'), path: name })),
    model,
  );
}

class NamedScope implements WeightScope {
  private readonly file: Datasets;
  private readonly weights: readonly NamedWeight[];
  private readonly model: ModelConfig | undefined;

  constructor(file: Datasets, weights: readonly NamedWeight[], model: ModelConfig | undefined) {
    this.file = file;
    this.weights = weights;
    this.model = model;
  }

  find(name: string, order?: readonly string[]): Tensor | undefined {
    // Keras 3 calls a variable `variable`, counted through the model, when its layer gave it no name.
    const nameless = this.weights.length === order?.length && this.weights.every(isNameless);
    const exact = this.weights.filter((weight, i) => (nameless ? order?.[i] : lastOf(weight)) === name);
    const old = keras1Weights[name];
    const own =
      exact.length > 0 || !old ? exact : this.weights.filter((weight) => lastOf(weight).endsWith(`_${old}`));
    return own.length === 1 ? this.file.dataset(own[0].path) : undefined;
  }

  /** Old files name the weights of a layer's only part like the layer's own. */
  part(attribute: string, name: string, layer?: LayerConfig): WeightScope {
    return (
      this.under(name, layer?.model) ??
      this.under(attribute, layer?.model) ??
      new NamedScope(this.file, this.weights, layer?.model)
    );
  }

  layer(layer: LayerConfig): WeightScope {
    return (
      this.under(layer.name, layer.model) ??
      this.renamed(layer) ??
      new NamedScope(this.file, layer.model ? this.weights : [], layer.model)
    );
  }

  names(): readonly string[] {
    return this.weights.map(({ parts }) => parts.join('/'));
  }

  private under(part: string, model?: ModelConfig): NamedScope | undefined {
    const inside = this.weights.flatMap((weight) => {
      const at = weight.parts.slice(0, -1).indexOf(part);
      return at < 0 ? [] : [{ parts: weight.parts.slice(at + 1), path: weight.path }];
    });
    return inside.length > 0 ? new NamedScope(this.file, inside, model) : undefined;
  }

  /**
   * Weights under another name than the layer's: TensorFlow made names unique (`dense_2/kernel` for a layer `dense`
   * that was built a second time). Such a group is taken when the one layer and the one group left over agree.
   */
  private renamed(layer: LayerConfig): NamedScope | undefined {
    if (!this.model || layer.model) return undefined;
    const layers = new Set(this.model.layers.map(({ name }) => name));
    const stem = (name: string) => name.replace(/(_\d+)+$/, '');
    const groups = new Set(this.weights.map(({ parts }) => parts[0]).filter((group) => !layers.has(group)));
    const candidates = [...groups].filter((group) => stem(group) === stem(layer.name));
    const missing = this.model.layers.filter(
      (other) =>
        other.className === layer.className &&
        stem(other.name) === stem(layer.name) &&
        !this.under(other.name),
    );
    const place = missing.findIndex(({ name }) => name === layer.name);
    return candidates.length === missing.length && place >= 0 ? this.under(candidates[place]) : undefined;
  }
}

function isNameless(weight: NamedWeight): boolean {
  return /^variable(_\d+)?$/.test(lastOf(weight));
}

function lastOf({ parts }: NamedWeight): string {
  return parts[parts.length - 1];
}

/** Names that Keras splits over `name0`, `name1`, … when they do not fit into one HDF5 attribute. */
export function textList(file: HdfFile, path: string, name: string): string[] {
  const whole = file.attribute(path, name);
  if (whole !== undefined) return texts(whole);
  const all: string[] = [];
  for (let i = 0; ; i++) {
    const chunk = file.attribute(path, `${name}${i}`);
    if (chunk === undefined) return all;
    all.push(...texts(chunk));
  }
}

function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

/** Weights of a `.keras` file's HDF5 part: variables are numbered under paths made of attributes and class names. */
export function numberedWeights(file: HdfFile, path: string, model: ModelConfig | undefined): WeightScope {
  const own = path === '' ? 'vars' : `${path}/vars`;
  const places = model ? layerPlaces(file, path, model) : new Map<string, string>();
  return {
    find(name, order) {
      const index = order?.indexOf(name) ?? -1;
      return index < 0 ? undefined : file.dataset(`${own}/${index}`);
    },
    part(attribute, name, layer, index) {
      const group = [join(path, attribute), join(path, `_${attribute}`)].find(
        (candidate) => file.children(candidate).length > 0,
      );
      const place = group && index !== undefined ? listPlace(file, group, name, layer) : group;
      return numberedWeights(file, place ?? join(path, `${attribute}/?`), layer?.model);
    },
    layer: (layer) => numberedWeights(file, places.get(layer.name) ?? join(path, 'layers/?'), layer.model),
    names: () => file.children(own),
  };
}

/** The group of one of several layers in a list: by its name, or by its class when there is only one of the class. */
function listPlace(
  file: HdfFile,
  group: string,
  name: string,
  layer: LayerConfig | undefined,
): string | undefined {
  const members = file.children(group);
  const named = members.find((member) => file.attribute(`${group}/${member}/vars`, 'name') === name);
  if (named) return `${group}/${named}`;
  const base = snakeCase(layer?.className ?? '');
  return members.includes(base) && !members.includes(`${base}_1`) ? `${group}/${base}` : undefined;
}

/**
 * Groups of a model's layers: the class name in snake case, counted per class in the order of the configuration
 * (`_save_container_state`); newer files also carry the layer's name as an attribute, which wins.
 */
function layerPlaces(file: HdfFile, path: string, model: ModelConfig): Map<string, string> {
  const containers = ['layers', '_layer_checkpoint_dependencies'].map((name) => join(path, name));
  const container = containers.find((name) => file.children(name).length > 0) ?? containers[0];
  const byName = new Map<string, string>();
  for (const group of file.children(container)) {
    const name = file.attribute(`${container}/${group}/vars`, 'name');
    if (typeof name === 'string') byName.set(name, `${container}/${group}`);
  }
  const places = new Map<string, string>();
  const counts = new Map<string, number>();
  for (const layer of model.layers) {
    if (layer.kind === 'operation') continue;
    const base = snakeCase(layer.className);
    const count = counts.get(base) ?? 0;
    counts.set(base, count + 1);
    const counted = `${container}/${count === 0 ? base : `${base}_${count}`}`;
    places.set(layer.name, byName.get(layer.name) ?? counted);
  }
  return places;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}
