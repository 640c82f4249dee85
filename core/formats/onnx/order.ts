/** Checks the names of an ONNX graph and puts its nodes in order. */
import type { Issue } from '../../contract/errors.ts';
import { nodeName, operatorName } from './node-view.ts';
import type { GraphProto, NodeProto } from './schema.ts';
import { subgraphsOf } from './subgraphs.ts';

/** Names that a node reads: its inputs, and what its subgraphs take from outside. */
export function readsOf(node: NodeProto): Set<string> {
  return new Set([...node.input.filter((name) => name !== ''), ...capturesOf(node)]);
}

/** Names that a node's subgraphs take from outside. */
export function capturesOf(node: NodeProto): Set<string> {
  return new Set(subgraphsOf(node).flatMap((graph) => [...freeNames(graph)]));
}

/** Names that a subgraph reads but does not define. */
export function freeNames(graph: GraphProto): Set<string> {
  const own = definedNames(graph);
  const free = new Set<string>();
  for (const node of graph.node) {
    for (const name of readsOf(node)) if (!own.has(name)) free.add(name);
  }
  for (const { name } of graph.output) if (name && !own.has(name)) free.add(name);
  return free;
}

/** Names that a graph makes or is given; those of its own subgraphs left out. */
export function definedNames(graph: GraphProto): Set<string> {
  return new Set([
    ...graph.input.map(({ name }) => name ?? ''),
    ...graph.initializer.map(({ name }) => name ?? ''),
    ...graph.node.flatMap((node) => node.output),
  ]);
}

function invalid(message: string, node?: NodeProto): Issue {
  return {
    code: 'model.invalid',
    severity: 'error',
    message,
    ...(node && { node: nodeName(node), op: operatorName(node) }),
  };
}

/**
 * Nodes in an order in which every input is made before it is read; the file's own order where that is one.
 * @param outer names that a surrounding graph offers.
 * @returns issues for names defined twice, read but never defined, and nodes that wait for each other.
 */
export function orderNodes(
  graph: GraphProto,
  outer: ReadonlySet<string> = new Set(),
): { nodes: NodeProto[]; issues: Issue[] } {
  const issues: Issue[] = [];
  const known = new Set<string>(outer);
  const own = new Set<string>();
  for (const { name } of [...graph.input, ...graph.initializer]) own.add(name ?? '');
  const makers = new Map<string, NodeProto>();
  for (const node of graph.node) {
    for (const output of node.output) {
      if (output === '') continue;
      if (own.has(output) || makers.has(output))
        issues.push(invalid(`The name "${output}" is defined twice.`, node));
      makers.set(output, node);
    }
  }
  for (const name of own) known.add(name);
  for (const node of graph.node) {
    for (const name of readsOf(node)) {
      if (!known.has(name) && !makers.has(name)) {
        issues.push(
          invalid(`${operatorName(node)} "${nodeName(node)}" reads "${name}", which nothing defines.`, node),
        );
      }
    }
  }
  for (const { name } of graph.output) {
    if (!known.has(name ?? '') && !makers.has(name ?? '')) {
      issues.push(invalid(`The output "${name ?? ''}" is made by no node.`));
    }
  }
  if (issues.length) return { nodes: [], issues };
  return sorted(graph.node, makers);
}

function sorted(
  all: readonly NodeProto[],
  makers: ReadonlyMap<string, NodeProto>,
): { nodes: NodeProto[]; issues: Issue[] } {
  const waiting = new Map<NodeProto, number>();
  const readers = new Map<NodeProto, NodeProto[]>();
  for (const node of all) {
    const needs = new Set(
      [...readsOf(node)].map((name) => makers.get(name)).filter((maker) => maker !== undefined),
    );
    waiting.set(node, needs.size);
    for (const maker of needs) {
      const list = readers.get(maker);
      if (list) list.push(node);
      else readers.set(maker, [node]);
    }
  }
  // A file in order stays as it is: nodes become ready exactly when they are reached.
  const nodes: NodeProto[] = [];
  const done = new Set<NodeProto>();
  const visit = (first: NodeProto): void => {
    const stack = [first];
    for (let node = stack.pop(); node; node = stack.pop()) {
      if (done.has(node) || waiting.get(node) !== 0) continue;
      done.add(node);
      nodes.push(node);
      for (const reader of readers.get(node) ?? []) {
        const left = (waiting.get(reader) ?? 0) - 1;
        waiting.set(reader, left);
        if (left === 0 && passed.has(reader)) stack.push(reader);
      }
    }
  };
  const passed = new Set<NodeProto>();
  for (const node of all) {
    passed.add(node);
    visit(node);
  }
  if (nodes.length === all.length) return { nodes, issues: [] };
  const stuck = all.filter((node) => !done.has(node)).map((node) => `"${nodeName(node)}"`);
  const names =
    stuck.length > 6 ? `${stuck.slice(0, 6).join(', ')} and ${stuck.length - 6} more` : stuck.join(', ');
  return { nodes: [], issues: [invalid(`The nodes ${names} wait for each other: the graph has a cycle.`)] };
}
