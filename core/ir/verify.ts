import type { InferTypes } from './builder.ts';
import type { Graph, Node, TensorType, Value } from './graph.ts';
import { isOpaque } from './opaque.ts';

function typeText(type: TensorType): string {
  return `${type.dtype}[${type.shape.join(', ')}]`;
}

/** Same element type, and no dimension that two numbers disagree about. */
function agree(a: TensorType, b: TensorType): boolean {
  return (
    a.dtype === b.dtype &&
    a.shape.length === b.shape.length &&
    a.shape.every((dim, i) => typeof dim === 'string' || typeof b.shape[i] === 'string' || dim === b.shape[i])
  );
}

function checkInputs(graph: Graph, node: Node, known: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  for (const input of node.inputs) {
    if (input === null) continue;
    const value = graph.values.get(input);
    if (!value) problems.push(`${node.id} reads ${input}, which is not in the graph`);
    else if (!value.constant && !known.has(input))
      problems.push(`${node.id} reads ${input} before it is made`);
  }
  return problems;
}

function checkTypes(graph: Graph, node: Node, infer: InferTypes): string[] {
  const read = (id: string | null): Value | null => (id === null ? null : (graph.values.get(id) ?? null));
  let types: TensorType[];
  try {
    types = infer(node.op, node.inputs.map(read), node.attrs, node.id);
  } catch (error) {
    return [(error as Error).message];
  }
  return node.outputs.flatMap((output, i) => {
    const recorded = graph.values.get(output)?.type;
    if (!recorded || !types[i] || agree(recorded, types[i])) return [];
    return [`${output} is recorded as ${typeText(recorded)}, but ${node.id} makes ${typeText(types[i])}`];
  });
}

/**
 * Checks that a graph is well formed: unique names, every value made once and before it is read, constants of their
 * recorded type and, with `infer`, output types that follow from the inputs (opaque operators are taken as
 * recorded).
 * @returns one sentence per problem; empty when there is none.
 */
export function verifyGraph(graph: Graph, infer?: InferTypes): string[] {
  const problems: string[] = [];
  const known = new Set<string>();
  const ids = new Set<string>();
  for (const input of graph.inputs) {
    if (!graph.values.has(input)) problems.push(`the input ${input} is not in the graph`);
    known.add(input);
  }
  for (const [id, value] of graph.values) {
    if (value.id !== id) problems.push(`the value ${value.id} is filed under ${id}`);
    const tensor = value.constant;
    if (tensor && !agree(value.type, tensor)) {
      problems.push(
        `the constant ${id} is recorded as ${typeText(value.type)}, but holds ${typeText(tensor)}`,
      );
    }
  }
  for (const node of graph.nodes) {
    if (ids.has(node.id)) problems.push(`two nodes are named ${node.id}`);
    ids.add(node.id);
    const inputProblems = checkInputs(graph, node, known);
    problems.push(...inputProblems);
    for (const output of node.outputs) {
      if (!graph.values.has(output)) problems.push(`${node.id} makes ${output}, which is not in the graph`);
      if (known.has(output) || graph.values.get(output)?.constant) problems.push(`${output} is made twice`);
      known.add(output);
    }
    if (infer && inputProblems.length === 0 && !isOpaque(node.op)) {
      problems.push(...checkTypes(graph, node, infer));
    }
  }
  for (const output of graph.outputs) {
    if (!known.has(output) && !graph.values.get(output)?.constant) {
      problems.push(`the output ${output} is not made by any node`);
    }
  }
  return problems;
}
