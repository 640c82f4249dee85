/** Turns a TensorFlow graph with its functions into IR: one mapping for SavedModel, frozen graphs and TF.js. */
import { type Issue, WhittleError } from '../../contract/errors.ts';
import { GraphBuilder } from '../../ir/builder.ts';
import { isFloat } from '../../ir/dtype.ts';
import type { Graph, GraphSource, Value } from '../../ir/graph.ts';
import { elementCount, type Tensor } from '../../ir/tensor.ts';
import { type Complex, isComplex } from '../../ops/facets.ts';
import { foldNode, graphdefReaders, inferTypes } from '../../ops/registry.ts';
import type { ReadOptions, ReadResult } from '../model-file.ts';
import { renameOutputs } from '../rename-outputs.ts';
import { type InputDeclaration, type SettledInputs, settleInputs } from '../settle-inputs.ts';
import { complexConstant, isOnComplex, readComplex } from './complex.ts';
import {
  callPath,
  type Item,
  isChoice,
  isTaken,
  isValue,
  type Runner,
  runChoice,
  runLoop,
} from './control-flow.ts';
import { GraphDefNode } from './node-view.ts';
import { damaged, Functions, graphBody, maxDepth, type Plan, type Source } from './plan.ts';
import { pruneGraph } from './prune.ts';
import { raiseLoops } from './raise-loops.ts';
import { dataTypeNames, dataTypes, type GraphDef, type NodeDef, type ShapeProto } from './schema.ts';
import { isLoop, isVariable, surveyOperators } from './survey.ts';
import { arrayReaders } from './tensor-arrays.ts';
import { isList, type ListOperand, listReaders } from './tensor-lists.ts';
import { tensorFromProto } from './tensors.ts';

export interface GraphPort {
  /** As the user knows it. */
  readonly name: string;
  /** "node:0" */
  readonly tensor: string;
}

export interface GraphInput extends GraphPort {
  /** types.proto, DataType. */
  readonly type: number;
  readonly shape?: ShapeProto;
}

/** A TensorFlow graph and where its weights are. */
export interface GraphModel {
  readonly name: string;
  readonly graph: GraphDef;
  readonly inputs: readonly GraphInput[];
  readonly outputs: readonly GraphPort[];
  readonly source: GraphSource;
  /** Contents of Const nodes that the graph itself leaves out (TF.js). */
  readonly constants?: ReadonlyMap<string, Tensor>;
  /** Contents of variables by the handle's node. */
  readonly variables?: ReadonlyMap<NodeDef, Tensor>;
  /** What was found on the way to the graph. */
  readonly issues?: readonly Issue[];
}

/** Calls of functions within calls can multiply without bound. */
const maxNodes = 200_000;

/** The plan of what a model's outputs need, with every function on the way. */
export function planModel(model: Pick<GraphModel, 'name' | 'graph' | 'inputs' | 'outputs'>): {
  plan: Plan;
  functions: Functions;
} {
  const graph = raiseLoops(model.graph);
  const functions = new Functions(graph.library?.function ?? []);
  const body = graphBody(
    model.name,
    graph.node,
    model.inputs.map(({ tensor }) => tensor),
    model.outputs.map(({ tensor }) => tensor),
  );
  return { plan: functions.planBody(body), functions };
}

/**
 * Builds a typed graph. All findings are collected; the graph is absent when there is an error among them.
 * @throws WhittleError `model.invalid` when the graph does not hang together: nodes that are missing, loops.
 */
export function importGraph(model: GraphModel, options: ReadOptions): ReadResult {
  const { plan, functions } = planModel(model);
  const settled = settleInputs(model.inputs.map(declarationOf), options);
  const issues: Issue[] = [...(model.issues ?? []), ...settled.issues, ...surveyOperators(plan, functions)];
  const result = { declaredInputs: settled.declared };
  if (issues.some(({ severity }) => severity === 'error')) {
    return { ...result, issues, parameters: storedParameters(model) };
  }
  const importer = new GraphImporter(model, functions);
  const graph = importer.run(plan, settled);
  return { ...result, graph, issues: [...issues, ...importer.issues], parameters: importer.parameters };
}

