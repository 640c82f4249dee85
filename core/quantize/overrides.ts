import { WhittleError } from '../contract/errors.ts';
import type { Calibration, Override } from '../contract/views.ts';
import type { Graph, Node, ValueId } from '../ir/graph.ts';
import type { OperatorPrecision } from './decide-mixed.ts';
import type { PreparedForms } from './quantize.ts';

export interface ResolvedOverrides {
  /** Precision by name of an operator in the graph that plans are decided on. */
  readonly precisions: ReadonlyMap<string, OperatorPrecision>;
  /** Observer by name of a value in the graph that is calibrated. */
  readonly observers: ReadonlyMap<ValueId, Calibration>;
}

/**
 * What a recipe's overrides say of each operator. An override names operators by `match` (the name of an operator or of
 * one of its results, in either form of the graph), by `op` (what they are) or by both; `*` stands for any characters,
 * `?` for one. Where several overrides name one operator, the last one that chooses counts, choice by choice.
 * @throws WhittleError `recipe.invalid` listing every override that names nothing
 */
export function resolveOverrides(forms: PreparedForms, overrides: readonly Override[]): ResolvedOverrides {
  const precisions = new Map<string, OperatorPrecision>();
  const observers = new Map<ValueId, Calibration>();
  const unmatched: Override[] = [];
  for (const override of overrides) {
    const { precision, calibration } = override;
    const named = nodesNamed(forms.tflite, override);
    const twins = nodesNamed(forms.onnx, override);
    const inputs =
      calibration && override.op === undefined
        ? forms.onnx.inputs.filter((id) => patternOf(override.match ?? '').test(id))
        : [];
    if (named.length + twins.length + inputs.length === 0) unmatched.push(override);
    // An operator that only the other form has (a transpose) shows in this one as what made its results.
    const made = new Set(twins.flatMap(({ outputs }) => outputs));
    const same = forms.tflite.nodes.filter(({ outputs }) => outputs.some((id) => made.has(id)));
    if (precision) for (const { id } of [...named, ...same]) precisions.set(id, precision);
    if (calibration) {
      for (const { outputs } of [...named, ...twins])
        for (const id of outputs) observers.set(id, calibration);
      for (const id of inputs) observers.set(id, calibration);
    }
  }
  if (unmatched.length > 0) throw unmatchedError(forms, unmatched);
  return { precisions, observers };
}

function nodesNamed(graph: Graph, { match, op }: Override): readonly Node[] {
  const name = match === undefined ? undefined : patternOf(match);
  const kind = op === undefined ? undefined : patternOf(op);
  return graph.nodes.filter(
    (node) =>
      (!name || [node.id, ...node.outputs].some((id) => name.test(id))) && (!kind || kind.test(node.op)),
  );
}

function patternOf(match: string): RegExp {
  const escaped = match.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'su');
}

function unmatchedError(forms: PreparedForms, unmatched: readonly Override[]): WhittleError {
  const issues = unmatched.map(({ match, op }) => ({
    code: 'recipe.invalid',
    severity: 'error' as const,
    node: match,
    message: `no ${op ?? 'operator'}${match === undefined ? '' : ` is called ${match}`}${match === undefined ? ' is in the model' : ''}`,
  }));
  const kinds = [...new Set([...forms.tflite.nodes, ...forms.onnx.nodes].map(({ op }) => op))].sort();
  return new WhittleError(
    'recipe.invalid',
    `The recipe overrides what is not there: ${issues.map(({ message }) => message).join('; ')}.`,
    {
      issues,
      hint: `Operators are named as the graph shows them (an activation fused into another operator goes by its result); * stands for any characters. The model has ${kinds.join(', ')}.`,
    },
  );
}
