/** Turns a decoded ONNX model into IR. */
import { type Issue, WhittleError } from '../../contract/errors.ts';
import { GraphBuilder } from '../../ir/builder.ts';
import type { Graph, GraphSource, Value } from '../../ir/graph.ts';
import { elementCount } from '../../ir/tensor.ts';
import type { OnnxReader } from '../../ops/facets.ts';
import { foldNode, inferTypes, onnxReaders } from '../../ops/registry.ts';
import type { ReadOptions, ReadResult } from '../model-file.ts';
import { branchesOf, mergeBranches } from './conditional.ts';
import { tensorsOf } from './external-data.ts';
import { inlineFunctions } from './functions.ts';
import { settleInputs } from './input-shapes.ts';
import { nodeName, normalDomain, OnnxNode, operatorName } from './node-view.ts';
import { orderNodes } from './order.ts';
import {
  dataTypes,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  newestOpset,
  oldestOpset,
} from './schema.ts';
import { type ExternalBytes, tensorFromProto } from './tensors.ts';
import { unsupportedOperators } from './unsupported.ts';

/** The reader of an operator for a model's opset: the newest that is not newer than the model. */
export function readerFor(node: NodeProto, opsets: ReadonlyMap<string, number>): OnnxReader | undefined {
  const versions = onnxReaders[operatorName(node)];
  const opset = opsets.get(normalDomain(node.domain));
  if (!versions || opset === undefined) return undefined;
  const since = Object.keys(versions)
    .map(Number)
    .filter((version) => version <= opset);
  return since.length ? versions[Math.max(...since)] : undefined;
}

/**
 * Builds a typed graph. All findings are collected; the graph is absent when an error leaves none, and present with
 * open dimensions when those are the only fault.
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
  const initializers = new Set(proto.initializer.map((tensor) => tensor.name ?? ''));
  const settled = settleInputs(
    proto.input.filter((input) => !initializers.has(input.name ?? '')),
    options,
  );
  const issues: Issue[] = [
    ...opsetIssues(opsets.get('')),
    ...sparseIssues(proto),
    ...settled.issues,
    ...unsupportedOperators(proto, opsets),
  ];
  const result = { declaredInputs: settled.declared, parameters: countParameters(proto) };
  const blocking = issues.filter(
    (issue) => issue.severity === 'error' && issue.code !== 'model.dynamic-dims',
  );
  if (blocking.length || settled.types.size !== settled.declared.length) return { ...result, issues };

  const importer = new GraphImporter(name, opsets, external);
  const graph = importer.run(proto, settled.types, sourceOf(model, opsets.get('')));
  const open = issues.some((issue) => issue.code === 'model.dynamic-dims');
  // With open dimensions, what fails further down fails because of them; the user has one thing to do.
  const found = open ? importer.issues.filter((issue) => issue.code !== 'model.invalid') : importer.issues;
  return { ...result, graph, issues: [...issues, ...found] };
}

function sourceOf(model: ModelProto, opset: number | undefined): GraphSource {
  const producer = [model.producerName, model.producerVersion].filter(Boolean).join(' ');
  const metadata = Object.fromEntries(model.metadataProps.map(({ key, value }) => [key ?? '', value ?? '']));
  return {
    format: 'onnx',
    version: `opset ${opset ?? 1}`,
    ...(producer && { producer }),
    ...(model.metadataProps.length && { metadata }),
    opset,
  };
}

function opsetIssues(opset: number | undefined): Issue[] {
  if (opset !== undefined && opset >= oldestOpset && opset <= newestOpset) return [];
  return [
    {
      code: 'format.unsupported',
      severity: 'error',
      message: `The model is of opset ${opset ?? 'unknown'}; Whittle reads opsets ${oldestOpset} to ${newestOpset}.`,
      hint: 'Export it again with another opset, or convert it with onnx.version_converter.',
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

/** Names of one graph level; a subgraph sees what surrounds it. */
type Scope = Map<string, Value>;

class GraphImporter {
  readonly issues: Issue[] = [];
  private readonly builder: GraphBuilder;
  private readonly opsets: ReadonlyMap<string, number>;
  private readonly external: ExternalBytes | undefined;

  constructor(name: string, opsets: ReadonlyMap<string, number>, external: ExternalBytes | undefined) {
    this.builder = new GraphBuilder(name, inferTypes, foldNode);
    this.opsets = opsets;
    this.external = external;
  }

  run(proto: GraphProto, types: ReadonlyMap<string, Value['type']>, source: GraphSource): Graph | undefined {
    const scope: Scope = new Map();
    for (const [name, type] of types) scope.set(name, this.builder.input(name, type));
    const outputs = this.nodes(proto, scope, true);
    if (!outputs || this.issues.some((issue) => issue.severity === 'error')) return undefined;
    const ids = outputs.map((value, i) => {
      const name = proto.output[i].name ?? '';
      return value.id === name ? name : this.builder.one('Identity', [value], {}, { outputs: [name] }).id;
    });
    return this.builder.finish(ids, source);
  }

