import { type Graph, producersOf } from '../ir/graph.ts';
import type { OperatorError } from './operator-errors.ts';

/** Where in a network the quality goes: an operator whose operands were still good and whose result is not. */
export interface OperatorAtFault {
  readonly name: string;
  readonly op: string;
  /** SQNR of its worst operand; infinite when no error came in. */
  readonly beforeDb: number;
  readonly afterDb: number;
}

/**
 * Exact and nearly exact operands count as this good: below it, a fall says nothing about the network's result.
 * Without a bound, the first quantized operator, into which no error comes, would always fall the most.
 */
const goodEnoughDb = 40;

/**
 * Of the operators whose error was measured, the one that loses the most SQNR against the worst of its operands; what
 * lies between two measured operators counts as part of the later one. Undefined when none loses anything.
 */
export function operatorAtFault(graph: Graph, errors: readonly OperatorError[]): OperatorAtFault | undefined {
  const measured = new Map(errors.map((error) => [error.name, error]));
  const made = producersOf(graph);
  const arriving = new Map<string, number>();
  const levelOf = (id: string): number => {
    const known = measured.get(id);
    if (known) return known.sqnrDb ?? Infinity;
    return arriving.get(id) ?? Infinity;
  };
  let worst: OperatorAtFault | undefined;
  let most = 0;
  for (const node of graph.nodes) {
    const before = Math.min(
      ...node.inputs.map((id) => (id !== null && made.has(id) ? levelOf(id) : Infinity)),
    );
    for (const id of node.outputs) {
      arriving.set(id, before);
      const error = measured.get(id);
      if (!error) continue;
      const afterDb = error.sqnrDb ?? Infinity;
      const fall = Math.min(before, goodEnoughDb) - afterDb;
      if (fall > most) {
        most = fall;
        worst = { name: error.name, op: error.op, beforeDb: before, afterDb };
      }
    }
  }
  return worst;
}
