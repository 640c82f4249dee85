import { resolve } from 'node:path';
import type { ErrorCode, Issue } from '../contract/errors.ts';
import { errorCodes, WhittleError } from '../contract/errors.ts';
import type { InputSpec } from '../data/sample-spec.ts';
import type { ReadResult } from '../formats/model-file.ts';
import { readModel } from '../formats/open-model.ts';
import { type Graph, type Value, valueNamed } from '../ir/graph.ts';

export type InputShapes = Readonly<Record<string, readonly number[]>>;

export type SourceModel = Awaited<ReturnType<typeof readModel>> & { readonly path: string };

/** Reads a model of any format. What is wrong with its operators stands in `issues`. */
export async function readSource(path: string, shapes: InputShapes): Promise<SourceModel> {
  const absolute = resolve(path);
  return { ...(await readModel(absolute, { shapes })), path: absolute };
}

/** Dimensions that are still open, as `input[axis]: name`. */
export function openDims(model: ReadResult): string[] {
  const inputs: readonly { name: string; shape: readonly (number | string)[] }[] = model.graph
    ? graphInputs(model.graph).map(({ id, type }) => ({ name: id, shape: type.shape }))
    : model.declaredInputs;
  return inputs.flatMap(({ name, shape }) =>
    shape.flatMap((dim, axis) => (typeof dim === 'string' ? [`${name}[${axis}]: ${dim}`] : [])),
  );
}

export function graphInputs(graph: Graph): Value[] {
  return graph.inputs.map((id) => valueNamed(graph, id));
}

/** Whether the file holds quantized weights or activations already. */
export function isQuantized(graph: Graph): boolean {
  const marks = new Set(['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear']);
  return (
    graph.nodes.some((node) => marks.has(node.op)) || [...graph.values.values()].some((value) => value.quant)
  );
}

/**
 * The graph of a model that can be converted.
 * @throws WhittleError with every error of the file at once; `model.dynamic-dims` listing open dimensions by input.
 */
export function requireGraph(model: SourceModel): Graph {
  const errors = model.issues.filter((issue) => issue.severity === 'error');
  if (errors.length > 0) throw issuesError(model.path, errors);
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

function issuesError(path: string, errors: readonly Issue[]): WhittleError {
  const known = errors.find((issue) => (errorCodes as readonly string[]).includes(issue.code));
  const code: ErrorCode = (known?.code as ErrorCode | undefined) ?? 'model.invalid';
  const list = errors.map((issue) => issue.message.replace(/[.;]?$/, '.'));
  const hints = new Set(errors.flatMap((issue) => issue.hint ?? []));
  return new WhittleError(code, `${path} cannot be converted. ${list.join(' ')}`, {
    issues: [...errors],
    hint: hints.size > 0 ? [...hints].join(' ') : undefined,
  });
}

/** The inputs that samples are for. @throws WhittleError as `requireGraph`. */
export function sampleInputs(graph: Graph): InputSpec[] {
  return graphInputs(graph).map(({ id, type }) => ({
    name: id,
    dtype: type.dtype,
    shape: type.shape as readonly number[],
  }));
}