  /** Adds a graph's nodes; returns its outputs, or undefined when one could not be made. */
  private nodes(proto: GraphProto, scope: Scope, top: boolean): Value[] | undefined {
    const initializers = new Map(proto.initializer.map((tensor) => [tensor.name ?? '', tensor]));
    const { nodes, issues } = orderNodes(proto, new Set(scope.keys()));
    this.issues.push(...issues);
    if (issues.length) return undefined;
    // A weight enters the graph when it is first read, so that unused ones leave nothing behind.
    const lookup = (name: string): Value | undefined => {
      const known = scope.get(name);
      const tensor = initializers.get(name);
      if (known || !tensor) return known;
      const value = this.guarded(undefined, () =>
        this.builder.constant(name, tensorFromProto(tensor, this.external)),
      );
      if (value) scope.set(name, value);
      return value;
    };
    const needed = new Set(proto.output.map(({ name }) => name ?? ''));
    for (const node of nodes) for (const name of node.input) needed.add(name);
    for (const node of nodes) this.node(node, scope, lookup, needed, top);
    const outputs = proto.output.map(({ name }) => lookup(name ?? ''));
    return outputs.every((value) => value !== undefined) ? (outputs as Value[]) : undefined;
  }

  private node(
    node: NodeProto,
    scope: Scope,
    lookup: (name: string) => Value | undefined,
    needed: ReadonlySet<string>,
    top: boolean,
  ): void {
    const inputs = node.input.map((name) => (name === '' ? null : lookup(name)));
    // What a failed node should have made is missing; its own issue says why.
    if (inputs.some((value) => value === undefined)) return;
    if (node.opType === 'If') {
      this.conditional(node, inputs[0] as Value, scope, lookup);
      return;
    }
    // Inside a subgraph a name may be taken already, by the other branch.
    const outputs = node.output.map((name, i) => {
      if (name !== '' && (top || !this.builder.has(name))) return name;
      return this.builder.freeName(name === '' ? `${nodeName(node)}:${i}` : name);
    });
    const opset = this.opsets.get(normalDomain(node.domain)) ?? 1;
    const view = new OnnxNode(node, opset, inputs as (Value | null)[], outputs, this.external);
    this.guarded(node, () => {
      readerFor(node, this.opsets)?.(view, this.builder);
      const unread = view.unread();
      if (unread.length) view.refuse(`the attribute ${unread.join(', ')} is not known`);
      node.output.forEach((name, i) => {
        if (name === '') return;
        if (this.builder.has(outputs[i])) scope.set(name, this.builder.get(outputs[i]));
        else if (needed.has(name)) view.refuse(`the output "${name}" (${i}) is used, which is not supported`);
      });
    });
  }

  private conditional(
    node: NodeProto,
    condition: Value,
    scope: Scope,
    lookup: (name: string) => Value | undefined,
  ): void {
    this.guarded(node, () => {
      const branches = branchesOf(node, condition);
      const results = branches.map((branch) => {
        const inner: Scope = new Map(scope);
        for (const name of readsOutside(branch)) {
          const value = lookup(name);
          if (value) inner.set(name, value);
        }
        return this.nodes(branch, inner, false);
      });
      if (results.some((values) => values === undefined)) return;
      const values = mergeBranches(node, condition, results as Value[][], this.builder, this.issues);
      node.output.forEach((name, i) => {
        if (name !== '') scope.set(name, values[i]);
      });
    });
  }

  /** Turns whatever goes wrong with one node into an issue about it, and goes on with the others. */
  private guarded<T>(node: NodeProto | undefined, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (error instanceof WhittleError) {
        this.issues.push(
          ...(error.issues.length ? error.issues : [errorIssue(node, error.code, error.message)]),
        );
      } else {
        const message = error instanceof Error ? error.message : String(error);
        // Shape inference and readers name the node already; what folding finds does not.
        const name = node && nodeName(node);
        const sentence =
          !node || message.includes(name ?? '') ? message : `${name} (${operatorName(node)}): ${message}`;
        this.issues.push(errorIssue(node, 'model.invalid', `${sentence}.`));
      }
      return undefined;
    }
  }
}

function errorIssue(node: NodeProto | undefined, code: string, message: string): Issue {
  return {
    code,
    severity: 'error',
    message,
    ...(node && { node: nodeName(node), op: operatorName(node) }),
  };
}

function readsOutside(graph: GraphProto): Set<string> {
  return new Set([
    ...graph.node.flatMap((node) => node.input),
    ...graph.output.map(({ name }) => name ?? ''),
  ]);
}
