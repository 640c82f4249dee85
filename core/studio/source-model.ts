import { resolve } from 'node:path';
import type { Issue } from '../contract/errors.ts';
import { errorOfIssues, WhittleError } from '../contract/errors.ts';
import type { OutputFormat } from '../contract/views.ts';
import { proposeShapes } from '../data/sample-shapes.ts';
import type { InputSpec } from '../data/sample-spec.ts';
import type { FixedValues } from '../formats/fix-inputs.ts';
import type { ReadOptions, ReadResult } from '../formats/model-file.ts';
import { readAgain, readModel } from '../formats/open-model.ts';
import { type Graph, type Value, valueNamed } from '../ir/graph.ts';
import { opaqueCauses } from '../ir/opaque.ts';
import type { DataSource } from './tasks.ts';

/** What a recipe settles about a model's inputs. */
export type InputChoices = Pick<ReadOptions, 'shapes' | 'fixed'>;

export type SourceModel = Awaited<ReturnType<typeof readModel>> & {
  readonly path: string;
  /** Values of the inputs that became constants. */
  readonly fixed?: FixedValues;
};

/** Reads a model of any format. What is wrong with its operators stands in `issues`. */
export async function readSource(path: string, { shapes, fixed }: InputChoices): Promise<SourceModel> {
  const absolute = resolve(path);
  return { ...(await readModel(absolute, { shapes, fixed })), path: absolute, fixed };
}

/**
 * Reads a model for samples: dimensions that are still open take the sizes that the samples have, where those say.
 * @returns also all shapes that were given and found
 */
export async function readSourceFor(
  path: string,
  choices: InputChoices,
  data: DataSource | undefined,
): Promise<{ source: SourceModel; shapes: NonNullable<InputChoices['shapes']> }> {
  const source = await readSource(path, choices);
  const { shapes = {}, fixed } = choices;
  if (!data || openDims(source).length === 0) return { source, shapes };
  const found = await proposeShapes(data.paths, source.declaredInputs, data.preprocess);
  if (Object.keys(found).length === 0) return { source, shapes };
  const settled = { ...found, ...shapes };
  const { format, sizeBytes, sha256 } = source;
  const result = await readAgain(source.path, format, { shapes: settled, fixed });
  return { source: { ...result, path: source.path, fixed, format, sizeBytes, sha256 }, shapes: settled };
}

/** Dimensions that are still open, as `input[axis]: name`. */
export function openDims(model: ReadResult & Pick<SourceModel, 'fixed'>): string[] {
  const inputs: readonly { name: string; shape: readonly (number | string)[] }[] = model.graph
    ? graphInputs(model.graph).map(({ id, type }) => ({ name: id, shape: type.shape }))
    : model.declaredInputs.filter(({ name }) => !Object.hasOwn(model.fixed ?? {}, name));
  return inputs.flatMap(({ name, shape }) =>
    shape.flatMap((dim, axis) => (typeof dim === 'string' ? [`${name}[${axis}]: ${dim}`] : [])),
  );
}

export function graphInputs(graph: Graph): Value[] {
  return graph.inputs.map((id) => valueNamed(graph, id));
}

/** Also of ONNX operators that only pass through: `ai.onnx::QLinearConv`, `com.microsoft::MatMulNBits`. */
const quantizedOperators =
  /^(ai\.onnx::)?(De|Dynamic)?QuantizeLinear$|::(QLinear|QGemm|QAttention|DynamicQuantize|(MatMul|Conv)Integer|MatMulNBits)/;

/** Whether the file holds quantized weights or activations already. */
export function isQuantized(graph: Graph): boolean {
  return (
    graph.nodes.some((node) => quantizedOperators.test(node.op)) ||
    [...graph.values.values()].some((value) => value.quant)
  );
}

/**
 * The graph of a model that can be converted.
 * @throws WhittleError with every error of the file at once; `model.dynamic-dims` listing open dimensions by input.
 */
export function requireGraph(model: SourceModel): Graph {
  const errors = model.issues.filter((issue) => issue.severity === 'error');
  if (errors.length > 0) throw notConverted(model, errors);
  const open = openDims(model);
  if (open.length > 0) {
    throw new WhittleError(
      'model.dynamic-dims',
      `${model.path} leaves dimensions open: ${open.join(', ')}.`,
      {
        hint: 'Settle them with --shape NAME=1x224x224x3, once per input.',
      },
    );
  }
  if (model.graph) return model.graph;
  throw new WhittleError('model.invalid', `${model.path} has no graph that could be converted.`);
}

/**
 * Refuses a graph with operators that only pass through ONNX where no ONNX is to be made.
 * @throws WhittleError with every cause at once.
 */
export function requireForms(model: SourceModel, graph: Graph, formats: readonly OutputFormat[]): void {
  const causes = opaqueCauses(graph);
  if (causes.length === 0 || formats.includes('onnx')) return;
  const { code, message, hint, issues } = notConverted(model, causes);
  const way = 'ONNX keeps them as they are: choose it as the format.';
  throw new WhittleError(code, message, { issues, hint: [hint, way].filter(Boolean).join(' ') });
}

function notConverted({ path }: SourceModel, causes: readonly Issue[]): WhittleError {
  return errorOfIssues(`${path} cannot be converted.`, causes);
}

/** The inputs that samples are for. @throws WhittleError as `requireGraph`. */
export function sampleInputs(graph: Graph): InputSpec[] {
  return graphInputs(graph).map(({ id, type }) => ({
    name: id,
    dtype: type.dtype,
    shape: type.shape as readonly number[],
  }));
}
