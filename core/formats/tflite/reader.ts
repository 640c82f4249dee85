import { basename } from 'node:path';
import { type Issue, WhittleError } from '../../contract/errors.ts';
import type { Dim, GraphSource, TensorType } from '../../ir/graph.ts';
import { readWhole } from '../../ir/read-file.ts';
import { fixedShape, fixInputs } from '../fix-inputs.ts';
import type { DeclaredInput, ModelReader, ReadOptions, ReadResult } from '../model-file.ts';
import { TfliteImporter } from './importer.ts';
import { describeModelMetadata, modelMetadataEntry } from './model-metadata.ts';
import { type SubgraphView, type TfliteModelView, viewModel } from './model-view.ts';
import { findPackedFiles } from './packed-files.ts';
import { type Port, portsOf } from './ports.ts';
import { countParameters, surveyParts } from './survey.ts';

/**
 * Reads a TFLite file into IR, in its own NHWC layout. Quantized tensors become values with `quant`, float16 weights
 * are widened; inputs and outputs carry the names of the signature `serving_default` where there is one.
 * @throws WhittleError `file.unreadable`, `format.damaged`.
 */
export const readTflite: ModelReader = async (path, options) => {
  const bytes = await readWhole(path).catch((error: Error) => {
    throw new WhittleError('file.unreadable', `${path} cannot be read: ${error.message}.`, { cause: error });
  });
  return readTfliteBytes(bytes, basename(path), options);
};

/** The same from memory. Weights are views on `bytes`. @throws WhittleError `format.damaged`. */
export function readTfliteBytes(bytes: Uint8Array, name: string, options: ReadOptions = {}): ReadResult {
  const model = viewModel(bytes);
  const signature = model.signatures.find(({ key }) => key === 'serving_default') ?? model.signatures[0];
  const subgraph = model.subgraphs[signature?.subgraph ?? 0];
  if (!subgraph) {
    throw new WhittleError('format.damaged', `${name} is a TFLite file without a graph.`);
  }
  const { inputs, outputs } = portsOf(subgraph, signature);
  const declaredInputs = inputs.map((port) => declare(port, subgraph));
  const issues = surveyParts(model, subgraph, signature?.key);
  // The tensor's own name is what the interpreter of older tools shows.
  const aliases = inputs.map(({ tensor }) => subgraph.tensors[tensor].name);
  const shapes = declaredInputs.map((input, i) => {
    const value = options.fixed?.[input.name];
    const ofFixed = value === undefined ? undefined : fixedShape(input.shape, value);
    const given = options.shapes?.[input.name] ?? options.shapes?.[aliases[i]] ?? ofFixed;
    return settle(input, given, issues);
  });
  for (const given of Object.keys(options.shapes ?? {})) {
    if (declaredInputs.some((input) => input.name === given) || aliases.includes(given)) continue;
    issues.push({
      code: 'usage',
      severity: 'error',
      message: `A shape is given for ${given}, which is no input; inputs are ${declaredInputs.map((input) => input.name).join(', ')}.`,
    });
  }
  const types = new Map(
    declaredInputs.map(({ name }, i): [string, TensorType] => {
      const { dtype = 'other', quant } = subgraph.tensors[inputs[i].tensor];
      // What integers with a scale are given as, steps or reals, would be a guess.
      return [name, { dtype: quant ? 'other' : dtype, shape: shapes[i] }];
    }),
  );
  const { fixed, issues: misfits } = fixInputs(types, options.fixed);
  issues.push(...misfits);
  const parameters = countParameters(subgraph);
  const blocked = issues.some(({ severity, code }) => severity === 'error' && code !== 'model.dynamic-dims');
  if (blocked) return { issues, declaredInputs, parameters };
  const importer = new TfliteImporter(name, model, subgraph, inputs, outputs);
  const graph = importer.run(shapes, fixed, sourceOf(model, bytes));
  // With a dimension open, later operators cannot be read either: the one cause is enough.
  if (!issues.some(({ code }) => code === 'model.dynamic-dims')) issues.push(...importer.issues);
  return { graph, issues, declaredInputs, parameters };
}

function declare({ name, tensor }: Port, subgraph: SubgraphView): DeclaredInput {
  const { shape, signature, typeName } = subgraph.tensors[tensor];
  const isOpen = (axis: number) => signature?.length === shape.length && signature[axis] < 0;
  return {
    name,
    dtype: typeName,
    shape: shape.map((dim, axis) => (isOpen(axis) ? (axis === 0 ? 'batch' : `${name}:${axis}`) : dim)),
  };
}

/** The shape to read with: an open batch is 1, other open dimensions are as given, or stay open with an issue. */
function settle(
  { name, shape }: DeclaredInput,
  given: readonly number[] | undefined,
  issues: Issue[],
): Dim[] {
  const shown = `[${shape.join(', ')}]`;
  const fits =
    !given ||
    (given.length === shape.length &&
      shape.every((dim, axis) => typeof dim === 'string' || dim === given[axis]));
  if (!fits) {
    issues.push({
      code: 'usage',
      severity: 'error',
      message: `The shape [${given.join(', ')}] given for ${name} does not fit ${shown}.`,
      node: name,
    });
  }
  const settled = shape.map((dim, axis) =>
    typeof dim === 'number' ? dim : (given?.[axis] ?? (axis === 0 ? 1 : dim)),
  );
  const open = settled.flatMap((dim, axis) => (typeof dim === 'string' ? [axis] : []));
  if (open.length > 0) {
    issues.push({
      code: 'model.dynamic-dims',
      severity: 'error',
      message: `Input ${name} leaves ${open.length === 1 ? 'axis' : 'axes'} ${open.join(', ')} of ${shown} open.`,
      node: name,
      hint: `Give its shape: --shape ${name}=${settled.map((dim) => (typeof dim === 'string' ? 'N' : dim)).join('x')} with numbers in place of N.`,
    });
  }
  return settled;
}

/** Entries that every file gets anew. */
const ownEntries = new Set(['min_runtime_version', 'CONVERSION_METADATA']);

function sourceOf(model: TfliteModelView, bytes: Uint8Array): GraphSource {
  const texts = model.metadata
    .filter(({ data, name }) => data.byteLength <= 64 && name !== modelMetadataEntry)
    .map(({ name, data }): [string, string] => [name, new TextDecoder().decode(data).replaceAll('\0', '')]);
  const described = model.metadata.find(({ name }) => name === modelMetadataEntry);
  const packed = findPackedFiles(bytes);
  const metadata = {
    ...Object.fromEntries(texts),
    ...(described && describeModelMetadata(described.data)),
    ...(packed && { files: packed.names.join(', ') }),
  };
  const kept = model.metadata.filter(({ name }) => !ownEntries.has(name));
  return {
    format: 'tflite',
    version: `schema ${model.version}`,
    producer: model.description || undefined,
    metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
    ...((kept.length > 0 || packed) && {
      attachments: { entries: Object.fromEntries(kept.map(({ name, data }) => [name, data])), packed },
    }),
  };
}
