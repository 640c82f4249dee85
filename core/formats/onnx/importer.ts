/** Turns a decoded ONNX model into IR. */
import { type Issue, WhittleError } from '../../contract/errors.ts';
import type { Graph, GraphSource } from '../../ir/graph.ts';
import { opaqueCauses, opaqueOf } from '../../ir/opaque.ts';
import { elementCount } from '../../ir/tensor.ts';
import type { ReadOptions, ReadResult } from '../model-file.ts';
import type { SettledInputs } from '../settle-inputs.ts';
import { tensorsOf } from './external-data.ts';
import { inlineFunctions } from './functions.ts';
import { GraphImporter } from './graph-importer.ts';
import { settleInputs } from './input-shapes.ts';
import { canBeIn } from './meanings.ts';
import { nodeName, normalDomain } from './node-view.ts';
import { protoOf } from './opaque.ts';
import {
  dataTypeNames,
  dataTypes,
  type GraphProto,
  type ModelProto,
  newestOpset,
  oldestOpset,
  oldestWritten,
} from './schema.ts';
import { allNodes } from './subgraphs.ts';
import type { ExternalBytes } from './tensors.ts';

/**
 * Builds a typed graph. All findings are collected; the graph is absent when an error leaves none, and present with
 * open dimensions when those are the only fault. Operators that the IR has no form for stand in the graph as opaque
 * nodes, each with a warning; so do all operators of a model in an opset that has none in the IR.
 * @param name shown as the graph's name when the file gives none.
 */
export function importModel(
  file: ModelProto,
  name: string,
  options: ReadOptions,
  external?: ExternalBytes,
): ReadResult {
  const model = inlineFunctions(file);
  const proto = model.graph;
  if (!proto) throw new WhittleError('format.damaged', `${name} is an ONNX file without a graph.`);
  const opsets = new Map(
    model.opsetImport.map(({ domain, version }) => [normalDomain(domain), version ?? 1]),
  );
  const opset = opsets.get('');
  const initializers = new Set(proto.initializer.map((tensor) => tensor.name ?? ''));
  const settled = settleInputs(
    proto.input.filter((input) => !initializers.has(input.name ?? '')),
    options,
  );
  const issues: Issue[] = [
    ...(opset !== undefined && opset > newestOpset ? [opsetIssue(opset)] : []),
    ...sparseIssues(proto),
    ...settled.issues,
    ...outputIssues(proto),
    ...integerIssues(proto),
  ];
  const result = { declaredInputs: settled.declared, parameters: countParameters(proto) };
  const blocking = issues.filter(
    (issue) => issue.severity === 'error' && issue.code !== 'model.dynamic-dims',
  );
  if (blocking.length || settled.types.size !== settled.declared.length) return { ...result, issues };

  const rounds = issues.some(({ code }) => code === 'model.already-quantized');
  const source = { ...sourceOf(model, opsets), ...(rounds && { rounds }) };
  const run = (keepAll?: readonly Issue[]) => {
    const importer = new GraphImporter(name, { opsets, external, sizes: sizesOf(settled), keepAll });
    return { graph: importer.run(proto, settled, source), issues: importer.issues };
  };
  const tooOld = opset === undefined || opset < oldestOpset;
  let found = run(tooOld ? [opsetIssue(opset)] : undefined);
  // What is written is of a newer opset than an old source; where a kept operator would change its meaning, all of the model is kept.
  const target = Math.max(opset ?? 1, oldestWritten);
  const changes = found.graph?.nodes.some((node) => {
    const proto = protoOf(node);
    return proto && !canBeIn(proto, opset ?? 1, target);
  });
  if (!tooOld && found.graph && changes) found = run(opaqueCauses(found.graph));
  const { graph } = found;
  const open = issues.some((issue) => issue.code === 'model.dynamic-dims');
  // With open dimensions, what fails further down fails because of them; the user has one thing to do.
  const causes = graph ? opaqueCauses(graph).map((issue): Issue => ({ ...issue, severity: 'warning' })) : [];
  const kept = [...causes, ...followersIssue(graph)];
  const further = [...found.issues, ...kept].filter(({ code }) => !open || !consequences.has(code));
  return { ...result, graph, issues: [...issues, ...further] };
}

