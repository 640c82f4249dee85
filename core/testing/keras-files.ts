/** Writes Keras files for tests, in each of the containers and dialects. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import h5wasm from 'h5wasm';
import { readKeras } from '../formats/keras/reader.ts';
import type { ReadOptions, ReadResult } from '../formats/model-file.ts';
import type { Graph } from '../ir/graph.ts';
import { floatTensor, toFloat32 } from '../ir/tensor.ts';
import { prepareForOnnx } from '../passes/pipeline.ts';
import { runInOrt } from './check-op.ts';

export interface TestWeight {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Datasets by path, and text attributes by path and name. */
export interface Hdf5Content {
  readonly datasets: Readonly<Record<string, TestWeight>>;
  readonly attributes?: Readonly<Record<string, Readonly<Record<string, string | string[]>>>>;
  /** `earliest` is what h5py writes; `latest` has other headers and groups. */
  readonly form?: 'earliest' | 'latest';
}

let written = 0;

export async function hdf5Bytes({
  datasets,
  attributes = {},
  form = 'earliest',
}: Hdf5Content): Promise<Uint8Array> {
  const { FS } = await h5wasm.ready;
  const place = `/test-${written++}.h5`;
  const file = new h5wasm.File(place, 'w', { libver: [form, 'latest'] });
  const groups = new Set<string>();
  const makeGroups = (path: string) => {
    const parts = path.split('/').filter((part) => part !== '');
    for (let i = 1; i <= parts.length; i++) {
      const group = parts.slice(0, i).join('/');
      if (!groups.has(group)) file.create_group(group);
      groups.add(group);
    }
  };
  for (const [path, { shape, values }] of Object.entries(datasets)) {
    makeGroups(path.slice(0, path.lastIndexOf('/')));
    file.create_dataset({ name: path, data: Float32Array.from(values), shape: [...shape] });
  }
  for (const [path, texts] of Object.entries(attributes)) {
    makeGroups(path);
    const holder = path === '/' ? file : (file.get(path) as typeof file);
    for (const [name, text] of Object.entries(texts)) holder.create_attribute(name, text);
  }
  file.close();
  const bytes = FS.readFile(place) as Uint8Array;
  FS.unlink(place);
  return bytes;
}

/** Weights by layer and weight name (`dense: { 'kernel:0': … }`). */
export type LayerWeights = Readonly<Record<string, Readonly<Record<string, TestWeight>>>>;

/** A whole-model file as Keras 2 writes it. */
export function kerasHdf5(
  config: unknown,
  weights: LayerWeights,
  options: { version?: string; form?: Hdf5Content['form'] } = {},
): Promise<Uint8Array> {
  const datasets: Record<string, TestWeight> = {};
  const attributes: Record<string, Record<string, string | string[]>> = {
    '/': {
      model_config: JSON.stringify(config),
      keras_version: options.version ?? '2.15.0',
      backend: 'tensorflow',
    },
  };
  for (const [layer, named] of Object.entries(weights)) {
    const names = Object.keys(named).map((name) => `${layer}/${name}`);
    if (names.length > 0) attributes[`model_weights/${layer}`] = { weight_names: names };
    for (const [name, weight] of Object.entries(named))
      datasets[`model_weights/${layer}/${layer}/${name}`] = weight;
  }
  attributes.model_weights = { layer_names: Object.keys(weights) };
  return hdf5Bytes({ datasets, attributes, form: options.form });
}

/** A `.keras` archive; weights by path (`layers/dense/vars/0`). */
export async function kerasArchive(
  config: unknown,
  datasets: Readonly<Record<string, TestWeight>>,
  options: { level?: 0 | 6; version?: string } = {},
): Promise<Uint8Array> {
  const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  return zipSync(
    {
      'metadata.json': text({ keras_version: options.version ?? '3.9.2' }),
      'config.json': text(config),
      'model.weights.h5': await hdf5Bytes({ datasets }),
    },
    { level: options.level ?? 0 },
  );
}

/** Keras 2's record of one layer in a Functional model; `from` names the layers that it is called on. */
export function layer(className: string, name: string, from: readonly string[], config: object = {}): object {
  return {
    class_name: className,
    name,
    config: { name, ...config },
    inbound_nodes: from.length === 0 ? [] : [from.map((source) => [source, 0, 0, {}])],
  };
}

export function input(name: string, shape: readonly (number | null)[], dtype = 'float32'): object {
  return layer('InputLayer', name, [], { batch_input_shape: shape, dtype });
}

export function functional(
  layers: readonly object[],
  inputs: readonly string[],
  outputs: readonly string[],
): object {
  return {
    class_name: 'Functional',
    config: {
      name: 'm',
      layers,
      input_layers: inputs.map((name) => [name, 0, 0]),
      output_layers: outputs.map((name) => [name, 0, 0]),
    },
  };
}

/** Reads bytes through a file, as the reader is used. */
export async function readBytes(bytes: Uint8Array, options: ReadOptions = {}): Promise<ReadResult> {
  const folder = await mkdtemp(join(tmpdir(), 'whittle-keras-'));
  try {
    const path = join(folder, 'model.file');
    await writeFile(path, bytes);
    return await readKeras(path, options);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Runs a graph on float inputs in onnxruntime. */
export async function run(
  graph: Graph,
  feeds: Readonly<Record<string, readonly number[]>>,
): Promise<Record<string, number[]>> {
  const tensors = Object.fromEntries(
    Object.entries(feeds).map(([name, values]) => {
      const shape = graph.values.get(name)!.type.shape.map(Number);
      return [name, floatTensor(shape, values)];
    }),
  );
  const results = await runInOrt(prepareForOnnx(graph).graph, tensors);
  return Object.fromEntries(graph.outputs.map((name) => [name, [...toFloat32(results[name])]]));
}
