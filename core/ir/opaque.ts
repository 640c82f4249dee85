import { errorOfIssues, type Issue } from '../contract/errors.ts';
import type { Graph, Node, TensorType } from './graph.ts';

/**
 * An operator that the IR has no form for. It stands in the graph as a node named `domain::Type` with this as its
 * attribute `opaque`: what it reads and makes is known, what it does is not. Passes leave it and the axis order of its
 * operands alone; the format that it came from writes it as it was.
 */
export interface Opaque {
  /** The format's own message, as that format's writer takes it. */
  readonly proto: object;
  /** Names by which subgraphs of the message read the node's last inputs, in order. */
  readonly captures: readonly string[];
  /** Why the IR has no form for it. Empty where it only depends on another such operator. */
  readonly causes: readonly Issue[];
  /** Bytes of the constants within the message. */
  readonly storedBytes: number;
}

/** What a node of that kind carries; undefined for an operator of the vocabulary. */
export function opaqueOf(node: Node): Opaque | undefined {
  return node.attrs.opaque as Opaque | undefined;
}

/** Whether an operator's name is that of an opaque one. */
export function isOpaque(op: string): boolean {
  return op.includes('::');
}

/** Why each opaque operator of a graph has no form in the IR, each cause once. */
export function opaqueCauses(graph: Graph): Issue[] {
  return distinct(graph.nodes.flatMap((node) => opaqueOf(node)?.causes ?? []));
}

/** @throws WhittleError with every cause at once, where operators only pass through to another format than `target`. */
export function refuseOpaque(graph: Graph, target: string): void {
  const causes = opaqueCauses(graph);
  if (causes.length > 0) throw errorOfIssues(`${graph.name} cannot be written as ${target}.`, causes);
}

/** Issues of unequal words. */
function distinct(issues: readonly Issue[]): Issue[] {
  return [...new Map(issues.map((issue) => [issue.message, issue])).values()];
}

/** The type of a value that no operator of the vocabulary can read. */
export function isOther(type: TensorType): boolean {
  return type.dtype === 'other';
}
