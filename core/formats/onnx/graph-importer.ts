/** Builds a typed graph out of an ONNX one, node by node. */
import { type Issue, WhittleError } from '../../contract/errors.ts';
import { GraphBuilder } from '../../ir/builder.ts';
import type { Graph, GraphSource, TensorType, Value } from '../../ir/graph.ts';
import { isOther } from '../../ir/opaque.ts';
import type { OnnxReader } from '../../ops/facets.ts';
import { foldNode, inferTypes, onnxReaders } from '../../ops/registry.ts';
import { fixHint } from '../fix-inputs.ts';
import type { SettledInputs } from '../settle-inputs.ts';
import { branchesOf, mergeBranches } from './conditional.ts';
import { declaredTypes, unknownType } from './declared-types.ts';
import { runLoop } from './loops.ts';
import { nodeName, normalDomain, OnnxNode, operatorName } from './node-view.ts';
import { opaqueAttrs, opaqueName } from './opaque.ts';
import { typesFromOperands } from './opaque-types.ts';
import { capturesOf, freeNames, orderNodes, readsOf } from './order.ts';
import { attributeTypes, type GraphProto, type NodeProto, type TensorProto } from './schema.ts';
import { allNodes, subgraphsOf } from './subgraphs.ts';
import { type ExternalBytes, holdsTensor, tensorFromProto, unheldTensor } from './tensors.ts';
import { isSteering, unsupportedOperators } from './unsupported.ts';

/** The reader of an operator for a model's opset: the newest that is not newer than the model. */
function readerFor(node: NodeProto, opsets: ReadonlyMap<string, number>): OnnxReader | undefined {
  const versions = onnxReaders[operatorName(node)];
  const opset = opsets.get(normalDomain(node.domain));
  if (!versions || opset === undefined) return undefined;
  const since = Object.keys(versions)
    .map(Number)
    .filter((version) => version <= opset);
  return since.length ? versions[Math.max(...since)] : undefined;
}

/** One graph of the file while its nodes are added. */
interface Level {
  readonly scope: Scope;
  readonly lookup: Lookup;
  /** Names that something reads. */
  readonly needed: ReadonlySet<string>;
  readonly top: boolean;
  /** What the file states of the graph's values. */
  readonly types: ReadonlyMap<string, TensorType>;
}

/** Names of one graph level; a subgraph sees what surrounds it. */
type Scope = Map<string, Value>;
type Lookup = (name: string) => Value | undefined;

/** Refusals that leave an operator whole: it passes through. Anything else is a fault of the model. */
const passable: ReadonlySet<string> = new Set([
  'model.unsupported-operator',
  'model.unsupported-option',
  'model.computed-input',
]);

interface ImportContext {
  readonly opsets: ReadonlyMap<string, number>;
  readonly external: ExternalBytes | undefined;
  /** Of dimensions with a name. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Why no operator at all is read; absent where readers are to be asked. */
  readonly keepAll: readonly Issue[] | undefined;
}

/**
 * Asks the readers of the operators. A node that no reader takes, or that reads what only such a node makes, becomes an
 * opaque node; what is wrong with the model itself is an issue.
 */
export class GraphImporter {
  readonly issues: Issue[] = [];
  private readonly builder: GraphBuilder;
  private readonly context: ImportContext;
  private unsupported: ReadonlyMap<string, Issue> = new Map();
  /** Causes of each opaque node so far. */
  private readonly kept: (readonly Issue[])[] = [];

  constructor(name: string, context: ImportContext) {
    this.builder = new GraphBuilder(name, inferTypes, foldNode);
    this.context = context;
  }

