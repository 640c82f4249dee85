/**
 * Operators that call subgraphs, or that stand for their input. A graph of the IR has no loops: a loop whose end is
 * known beforehand is written out turn by turn, a branch that is not known is computed both ways.
 */
import type { Issue } from '../../contract/errors.ts';
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { toNumbers } from '../../ir/tensor.ts';
import type { TfliteOpView } from '../../ops/facets.ts';
import { inputOf, numberOption } from '../../ops/tflite-read-helpers.ts';
import { fixHint } from '../fix-inputs.ts';
import type { OperatorView } from './model-view.ts';

/** Runs a subgraph on values. @returns undefined when it could not be read, which has been reported. */
export type Call = (subgraph: number, args: readonly Value[]) => Value[] | undefined;

type CallSite = (
  op: TfliteOpView,
  builder: GraphBuilder,
  call: Call,
  report: (issue: Issue) => void,
) => readonly Value[] | undefined;

const readWhile: CallSite = (op, builder, call, report) => {
  const [condition, body] = ['cond_subgraph_index', 'body_subgraph_index'].map((name) =>
    numberOption(op, name),
  );
  let state = op.inputs.map((_, i) => inputOf(op, i));
  for (let turns = 0; ; turns++) {
    const answer = call(condition, state)?.[0];
    if (!answer) return undefined;
    const { constant } = answer;
    if (!constant) {
      return op.refuse(
        'how often this loop runs is only found while the model runs',
        fixHint(builder, answer) ?? 'Convert the model from its source with the loop unrolled.',
      );
    }
    if (!toNumbers(constant)[0]) {
      report(notice(op, `The loop "${op.name}" runs ${turns} times and is written out, turn by turn.`));
      return state;
    }
    const next = call(body, state);
    if (!next) return undefined;
    state = next;
  }
};

const readIf: CallSite = (op, builder, call, report) => {
  const [condition, ...args] = op.inputs.map((_, i) => inputOf(op, i));
  const branches = ['then_subgraph_index', 'else_subgraph_index'].map((name) => numberOption(op, name));
  if (condition.constant) return call(branches[toNumbers(condition.constant)[0] ? 0 : 1], args);
  const [yes, no] = branches.map((branch) => call(branch, args));
  if (!yes || !no) return undefined;
  const picked = op.outputs.map(({ name }, i) => {
    const [a, b] = [yes[i], no[i]];
    const [typeA, typeB] = [a, b].map(({ type, quant }) => JSON.stringify([type.dtype, type.shape, quant]));
    if (typeA !== typeB) {
      op.refuse(
        `one branch gives ${typeA}, the other ${typeB}; such a choice is made while the model runs`,
        fixHint(builder, condition),
      );
    }
    return builder.one('Where', [condition, a, b], {}, { name: op.name, outputs: [builder.freeName(name)] });
  });
  report(
    notice(
      op,
      `"${op.name}" depends on an input, so both of its branches are computed each time and one result is picked.`,
    ),
  );
  return picked;
};

/** Sparse constants are dense by the time they are read. */
const readDensify: CallSite = (op) => {
  const x = inputOf(op, 0);
  return x.constant ? [x] : op.refuse('what it unfolds is no constant');
};

function notice(op: TfliteOpView, message: string): Issue {
  return { code: 'model.unsupported-option', severity: 'warning', message, node: op.name, op: op.builtin };
}

export const callSites: Readonly<Record<string, CallSite>> = {
  WHILE: readWhile,
  IF: readIf,
  DENSIFY: readDensify,
};

/** Subgraphs that an operator may run. */
export function calledSubgraphs({ builtin, options }: OperatorView): number[] {
  if (builtin !== 'WHILE' && builtin !== 'IF') return [];
  return Object.entries(options).flatMap(([name, value]) =>
    name.endsWith('_subgraph_index') && typeof value === 'number' ? [value] : [],
  );
}
