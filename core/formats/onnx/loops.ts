/** Loop: one whose end is known beforehand is written out turn by turn. */
import { type Issue, WhittleError } from '../../contract/errors.ts';
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { int64Tensor, tensorOf, toNumbers } from '../../ir/tensor.ts';
import { fixHint } from '../fix-inputs.ts';
import { nodeName } from './node-view.ts';
import type { GraphProto, NodeProto } from './schema.ts';
import { allNodes } from './subgraphs.ts';

/** Nodes that a loop may become. */
const mostNodes = 50_000;

/** Computes a turn's graph from the values of its inputs; undefined where that failed and an issue says why. */
export type Turn = (body: GraphProto, inputs: ReadonlyMap<string, Value>) => Value[] | undefined;

function refuse(node: NodeProto, message: string, hint?: string): never {
  const sentence = `Loop "${nodeName(node)}": ${message}.`;
  const code = 'model.unsupported-operator';
  const issue: Issue = { code, severity: 'error', node: nodeName(node), op: 'Loop', message: sentence, hint };
  throw new WhittleError(code, sentence, { hint, issues: [issue] });
}

/**
 * The outputs of a Loop: its states after the last turn, then of each turn's further results all in a row.
 * @param inputs most turns or null, whether there is a first one or null, the states
 * @throws WhittleError for a loop whose end is only found while the model runs
 */
export function runLoop(
  node: NodeProto,
  [most, first, ...starts]: readonly (Value | null)[],
  builder: GraphBuilder,
  turn: Turn,
): Value[] | undefined {
  const body = node.attribute.find(({ name }) => name === 'body')?.g ?? refuse(node, 'it has no body');
  const rows = body.output.length - 1 - starts.length;
  if (body.input.length !== 2 + starts.length || rows < 0 || starts.includes(null)) {
    refuse(node, 'its body does not fit its states');
  }
  const known = (value: Value | null, fallback: number): number => {
    if (!value) return fallback;
    const { constant } = value;
    if (constant) return toNumbers(constant)[0];
    return refuse(node, 'how often it runs is only found while the model runs', fixHint(builder, value));
  };
  const turns = known(most, Number.POSITIVE_INFINITY);
  const perTurn = [...allNodes(body)].length + 1;
  const name = nodeName(node);
  const results: Value[][] = Array.from({ length: rows }, () => []);
  let states = starts as Value[];
  let goesOn = known(first, 1) !== 0;
  let condition = builder.constant(`${name}/condition`, tensorOf('bool', [], Uint8Array.of(1)));
  for (let done = 0; goesOn && done < turns; done++) {
    if ((done + 1) * perTurn > mostNodes)
      refuse(node, `written out, it would be more than ${mostNodes} operators`);
    const count = builder.constant(`${name}/turn`, int64Tensor([], [done]));
    const given = [count, condition, ...states];
    const made = turn(body, new Map(body.input.map((input, i) => [input.name ?? '', given[i]])));
    if (!made) return undefined;
    condition = made[0];
    states = made.slice(1, 1 + starts.length);
    made.slice(1 + starts.length).forEach((value, i) => {
      results[i].push(value);
    });
    // The last turn's answer does not matter.
    if (done + 1 < turns) goesOn = known(condition, 1) !== 0;
  }
  return [...states, ...results.map((values) => stacked(node, values, builder))];
}

/** What each turn gave, along a new first axis. */
function stacked(node: NodeProto, values: readonly Value[], builder: GraphBuilder): Value {
  if (values.length === 0) return refuse(node, 'it gives a row of no results');
  const name = nodeName(node);
  const axis = builder.constant(`${name}/axis`, int64Tensor([1], [0]));
  const raised = values.map((value) => builder.one('Unsqueeze', [value, axis], {}, { name: `${name}/row` }));
  return raised.length === 1
    ? raised[0]
    : builder.one('Concat', raised, { axis: 0 }, { name: `${name}/rows` });
}