  run(
    proto: GraphProto,
    { types, fixed }: Pick<SettledInputs, 'types' | 'fixed'>,
    source: GraphSource,
  ): Graph | undefined {
    this.unsupported = unsupportedOperators(proto, this.context.opsets);
    const scope: Scope = new Map();
    for (const [name, type] of types) {
      const tensor = fixed.get(name);
      scope.set(name, tensor ? this.builder.constant(name, tensor) : this.builder.input(name, type));
    }
    const outputs = this.nodes(proto, scope, true);
    if (!outputs || this.issues.some((issue) => issue.severity === 'error')) return undefined;
    const ids = outputs.map((value, i) => {
      const name = proto.output[i].name ?? '';
      if (value.id === name) return name;
      const { type } = value;
      return this.builder.one('Identity', [value], {}, { outputs: [name], types: [type] }).id;
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
    const lookup: Lookup = (name) => {
      const known = scope.get(name);
      const tensor = initializers.get(name);
      if (known || !tensor) return known;
      const value = this.guarded(undefined, () => this.initializer(name, tensor));
      if (value) scope.set(name, value);
      return value;
    };
    const needed = new Set(proto.output.map(({ name }) => name ?? ''));
    for (const node of nodes) for (const name of readsOf(node)) needed.add(name);
    const level: Level = { scope, lookup, needed, top, types: declaredTypes(proto, this.context.sizes) };
    for (const node of nodes) this.node(node, level);
    const outputs = proto.output.map(({ name }) => lookup(name ?? ''));
    return outputs.every((value) => value !== undefined) ? (outputs as Value[]) : undefined;
  }

  /** A constant; one of a type that the IR does not hold is made by an opaque Constant. */
  private initializer(name: string, tensor: TensorProto): Value {
    if (holdsTensor(tensor))
      return this.builder.constant(name, tensorFromProto(tensor, this.context.external));
    const value = {
      name: 'value',
      type: attributeTypes.tensor,
      t: tensor,
      floats: [],
      ints: [],
      strings: [],
    };
    const output = this.builder.freeName(name);
    const node: NodeProto = { opType: 'Constant', name, input: [], output: [output], attribute: [value] };
    return this.keep(node, [], [output], [unheldTensor(tensor)], new Map())[0];
  }

  private node(node: NodeProto, level: Level): void {
    const { lookup, top } = level;
    const inputs = node.input.map((name) => (name === '' ? null : lookup(name)));
    // What a failed node should have made is missing; its own issue says why.
    if (inputs.some((value) => value === undefined)) return;
    const values = inputs as (Value | null)[];
    // Inside a subgraph a name may be taken already, by the other branch.
    const outputs = node.output.map((name, i) => {
      if (name !== '' && (top || !this.builder.has(name))) return name;
      return this.builder.freeName(name === '' ? `${nodeName(node)}:${i}` : name);
    });
    const found = this.issues.length;
    let causes = this.whyKept(node, values);
    if (!causes) {
      this.guarded(node, () => {
        try {
          if (operatorName(node) === 'If') this.conditional(node, values[0]!, level);
          else if (operatorName(node) === 'Loop') this.loop(node, values, level);
          else this.builder.attempt(() => this.read(node, values, outputs, level));
        } catch (error) {
          if (!(error instanceof WhittleError) || !passable.has(error.code)) throw error;
          this.issues.length = found;
          causes = this.isUnsure(values)
            ? []
            : error.issues.length
              ? error.issues
              : [errorIssue(node, error.code, error.message)];
        }
      });
    }
    if (causes) this.guarded(node, () => this.pass(node, values, outputs, causes!, level));
  }

  /** Adds a node as an opaque one. What its subgraphs read are inputs, too. */
  private pass(
    node: NodeProto,
    inputs: readonly (Value | null)[],
    outputs: readonly string[],
    causes: readonly Issue[],
    { scope, lookup, types }: Level,
  ): void {
    const captured = [...capturesOf(node)].map(lookup);
    if (captured.some((value) => value === undefined)) return;
    const made = this.keep(node, [...inputs, ...(captured as Value[])], outputs, causes, types);
    node.output.forEach((name, i) => {
      if (name !== '') scope.set(name, made[i]);
    });
  }

  /** Why an operator is kept as it is without asking a reader; undefined when there is one to ask. */
  private whyKept(node: NodeProto, inputs: readonly (Value | null)[]): readonly Issue[] | undefined {
    const { opsets, keepAll } = this.context;
    if (keepAll) return keepAll;
    if (!isSteering(node) && !readerFor(node, opsets)) {
      const inner = subgraphsOf(node).flatMap((graph) => [...allNodes(graph)]);
      const names = new Set([node, ...inner].map(operatorName));
      return [...names].flatMap((name) => this.unsupported.get(name) ?? []);
    }
    return inputs.some((value) => value && isOther(value.type)) ? [] : undefined;
  }

  /** Whether an opaque operator before is why sizes are not known; what follows from that is no cause of its own. */
  private isUnsure(inputs: readonly (Value | null)[]): boolean {
    return (
      this.kept.length > 0 && inputs.some((value) => value?.type.shape.some((dim) => typeof dim === 'string'))
    );
  }

  /** Adds a node that carries the NodeProto. */
  private keep(
    node: NodeProto,
    inputs: readonly (Value | null)[],
    outputs: readonly string[],
    causes: readonly Issue[],
    types: ReadonlyMap<string, TensorType>,
  ): Value[] {
    this.kept.push(causes);
    const { opsets, external } = this.context;
    const opset = opsets.get(normalDomain(node.domain)) ?? 1;
    const inferred = typesFromOperands(new OnnxNode(node, opset, inputs, outputs, external), inputs);
    return this.builder.add(opaqueName(node), inputs, opaqueAttrs(node, external, causes), {
      name: nodeName(node),
      outputs,
      types: node.output.map((name, i) => {
        const stated = types.get(name) ?? unknownType;
        return isOther(stated) && !this.context.keepAll ? (inferred[i] ?? stated) : stated;
      }),
    });
  }

  private read(
    node: NodeProto,
    inputs: readonly (Value | null)[],
    outputs: readonly string[],
    level: Level,
  ): void {
    const { opsets, external } = this.context;
    const opset = opsets.get(normalDomain(node.domain)) ?? 1;
    const view = new OnnxNode(node, opset, inputs, outputs, external);
    readerFor(node, opsets)?.(view, this.builder);
    const unread = view.unread();
    if (unread.length) view.refuse(`the attribute ${unread.join(', ')} is not known`);
    node.output.forEach((name, i) => {
      if (name === '') return;
      if (this.builder.has(outputs[i])) level.scope.set(name, this.builder.get(outputs[i]));
      else if (level.needed.has(name))
        view.refuse(`the output "${name}" (${i}) is used, which is not supported`);
    });
  }

  private conditional(node: NodeProto, condition: Value, { scope, lookup }: Level): void {
    const branches = branchesOf(node, condition);
    const captured = new Map(
      branches.flatMap((branch) => [...freeNames(branch)].map((name) => [name, lookup(name)])),
    );
    // As for what a node reads itself: the node that failed to make it has said why.
    if ([...captured.values()].includes(undefined)) return;
    const scopes = branches.map((): Scope => new Map([...scope, ...(captured as Scope)]));
    const before = this.kept.length;
    const found = this.issues.length;
    this.builder.attempt(() => {
      const results = branches.map((branch, i) => this.nodes(branch, scopes[i], false));
      if (branches.length > 1) this.hintAtChoice(condition, found);
      const causes = this.kept.slice(before).flat();
      // What cannot be read may fail where its branch is not meant to be taken: such a choice stays one.
      if (branches.length > 1 && this.kept.length > before) {
        this.kept.length = before;
        throw new WhittleError('model.unsupported-operator', `If "${nodeName(node)}" stays as it is.`, {
          issues: causes,
        });
      }
      if (results.some((values) => values === undefined)) return;
      const values = mergeBranches(node, condition, results as Value[][], this.builder, this.issues);
      node.output.forEach((name, i) => {
        if (name !== '') scope.set(name, values[i]);
      });
    });
  }

  private loop(node: NodeProto, inputs: readonly (Value | null)[], { scope, lookup }: Level): void {
    const captured = new Map([...capturesOf(node)].map((name) => [name, lookup(name)]));
    if ([...captured.values()].includes(undefined)) return;
    const before = this.kept.length;
    this.builder.attempt(() => {
      const results = runLoop(node, inputs, this.builder, (body, given) => {
        const made = this.nodes(body, new Map([...scope, ...(captured as Scope), ...given]), false);
        // A loop around what passes through passes through as a whole.
        if (this.kept.length > before) {
          const issues = this.kept.splice(before).flat();
          const message = `Loop "${nodeName(node)}" stays as it is.`;
          throw new WhittleError('model.unsupported-operator', message, { issues });
        }
        return made;
      });
      node.output.forEach((name, i) => {
        if (name !== '' && results) scope.set(name, results[i]);
      });
    });
  }

  /** What is wrong in a branch may be so because it is not meant to be taken. @param from index of the first issue */
  private hintAtChoice(condition: Value, from: number): void {
    const hint = fixHint(this.builder, condition);
    if (!hint) return;
    for (let i = from; i < this.issues.length; i++) {
      const issue = this.issues[i];
      if (issue.severity === 'error')
        this.issues[i] = {
          ...issue,
          hint: issue.hint ?? `The branch it stands in is chosen while the model runs. ${hint}`,
        };
    }
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
