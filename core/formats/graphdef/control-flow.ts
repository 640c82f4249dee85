/**
 * Branches and loops. A graph of the IR has neither: what is known beforehand is taken or written out turn by turn, a
 * branch that is not known is computed both ways.
 */
import type { Issue } from '../../contract/errors.ts';
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { toNumbers } from '../../ir/tensor.ts';
import type { Complex } from '../../ops/facets.ts';
import { fixHint } from '../fix-inputs.ts';
import { GraphDefNode } from './node-view.ts';
import type { Functions, Plan } from './plan.ts';
import type { NodeDef } from './schema.ts';
import { functionOf } from './survey.ts';
import type { TensorList } from './tensor-lists.ts';

/** A variable is handed on by its node until it is read; `dead` is the branch of a Switch that is not taken. */
export type Item =
  | Value
  | Complex
  | { readonly variable: NodeDef }
  | { readonly list: TensorList }
  | 'dead'
  | undefined;

/** What runs plans of functions. */
export interface Runner {
  readonly builder: GraphBuilder;
  readonly functions: Functions;
  readonly issues: Issue[];
  /** @param path what the names of nodes begin with */
  runBody(plan: Plan, args: readonly Item[], path: string): Item[];
  valueOf(item: Item): Value;
  /** @throws when more nodes were run than any model has */
  count(): void;
}

export function isValue(item: Item): item is Value {
  return typeof item === 'object' && 'id' in item;
}

export function isChoice({ op }: NodeDef): boolean {
  return op === 'If' || op === 'StatelessIf';
}

/** Calls are named after the layer that they are of; TensorFlow's own words in between are left out. */
export function callPath(name: string): string {
  return name.replace(/(^|\/)(Stateful)?PartitionedCall(_\d+)?$/, '');
}

/** Whether the predicate of a Switch is true. @throws WhittleError where that is not known beforehand */
export function isTaken({ builder }: Runner, node: NodeDef, name: string, item: Item): boolean {
  const value = isValue(item) ? item : undefined;
  if (value?.constant) return toNumbers(value.constant)[0] !== 0;
  return new GraphDefNode(node, name, []).refuse(
    'its condition is computed while the model runs',
    (value && fixHint(builder, value)) ?? 'Export the model without branches that depend on its data.',
  );
}

/** A branch that is known beforehand is taken; otherwise both are computed and one result is picked. */
export function runChoice(
  runner: Runner,
  node: NodeDef,
  name: string,
  [item, ...args]: readonly Item[],
): readonly Item[] | undefined {
  const { builder, functions } = runner;
  const condition = runner.valueOf(item);
  const run = (branch: 'then_branch' | 'else_branch') =>
    runner.runBody(functions.plan(functionOf(node, branch)), args, callPath(name));
  if (condition.constant) return run(toNumbers(condition.constant)[0] ? 'then_branch' : 'else_branch');
  const [yes, no] = [run('then_branch'), run('else_branch')];
  // Its own issue says why.
  if ([...yes, ...no].includes(undefined)) return undefined;
  const hint = fixHint(builder, condition);
  const flag =
    condition.type.dtype === 'bool'
      ? condition
      : builder.one('Cast', [condition], { to: 'bool' }, { name: `${name}/condition` });
  const picked = yes.map((each, i): Value => {
    const [a, b] = [runner.valueOf(each), runner.valueOf(no[i])];
    const [typeA, typeB] = [a, b].map(({ type }) => `${type.dtype} [${type.shape.join(', ')}]`);
    if (typeA === typeB) return builder.one('Where', [flag, a, b], {}, { name });
    const message = `one branch gives ${typeA}, the other ${typeB}; such a choice cannot be made while the model runs`;
    return new GraphDefNode(node, name, []).refuse(message, hint);
  });
  runner.issues.push({
    code: 'model.unsupported-option',
    severity: 'warning',
    node: name,
    op: node.op,
    message: `"${name}" depends on an input, so both of its branches are computed each time and one result is picked.`,
    hint: hint ?? 'Export the model for one case alone to save that work.',
  });
  return picked;
}

/** A loop whose end is known beforehand is written out turn by turn. */
export function runLoop(
  runner: Runner,
  node: NodeDef,
  name: string,
  inputs: readonly Item[],
): readonly Item[] | undefined {
  const { builder, functions } = runner;
  const goesOn = functions.plan(functionOf(node, 'cond'));
  const body = functions.plan(functionOf(node, 'body'));
  let state = inputs;
  for (let turns = 0; ; turns++) {
    runner.count();
    const path = `${callPath(name)}/${turns}`;
    const [answer] = runner.runBody(goesOn, state, path);
    if (answer === undefined) return undefined;
    const { constant } = isValue(answer) ? answer : {};
    if (!constant) {
      return new GraphDefNode(node, name, []).refuse(
        'how often this loop runs is only found while the model runs',
        (isValue(answer) ? fixHint(builder, answer) : undefined) ??
          'Export the model with a fixed number of steps.',
      );
    }
    if (toNumbers(constant)[0] === 0) {
      const message = `The loop "${name}" runs ${turns} times and is written out, turn by turn.`;
      runner.issues.push({
        code: 'model.unsupported-option',
        severity: 'warning',
        node: name,
        op: node.op,
        message,
      });
      return state;
    }
    const next = runner.runBody(body, state, path);
    // Its own issue says why.
    if (next.includes(undefined)) return undefined;
    state = next;
  }
}