/** Operators that could be read if the file stated what those before them make. */
function followersIssue(graph: Graph | undefined): Issue[] {
  const nodes = (graph?.nodes ?? []).filter((node) => opaqueOf(node)?.causes.length === 0);
  if (nodes.length === 0) return [];
  const [{ id, op }] = nodes;
  const message = `${nodes.length} more ${nodes.length > 1 ? 'operators stay' : 'operator stays'} as in the source, "${id}" first: the file does not say what comes out of the operators before.`;
  const hint =
    'Store inferred shapes in it first, with onnx.shape_inference or symbolic_shape_infer of onnxruntime.';
  return [{ code: 'model.unsupported-option', severity: 'warning', node: id, op, message, hint }];
}

/** What may only be wrong because dimensions of the inputs are open. */
const consequences: ReadonlySet<string> = new Set(['model.invalid', 'model.computed-input']);

/** Sizes of the open dimensions that were settled, by name. */
function sizesOf({ declared, types }: SettledInputs): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { name, shape } of declared) {
    shape.forEach((dim, axis) => {
      const size = types.get(name)?.shape[axis];
      if (typeof dim === 'string' && typeof size === 'number') sizes.set(dim, size);
    });
  }
  return sizes;
}

function sourceOf(model: ModelProto, opsets: ReadonlyMap<string, number>): GraphSource {
  const producer = [model.producerName, model.producerVersion].filter(Boolean).join(' ');
  const metadata = Object.fromEntries(model.metadataProps.map(({ key, value }) => [key ?? '', value ?? '']));
  const opset = opsets.get('');
  const domains = [...opsets].filter(([domain]) => domain !== '');
  return {
    format: 'onnx',
    version: `opset ${opset ?? 1}`,
    ...(producer && { producer }),
    ...(model.metadataProps.length && { metadata }),
    opset,
    ...(domains.length && { domains: Object.fromEntries(domains) }),
  };
}

function opsetIssue(opset: number | undefined): Issue {
  return {
    code: 'format.unsupported',
    severity: 'error',
    message: `The model is of opset ${opset ?? 'unknown'}; Whittle reads opsets ${oldestOpset} to ${newestOpset}.`,
    hint: 'Export it again with another opset, or convert it with onnx.version_converter.',
  };
}

/** Outputs must be numbers: nothing else can be compared with the source's. */
function outputIssues(graph: GraphProto): Issue[] {
  return graph.output.flatMap(({ name, type }): Issue[] => {
    if (!type) return [];
    const { elemType } = type.tensorType ?? { elemType: 0 };
    const dtype = dataTypes[elemType ?? 0];
    if (dtype ? dtype !== 'string' : type.tensorType && !elemType) return [];
    const kind = type.tensorType ? (dataTypeNames[elemType ?? 0] ?? 'of an unknown type') : 'no tensor';
    const message = `The output "${name}" is ${kind}; Whittle gives tensors of numbers.`;
    return [{ code: 'model.invalid', severity: 'error', node: name, message }];
  });
}

/** Operators that onnxruntime's quantizers write, and that are read in float arithmetic. */
const integerOperators = /^(MatMulInteger|ConvInteger|DynamicQuantize|QAttention)/;

function integerIssues(graph: GraphProto): Issue[] {
  const nodes = [...allNodes(graph)].filter(({ opType = '' }) => integerOperators.test(opType));
  if (nodes.length === 0) return [];
  const message = `The model was quantized before: ${nodes.length === 1 ? 'an operator computes' : `${nodes.length} operators compute`} with integers, ${nodes[0].opType} "${nodeName(nodes[0])}" first. They are written out in float arithmetic, with the rounding of the source.`;
  const hint =
    'Start from the float model that it was made from, where there is one: that is smaller and faster.';
  return [
    {
      code: 'model.already-quantized',
      severity: 'warning',
      node: nodeName(nodes[0]),
      op: nodes[0].opType,
      message,
      hint,
    },
  ];
}

function sparseIssues(graph: GraphProto): Issue[] {
  if (graph.sparseInitializer.length === 0) return [];
  return [
    {
      code: 'format.unsupported',
      severity: 'error',
      message: `The model stores ${graph.sparseInitializer.length} weights as sparse tensors, which Whittle does not read.`,
    },
  ];
}

/** Elements of all stored weights: floats and, in a quantized model, 4- and 8-bit integers. */
function countParameters(graph: GraphProto): number {
  let count = 0;
  for (const tensor of tensorsOf(graph)) {
    const dtype = dataTypes[tensor.dataType ?? 0] ?? '';
    if (/^(b?float|u?int[48]$)/.test(dtype)) count += elementCount(tensor.dims);
  }
  return count;
}
