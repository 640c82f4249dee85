/** Reads TensorFlow.js models: `model.json` of a graph model or a layers model, with its weight shards. */
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type GraphInput, type GraphPort, importGraph } from '../graphdef/importer.ts';
import { placeholdersOf, readBytes, sinksOf } from '../graphdef/reader.ts';
import { dataTypeNumbers, type GraphDef, graphTable } from '../graphdef/schema.ts';
import { parseModelConfig } from '../keras/config.ts';
import { readContainer } from '../keras/reader.ts';
import { namedWeights } from '../keras/weights.ts';
import type { ModelReader, ReadOptions, ReadResult } from '../model-file.ts';
import { fromJson } from '../protobuf/json.ts';
import { type SignatureDef, signatureTable, type TensorInfoEntry } from '../savedmodel/schema.ts';
import { damaged, isRecord, type ManifestWeights, readManifest } from './weights.ts';

type Json = Record<string, unknown>;

/**
 * Reads a TF.js model. Graph models name inputs and outputs by their nodes.
 * @param path model.json, or the folder it is in.
 * @throws WhittleError `file.unreadable`, `format.damaged`.
 */
export const readTfjs: ModelReader = async (path, options) => {
  const file = (await stat(path)).isDirectory() ? join(path, 'model.json') : path;
  const folder = dirname(file);
  const json = parse(new TextDecoder().decode(await readBytes(file)), basename(file));
  const topology = json.modelTopology;
  if (!isRecord(topology))
    throw damaged(`${basename(file)} holds weights without a model (no modelTopology)`);
  const weights = await readManifest(json.weightsManifest, folder);
  const files = { folder, names: [basename(file), ...new Set(weights.files)] };
  // What stands behind a weight that cannot be told apart cannot be found.
  if (weights.issues.length > 0) return { issues: weights.issues, declaredInputs: [], parameters: 0, files };
  const name = basename(folder) || 'model';
  const read = Array.isArray(topology.node) ? readGraph : readLayers;
  return { ...read(name, json, topology, weights, options), files };
};

function parse(text: string, file: string): Json {
  try {
    const json: unknown = JSON.parse(text);
    if (isRecord(json)) return json;
  } catch (error) {
    throw damaged(`${file} is not JSON: ${(error as Error).message}`);
  }
  throw damaged(`${file} is not a TF.js model`);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function readGraph(
  name: string,
  json: Json,
  topology: Json,
  weights: ManifestWeights,
  options: ReadOptions,
): ReadResult {
  const inMessage = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw damaged(`The graph in model.json is damaged: ${(error as Error).message}`);
    }
  };
  const graph = inMessage(() => fromJson<GraphDef>(topology, graphTable, dataTypeNumbers));
  const metadata = isRecord(json.userDefinedMetadata) ? json.userDefinedMetadata : {};
  const signature = inMessage(() =>
    fromJson<SignatureDef>(json.signature ?? metadata.signature, signatureTable, dataTypeNumbers),
  );
  const { inputs, outputs } = portsOf(graph, signature);
  if (outputs.length === 0) throw damaged('The graph in model.json has no outputs');
  return importGraph(
    {
      name,
      graph,
      inputs,
      outputs,
      constants: weights.tensors,
      source: {
        format: 'tfjs',
        version: `TensorFlow.js graph model${text(json.generatedBy) ? ` of TensorFlow ${text(json.generatedBy)}` : ''}`,
        ...(text(json.convertedBy) && { producer: text(json.convertedBy) }),
      },
    },
    options,
  );
}

/** What the signature lists; in files without one, the placeholders and the nodes that nothing reads. */
function portsOf(
  graph: GraphDef,
  signature: SignatureDef,
): { inputs: readonly GraphInput[]; outputs: readonly GraphPort[] } {
  const placeholders = placeholdersOf(graph);
  const named = (entry: TensorInfoEntry): GraphPort => {
    const tensor = entry.value?.name || entry.key || '';
    return { name: tensor.replace(/:0$/, ''), tensor };
  };
  const inputs = signature.inputs.map((entry): GraphInput => {
    const port = named(entry);
    const placeholder = placeholders.find((candidate) => candidate.name === port.name);
    const { dtype, tensorShape } = entry.value ?? {};
    return { ...port, type: dtype ?? placeholder?.type ?? 0, shape: tensorShape ?? placeholder?.shape };
  });
  return {
    inputs: inputs.length > 0 ? inputs : placeholders,
    outputs: signature.outputs.length > 0 ? signature.outputs.map(named) : sinksOf(graph),
  };
}

/** The configuration is Keras' own, and so are the names of the weights. */
function readLayers(
  name: string,
  json: Json,
  topology: Json,
  weights: ManifestWeights,
  options: ReadOptions,
): ReadResult {
  const config = topology.model_config ?? topology;
  const version = text(topology.keras_version);
  // Version numbers of TF.js itself ("tfjs-layers 4.22.0") count otherwise; its layers are those of Keras 2.
  const dialect = /^3\./.test(version ?? '') ? 3 : 2;
  const model = parseModelConfig(config, dialect);
  const file = {
    dataset(path: string) {
      const tensor = weights.tensors.get(path);
      if (tensor) return tensor;
      throw damaged(`The weight "${path}" is not in the manifest`);
    },
  };
  const names = [...weights.tensors.keys()];
  const result = readContainer(
    { model, dialect, version, weights: namedWeights(file, names, model) },
    `${name}/model.json`,
    options,
  );
  const producer = text(json.convertedBy) ?? text(json.generatedBy);
  const source = {
    format: 'tfjs',
    version: `TensorFlow.js layers model${version ? ` of Keras ${version}` : ''}`,
    ...(producer && { producer }),
  } as const;
  return { ...result, graph: result.graph && { ...result.graph, source } };
}
