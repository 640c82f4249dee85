/** Weights stored beside an ONNX file (onnx, docs/ExternalData.md). */
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Issue, WhittleError } from '../../contract/errors.ts';
import { fileInside } from '../inside-folder.ts';
import { decode, encode } from '../protobuf/wire.ts';
import { type GraphProto, modelTable, type TensorProto } from './schema.ts';
import { subgraphsOf } from './subgraphs.ts';

const external = 1;

/** Every tensor of a graph and its subgraphs. */
export function* tensorsOf(graph: GraphProto): Generator<TensorProto> {
  yield* graph.initializer;
  for (const node of graph.node) {
    for (const { t, tensors = [] } of node.attribute) {
      if (t) yield t;
      yield* tensors;
    }
    for (const inner of subgraphsOf(node)) yield* tensorsOf(inner);
  }
}

export function externalTensors(graph: GraphProto): TensorProto[] {
  return [...tensorsOf(graph)].filter((tensor) => tensor.dataLocation === external);
}

/**
 * Reads the external tensors of a model. Files must lie inside the model's own folder, links followed: a model is
 * data from strangers and must not pull other files of this machine into an export.
 * @throws WhittleError `model.external-data` with one issue per tensor that cannot be read, naming it and its file.
 */
export async function readExternalData(
  graph: GraphProto,
  modelPath: string,
): Promise<Map<TensorProto, Uint8Array>> {
  const found = new Map<TensorProto, Uint8Array>();
  const issues: Issue[] = [];
  const folder = dirname(modelPath);
  for (const tensor of externalTensors(graph)) {
    try {
      found.set(tensor, await readRange(tensor, folder));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const name = tensor.name ?? '';
      issues.push({
        code: 'model.external-data',
        severity: 'error',
        node: name,
        message: `The weights "${name}" are stored outside of the model file and cannot be read: ${reason}.`,
      });
    }
  }
  if (issues.length) {
    throw new WhittleError('model.external-data', issues[0].message, {
      hint: 'Keep the data files that came with the model beside it, under the names that it gives.',
      issues,
    });
  }
  return found;
}

/** A model whose external tensors all lie in one file, with that file under another name. */
export function renameExternalData(model: Uint8Array, location: string): Uint8Array {
  const proto = decode(model, modelTable);
  for (const tensor of proto.graph ? externalTensors(proto.graph) : []) {
    for (const entry of tensor.externalData) if (entry.key === 'location') entry.value = location;
  }
  return encode(proto, modelTable);
}

async function readRange(tensor: TensorProto, folder: string): Promise<Uint8Array> {
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value ?? '']));
  const location = entries.get('location') ?? '';
  if (!location) throw new Error('no location is given');
  const { path, size } = await fileInside(folder, location);
  const offset = numberEntry(entries.get('offset'), 'offset') ?? 0;
  const length = numberEntry(entries.get('length'), 'length') ?? size - offset;
  if (offset + length > size || length < 0) {
    throw new Error(`bytes ${offset} to ${offset + length} are asked of ${location}, which has ${size}`);
  }
  const bytes = new Uint8Array(length);
  const file = await open(path, 'r');
  try {
    for (let at = 0; at < length; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(length - at, 0x40000000), offset + at);
      if (bytesRead === 0) throw new Error(`${location} ended early`);
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
  return bytes;
}

function numberEntry(text: string | undefined, name: string): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new Error(`the ${name} ${text} is not a number of bytes`);
  return Number(text);
}
