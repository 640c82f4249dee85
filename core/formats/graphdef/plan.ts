/** Which nodes of a graph or function are needed for its outputs, and in which order they run. */
import { WhittleError } from '../../contract/errors.ts';
import { outputIndex } from './output-names.ts';
import type { FunctionDef, NodeDef } from './schema.ts';

/** One output of a node, or an argument of the function around it. */
export type Source =
  | { readonly kind: 'node'; readonly node: NodeDef; readonly index: number }
  | { readonly kind: 'argument'; readonly index: number };

/** A graph or the body of a function. */
export interface Body {
  /** As in messages. */
  readonly name: string;
  readonly nodes: ReadonlyMap<string, NodeDef>;
  readonly arguments: ReadonlyMap<string, number>;
  readonly outputs: readonly string[];
  readonly outputNames: readonly string[];
}

export interface Plan {
  readonly body: Body;
  /** Only what the outputs need, each node behind those it reads. */
  readonly order: readonly NodeDef[];
  readonly outputs: readonly Source[];
  /** Arguments that the outputs need. */
  readonly used: ReadonlySet<number>;
  sourcesOf(node: NodeDef): readonly Source[];
}

const calls = new Set(['PartitionedCall', 'StatefulPartitionedCall']);

/** Functions calling functions deeper than this are refused. */
export const maxDepth = 200;

export function damaged(message: string): WhittleError {
  return new WhittleError('model.invalid', message, {
    issues: [{ code: 'model.invalid', severity: 'error', message }],
    hint: 'Export the model again.',
  });
}

/** The graph's own nodes with the outputs asked for ("node:0"). What is fed counts as an argument. */
export function graphBody(
  name: string,
  nodes: readonly NodeDef[],
  fed: readonly string[],
  outputs: readonly string[],
): Body {
  return {
    name,
    nodes: nodesByName(nodes, name),
    arguments: new Map(fed.map((tensor, i) => [plainName(tensor), i])),
    outputs,
    outputNames: outputs,
  };
}

function functionBody(definition: FunctionDef): Body {
  const name = definition.signature?.name ?? '';
  const returned = new Map(definition.ret.map(({ key, value }) => [key ?? '', value ?? '']));
  const outputNames = (definition.signature?.outputArg ?? []).map((arg) => arg.name ?? '');
  return {
    name: `the function ${name}`,
    nodes: nodesByName(definition.nodeDef, name),
    arguments: new Map((definition.signature?.inputArg ?? []).map((arg, i) => [arg.name ?? '', i])),
    outputs: outputNames.map((output) => returned.get(output) ?? ''),
    outputNames,
  };
}

function nodesByName(nodes: readonly NodeDef[], where: string): Map<string, NodeDef> {
  const byName = new Map<string, NodeDef>();
  for (const node of nodes) {
    const name = node.name ?? '';
    if (byName.has(name)) throw damaged(`Two nodes of ${where} are named "${name}".`);
    byName.set(name, node);
  }
  return byName;
}

/** "node:0" is the same as "node". */
function plainName(tensor: string): string {
  return tensor.replace(/:0$/, '');
}

/** The functions of a model, planned when they are first called. */
export class Functions {
  private readonly definitions: ReadonlyMap<string, FunctionDef>;
  private readonly plans = new Map<string, Plan>();
  private readonly planning: string[] = [];

  constructor(definitions: readonly FunctionDef[]) {
    this.definitions = new Map(
      definitions.map((definition) => [definition.signature?.name ?? '', definition]),
    );
  }

  /** The function that a node calls, if it calls one outright. */
  calleeOf(node: NodeDef): string | undefined {
    const op = node.op ?? '';
    if (calls.has(op)) return node.attr.find(({ key }) => key === 'f')?.value?.func?.name ?? '';
    return this.definitions.has(op) ? op : undefined;
  }

  /** @throws WhittleError for functions that are not there, or that call themselves. */
  plan(name: string): Plan {
    const known = this.plans.get(name);
    if (known) return known;
    const definition = this.definitions.get(name);
    if (!definition) throw damaged(`The model calls the function "${name}", which is not in the file.`);
    if (this.planning.includes(name)) throw damaged(`The function ${name} calls itself.`);
    if (this.planning.length >= maxDepth)
      throw damaged(`Functions call each other more than ${maxDepth} deep.`);
    this.planning.push(name);
    const plan = this.planBody(functionBody(definition));
    this.planning.pop();
    this.plans.set(name, plan);
    return plan;
  }

  planBody(body: Body): Plan {
    const sources = new Map<NodeDef, readonly Source[]>();
    const used = new Set<number>();
    const sourcesOf = (node: NodeDef): readonly Source[] => {
      let list = sources.get(node);
      if (!list) {
        list = node.input
          .filter((input) => !input.startsWith('^'))
          .map((input) => this.resolve(body, input, `"${node.name}"`));
        sources.set(node, list);
      }
      return list;
    };
    const needs = (node: NodeDef): readonly Source[] => {
      const all = sourcesOf(node);
      const callee = this.calleeOf(node);
      if (callee === undefined) return all;
      const wanted = this.plan(callee).used;
      return all.filter((_, i) => wanted.has(i));
    };
    const outputs = body.outputs.map((output) => this.resolve(body, output, body.name));
    const note = (source: Source) => {
      if (source.kind === 'argument') used.add(source.index);
      return source.kind === 'node' ? [source.node] : [];
    };
    const order = orderOf(outputs.flatMap(note), (node) => needs(node).flatMap(note), body.name);
    return { body, order, outputs, used, sourcesOf };
  }

  /** In graphs "node:index", in functions "argument" or "node:output:index". */
  private resolve(body: Body, reference: string, reader: string): Source {
    const argument = body.arguments.get(plainName(reference));
    if (argument !== undefined) return { kind: 'argument', index: argument };
    const [name, ...rest] = reference.split(':');
    const node = body.nodes.get(name);
    if (!node) throw damaged(`${reader} reads "${reference}", which is not in ${body.name}.`);
    const index = Number(rest.at(-1) ?? 0);
    if (!Number.isInteger(index) || index < 0) throw damaged(`${reader} reads "${reference}".`);
    if (rest.length < 2) return { kind: 'node', node, index };
    const callee = this.calleeOf(node);
    if (callee !== undefined && node.op === callee) {
      const at = this.plan(callee).body.outputNames.indexOf(rest[0]);
      return { kind: 'node', node, index: Math.max(at, 0) + index };
    }
    return { kind: 'node', node, index: outputIndex(node.op ?? '', rest[0]) + index };
  }
}

/** Depth first without recursion: graphs are as deep as they are long. */
function orderOf(
  roots: readonly NodeDef[],
  readsOf: (node: NodeDef) => readonly NodeDef[],
  where: string,
): NodeDef[] {
  const order: NodeDef[] = [];
  const done = new Set<NodeDef>();
  const open = new Set<NodeDef>();
  const stack: { node: NodeDef; reads: readonly NodeDef[]; at: number }[] = [];
  const enter = (node: NodeDef) => {
    if (done.has(node)) return;
    if (open.has(node)) {
      throw damaged(
        `The node "${node.name}" (${node.op}) of ${where} reads its own result; loops are not read.`,
      );
    }
    open.add(node);
    stack.push({ node, reads: readsOf(node), at: 0 });
  };
  for (const root of roots) {
    enter(root);
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.at < top.reads.length) {
        enter(top.reads[top.at++]);
        continue;
      }
      stack.pop();
      open.delete(top.node);
      done.add(top.node);
      order.push(top.node);
    }
  }
  return order;
}