function declarationOf({ name, type, shape }: GraphInput): InputDeclaration {
  const dtype = dataTypes[type];
  const kind =
    dtype === 'string' ? 'string (DT_STRING)' : (dtype ?? dataTypeNames[type] ?? 'of an unknown type');
  if (!shape || shape.unknownRank) return { name, kind };
  return {
    name,
    kind,
    dims: shape.dim.map(({ size }) => (size === undefined || size < 0 ? undefined : size)),
  };
}

function storedParameters(model: GraphModel): number {
  let count = 0;
  for (const tensors of [model.constants, model.variables]) {
    for (const tensor of tensors?.values() ?? [])
      if (isFloat(tensor.dtype)) count += elementCount(tensor.shape);
  }
  return count;
}

class GraphImporter implements Runner {
  readonly issues: Issue[] = [];
  private readonly model: GraphModel;
  readonly functions: Functions;
  readonly builder: GraphBuilder;
  private readonly weights = new Map<NodeDef, Value>();
  private nodesLeft = maxNodes;
  private depth = 0;

  constructor(model: GraphModel, functions: Functions) {
    this.model = model;
    this.functions = functions;
    this.builder = new GraphBuilder(model.name, inferTypes, foldNode);
  }

  /** Elements of all float constants and variables that were used. */
  get parameters(): number {
    let count = 0;
    for (const { type } of this.weights.values()) {
      if (isFloat(type.dtype)) count += elementCount(type.shape as number[]);
    }
    return count;
  }

  run(plan: Plan, { types, fixed }: SettledInputs): Graph | undefined {
    const inputs = this.model.inputs.map(({ name }) => {
      const tensor = fixed.get(name);
      return tensor ? this.builder.constant(name, tensor) : this.builder.input(name, types.get(name)!);
    });
    const outputs = this.runBody(plan, inputs, '');
    if (this.issues.some(({ severity }) => severity === 'error')) return undefined;
    const ids = outputs.map((output, i) => {
      if (isValue(output)) return output.id;
      if (isComplexItem(output)) throw complexOutput(this.model.outputs[i].name);
      throw damaged(`The output "${this.model.outputs[i].name}" is no tensor.`);
    });
    const graph = pruneGraph(this.builder.finish(ids, this.model.source));
    return renameOutputs(
      graph,
      this.model.outputs.map(({ name }) => name),
    );
  }

  /** @param path what the names of nodes begin with: the path of the call. */
  runBody(plan: Plan, args: readonly Item[], path: string): Item[] {
    // Branches and bodies are only planned when they are run, so that a function in itself shows here.
    if (this.depth >= maxDepth) throw damaged(`Functions call each other more than ${maxDepth} deep.`);
    this.depth++;
    const results = new Map<NodeDef, readonly Item[]>();
    const read = (source: Source): Item =>
      source.kind === 'argument' ? args[source.index] : results.get(source.node)?.[source.index];
    for (const node of plan.order) {
      this.count();
      const inputs = plan.sourcesOf(node).map(read);
      const name = pathOf(path, node.name ?? '');
      const outputs = this.guarded(node, name, () => this.runNode(node, name, inputs));
      if (outputs) results.set(node, outputs);
    }
    this.depth--;
    return plan.outputs.map(read);
  }

  count(): void {
    if (this.nodesLeft-- > 0) return;
    const { name } = this.model;
    throw damaged(`${name} has more than ${maxNodes} nodes once its functions and loops are written out.`);
  }

  private runNode(node: NodeDef, name: string, inputs: readonly Item[]): readonly Item[] | undefined {
    const op = node.op ?? '';
    if (op === 'Const') {
      const parts = complexConstant(node, name, this.builder);
      return [parts ?? this.weight(node, name, () => this.constantOf(node, name))];
    }
    if (isVariable(node)) return [{ variable: node }];
    const callee = this.functions.calleeOf(node);
    if (callee !== undefined) return this.runBody(this.functions.plan(callee), inputs, callPath(name));
    if (op === 'Merge') {
      const taken = inputs.findIndex((input) => input !== 'dead' && input !== undefined);
      return taken < 0 ? inputs.slice(0, 1) : [inputs[taken]];
    }
    if (inputs.includes('dead')) return ['dead', 'dead'];
    // What a failed node should have made is missing; its own issue says why.
    if (inputs.includes(undefined)) return undefined;
    if (op === 'Switch') {
      const isTrue = isTaken(this, node, name, inputs[1]);
      return isTrue ? ['dead', inputs[0]] : [inputs[0], 'dead'];
    }
    if (isChoice(node)) return runChoice(this, node, name, inputs);
    if (isLoop(node)) return runLoop(this, node, name, inputs);
    if ((op === 'Identity' || op === 'IdentityN') && inputs.some((input) => !isValue(input))) return inputs;
    if (listReaders[op] || arrayReaders[op]) return this.onLists(node, name, inputs);
    if (isOnComplex(node) || inputs.some((input) => isComplexItem(input))) {
      const operands = inputs.map((item) => (isComplexItem(item) ? item : this.valueOf(item)));
      return readComplex(node, name, operands, this.builder, (part, values) =>
        this.operator(node, part, values),
      );
    }
    return this.operator(node, name, inputs);
  }

