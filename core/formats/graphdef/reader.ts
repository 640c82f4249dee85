/** Reads frozen TensorFlow graphs (`.pb`, GraphDef with its variables turned into constants). */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { WhittleError } from '../../contract/errors.ts';
import type { ModelReader } from '../model-file.ts';
import { decode, type Table } from '../protobuf/wire.ts';
import { type GraphInput, type GraphPort, importGraph, planModel } from './importer.ts';
import { type GraphDef, graphTable, type NodeDef } from './schema.ts';

/** @throws WhittleError `format.damaged` when the bytes are not such a message. */
export function decodeFile<T>(bytes: Uint8Array, table: Table<T>, name: string, what: string): T {
  try {
    return decode(bytes, table);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const reason = message === 'premature EOF' ? 'it ends in the middle of a field' : message;
    throw new WhittleError('format.damaged', `${name} is not a complete ${what}: ${reason}.`, {
      hint: 'The file seems to be cut off or changed; copy or export it again.',
      cause: error,
    });
  }
}

export async function readBytes(path: string): Promise<Uint8Array> {
  const buffer = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new WhittleError('file.unreadable', `${path} cannot be read: ${error.message}.`, { cause: error });
  });
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** Nodes that only act or check; they are no results. */
const silent = new Set([
  'NoOp',
  'Const',
  'Assert',
  'Placeholder',
  'SaveV2',
  'VarHandleOp',
  'AssignVariableOp',
]);

/** Every placeholder as an input, under its own name. */
export function placeholdersOf(graph: GraphDef): GraphInput[] {
  return graph.node
    .filter(({ op }) => op === 'Placeholder')
    .map((node) => {
      const attr = (key: string) => node.attr.find((entry) => entry.key === key)?.value;
      const name = node.name ?? '';
      return { name, tensor: name, type: attr('dtype')?.type ?? 0, shape: attr('shape')?.shape };
    });
}

/** Every node that no other node reads, under its own name. */
export function sinksOf(graph: GraphDef): GraphPort[] {
  const ops = new Map(graph.node.map(({ name, op }) => [name ?? '', op ?? '']));
  const readsOf = ({ input }: NodeDef) => input.map((name) => name.replace(/^\^/, '').split(':')[0]);
  const read = new Set(graph.node.flatMap(readsOf));
  // Branches of TensorFlow 1 leave marks of which one was taken, read by control inputs alone or by nothing.
  const isMark = (node: NodeDef) => ops.get(readsOf(node)[0] ?? '') === 'Switch';
  return graph.node
    .filter((node) => !read.has(node.name ?? '') && !silent.has(node.op ?? '') && !isMark(node))
    .map(({ name = '' }) => ({ name, tensor: name }));
}

/**
 * Reads a frozen graph. Inputs are its placeholders, outputs the nodes that nothing reads.
 * @throws WhittleError `file.unreadable`, `format.damaged`.
 */
export const readGraphDef: ModelReader = async (path, options) => {
  const file = basename(path);
  const graph = decodeFile(await readBytes(path), graphTable, file, 'TensorFlow graph');
  const outputs = sinksOf(graph);
  if (outputs.length === 0) {
    throw new WhittleError('model.invalid', `${file} has no node that could be an output.`);
  }
  const name = file.replace(/\.pb$/, '');
  const version = graph.versions?.producer;
  const inputs = placeholdersOf(graph);
  const { used } = planModel({ name, graph, inputs, outputs }).plan;
  return importGraph(
    {
      name,
      graph,
      inputs: inputs.filter((_, i) => used.has(i)),
      outputs,
      source: {
        format: 'graphdef',
        version: version === undefined ? 'GraphDef' : `GraphDef version ${version}`,
      },
    },
    options,
  );
};
