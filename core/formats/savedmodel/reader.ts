/** Reads TensorFlow SavedModel folders (TensorFlow 1 and 2). */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Issue, WhittleError } from '../../contract/errors.ts';
import type { Tensor } from '../../ir/tensor.ts';
import { type GraphInput, type GraphPort, importGraph, planModel } from '../graphdef/importer.ts';
import { decodeFile, readBytes } from '../graphdef/reader.ts';
import type { GraphDef, NodeDef } from '../graphdef/schema.ts';
import { neededVariables } from '../graphdef/survey.ts';
import type { ModelReader } from '../model-file.ts';
import { TensorBundle } from './bundle.ts';
import { type MetaGraph, type SignatureDef, savedModelTable, type TensorInfoEntry } from './schema.ts';
import { checkpointKeys, sharedName } from './variables.ts';

/**
 * Reads the `serving_default` signature of a SavedModel, or the only one it has. Functions are inlined and variables
 * become constants.
 * @param path the folder, or the saved_model.pb in it.
 * @throws WhittleError `file.unreadable`, `format.damaged`, `format.unsupported`.
 */
export const readSavedModel: ModelReader = async (path, options) => {
  const folder = (await stat(path)).isDirectory() ? path : dirname(path);
  const name = basename(folder);
  const names = await readdir(folder);
  if (!names.includes('saved_model.pb')) {
    throw new WhittleError('format.unsupported', `${name} keeps its graph as text (saved_model.pbtxt).`, {
      hint: 'Save the model again in the binary form, which is what TensorFlow does by default.',
    });
  }
  const bytes = await readBytes(join(folder, 'saved_model.pb'));
  const model = decodeFile(bytes, savedModelTable, `${name}/saved_model.pb`, 'SavedModel');
  const meta = servingGraph(model.metaGraphs, name);
  const graph: GraphDef = meta.graphDef ?? { node: [] };
  const { inputs, outputs, issues } = signaturePorts(signatureOf(meta, name));
  const { plan, functions } = planModel({ name, graph, inputs, outputs });
  const needed = neededVariables(plan, functions);
  const variables = join(folder, 'variables');
  const bundle = needed.length > 0 ? await openBundle(variables, needed) : undefined;
  const read = bundle && (await readVariables(bundle, graph, needed));
  const version = meta.metaInfoDef?.tensorflowVersion;
  const result = importGraph(
    {
      name,
      graph,
      inputs,
      outputs,
      variables: read?.tensors,
      issues: [...issues, ...(read?.issues ?? [])],
      source: {
        format: 'savedmodel',
        version: version ? `TensorFlow ${version}` : 'TensorFlow',
        ...(version && { producer: `TensorFlow ${version}` }),
      },
    },
    options,
  );
  const data = await readdir(variables).catch(() => [] as string[]);
  const parts = data.filter((file) => /^variables\.(index|data-\d+-of-\d+)$/.test(file));
  return {
    ...result,
    files: { folder, names: ['saved_model.pb', ...parts.map((file) => `variables/${file}`)] },
  };
};

/** The graph tagged `serve`, or the only one. */
function servingGraph(graphs: readonly MetaGraph[], name: string): MetaGraph {
  const serving = graphs.find(({ metaInfoDef }) => metaInfoDef?.tags.includes('serve'));
  if (serving) return serving;
  if (graphs.length === 1) return graphs[0];
  const tags = graphs.map(({ metaInfoDef }) => `[${metaInfoDef?.tags.join(', ') ?? ''}]`);
  throw new WhittleError(
    graphs.length === 0 ? 'format.damaged' : 'format.unsupported',
    `${name} has ${graphs.length} graphs${tags.length ? ` (${tags.join(', ')})` : ''}, none of them tagged "serve".`,
    { hint: 'Export the model for serving.' },
  );
}

function signatureOf(meta: MetaGraph, name: string): SignatureDef {
  // Names that begin so are TensorFlow's own operations for starting and training.
  const signatures = meta.signatureDef.filter(({ key }) => !key?.startsWith('__'));
  const found = signatures.find(({ key }) => key === 'serving_default') ?? signatures[0];
  const isClear = found?.key === 'serving_default' || signatures.length === 1;
  if (found?.value && isClear) return found.value;
  const list = signatures.map(({ key }) => `"${key}"`).join(', ');
  throw new WhittleError(
    'format.unsupported',
    signatures.length === 0
      ? `${name} has no signature that says what its inputs and outputs are.`
      : `${name} has several signatures (${list}), none of them named "serving_default".`,
    { hint: 'Save the model with one signature: tf.saved_model.save(model, folder, signatures=function).' },
  );
}

function byKey(entries: readonly TensorInfoEntry[]): TensorInfoEntry[] {
  return [...entries].sort((a, b) => ((a.key ?? '') < (b.key ?? '') ? -1 : 1));
}

/** Maps in the file have no order of their own; names are put in order. */
function signaturePorts(signature: SignatureDef): {
  inputs: GraphInput[];
  outputs: GraphPort[];
  issues: Issue[];
} {
  const issues: Issue[] = [];
  const port = ({ key = '', value }: TensorInfoEntry): GraphPort[] => {
    if (value?.name) return [{ name: key, tensor: value.name }];
    const kind = value?.cooSparse ? 'a sparse tensor' : 'no plain tensor';
    const message = `"${key}" of the signature is ${kind}, which Whittle does not read.`;
    issues.push({ code: 'model.invalid', severity: 'error', node: key, message });
    return [];
  };
  const inputs = byKey(signature.inputs).flatMap((entry) =>
    port(entry).map(
      (found): GraphInput => ({ ...found, type: entry.value?.dtype ?? 0, shape: entry.value?.tensorShape }),
    ),
  );
  return { inputs, outputs: byKey(signature.outputs).flatMap(port), issues };
}

async function openBundle(folder: string, needed: readonly NodeDef[]): Promise<TensorBundle> {
  const names = await readdir(folder).catch(() => [] as string[]);
  if (names.includes('variables.index')) return TensorBundle.open(folder);
  throw new WhittleError(
    'format.damaged',
    `The model has ${needed.length} variables ("${needed[0].name}" first), but no variables/variables.index.`,
    { hint: 'Copy the whole SavedModel folder, with the folder "variables" in it.' },
  );
}

/** Values of all variables; those that cannot be had are issues. */
async function readVariables(
  bundle: TensorBundle,
  graph: GraphDef,
  needed: readonly NodeDef[],
): Promise<{ tensors: Map<NodeDef, Tensor>; issues: Issue[] }> {
  const keys = checkpointKeys(graph);
  const tensors = new Map<NodeDef, Tensor>();
  const issues: Issue[] = [];
  for (const node of needed) {
    const name = sharedName(node);
    try {
      tensors.set(node, await bundle.read(keys.get(node) ?? name, name));
    } catch (error) {
      const known = error instanceof WhittleError ? error : undefined;
      const message = error instanceof Error ? error.message : String(error);
      issues.push({
        code: known?.code ?? 'format.damaged',
        severity: 'error',
        node: name,
        op: node.op,
        message: known ? message : `The variable "${name}" cannot be read: ${message}.`,
        hint: known?.hint,
      });
    }
  }
  return { tensors, issues };
}