  private onLists(node: NodeDef, name: string, inputs: readonly Item[]): readonly Item[] {
    const operands = inputs.map((item): ListOperand => (isList(item) ? item : this.valueOf(item)));
    const view = new GraphDefNode(node, name, []);
    const op = node.op ?? '';
    const result = (listReaders[op] ?? arrayReaders[op])(view, operands, this.builder);
    const unread = view.unread();
    return unread.length > 0
      ? view.refuse(`the attribute ${unread.join(', ')} is not known`)
      : [result].flat();
  }

  private operator(node: NodeDef, name: string, inputs: readonly Item[]): readonly (Value | undefined)[] {
    const values = inputs.map((input) => this.valueOf(input));
    const view = new GraphDefNode(node, name, values);
    const reader = graphdefReaders[node.op ?? ''];
    if (!reader) return view.refuse('the operator is not supported');
    const outputs = reader(view, this.builder);
    const unread = view.unread();
    if (unread.length > 0) view.refuse(`the attribute ${unread.join(', ')} is not known`);
    return outputs;
  }

  private constantOf(node: NodeDef, name: string): Tensor {
    const given = this.model.constants?.get(node.name ?? '');
    if (given) return given;
    if (this.model.constants)
      throw damaged(`The values of the constant "${name}" are not among the weights.`);
    const proto = node.attr.find(({ key }) => key === 'value')?.value?.tensor;
    if (!proto) throw damaged(`The constant "${name}" has no value.`);
    return tensorFromProto(proto, name);
  }

  /** A value as it is, a variable as its content. */
  valueOf(item: Item): Value {
    if (isValue(item)) return item;
    if (typeof item !== 'object') throw damaged('A node reads a variable that is not there.');
    if (isList(item)) throw damaged('A node reads a list of tensors as one tensor.');
    if (isComplex(item)) throw damaged('A node reads complex numbers as real ones.');
    const node = item.variable;
    return this.weight(node, node.name ?? '', () => {
      const tensor = this.model.variables?.get(node);
      if (tensor) return tensor;
      throw damaged(`The values of the variable "${node.name}" are not in the model.`);
    });
  }

  /** Weights enter the graph once, however often a function is called. */
  private weight(node: NodeDef, name: string, load: () => Tensor): Value {
    let value = this.weights.get(node);
    if (!value) {
      value = this.builder.constant(name, load());
      this.weights.set(node, value);
    }
    return value;
  }

  /** Turns whatever goes wrong with one node into an issue about it, and goes on with the others. */
  private guarded<T>(node: NodeDef, name: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (this.nodesLeft < 0) throw error;
      if (error instanceof WhittleError && error.issues.length > 0) {
        this.issues.push(...error.issues);
        return undefined;
      }
      const message = error instanceof Error ? error.message : String(error);
      const op = node.op ?? '';
      this.issues.push({
        code: error instanceof WhittleError ? error.code : 'model.invalid',
        severity: 'error',
        node: name,
        op,
        message: message.includes(name) ? `${message}.` : `${name} (${op}): ${message}.`,
      });
      return undefined;
    }
  }
}

function isComplexItem(item: Item): item is Complex {
  return typeof item === 'object' && isComplex(item);
}

function complexOutput(name: string): WhittleError {
  const message = `The output "${name}" is complex; Whittle gives tensors of real numbers.`;
  return new WhittleError('model.unsupported-option', message, {
    issues: [{ code: 'model.unsupported-option', severity: 'error', node: name, message }],
    hint: 'Export the model with its real and imaginary parts, or its magnitude, as outputs.',
  });
}

function pathOf(path: string, name: string): string {
  return path === '' || name.startsWith(`${path}/`) ? name : `${path}/${name}`;
}
