/** If: a branch that is known beforehand is taken; otherwise both are computed and one result is picked. */
import { type Issue, WhittleError } from '../../contract/errors.ts';
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { toNumbers } from '../../ir/tensor.ts';
import { shapeText } from '../../ops/infer-helpers.ts';
import { fixHint } from '../fix-inputs.ts';
import { nodeName } from './node-view.ts';
import type { GraphProto, NodeProto } from './schema.ts';

function refuse(node: NodeProto, message: string, hint?: string): never {
  throw new WhittleError('model.unsupported-operator', `If "${nodeName(node)}": ${message}.`, {
    issues: [
      {
        code: 'model.unsupported-operator',
        severity: 'error',
        node: nodeName(node),
        op: 'If',
        message: `If "${nodeName(node)}": ${message}.`,
        hint,
      },
    ],
  });
}

/** The subgraphs to compute: one when the condition is constant, else then and else. */
export function branchesOf(node: NodeProto, condition: Value): GraphProto[] {
  const branch = (name: string) =>
    node.attribute.find((attribute) => attribute.name === name)?.g ?? refuse(node, `it has no ${name}`);
  const [yes, no] = [branch('then_branch'), branch('else_branch')];
  if (yes.output.length !== node.output.length || no.output.length !== node.output.length) {
    refuse(node, 'its branches do not have as many results as it has outputs');
  }
  if (!condition.constant) return [yes, no];
  return [toNumbers(condition.constant)[0] ? yes : no];
}

/**
 * The outputs of an If. Operators have no side effects, so computing both branches and picking is exact; it costs the
 * work of both, which a warning says. Branches whose results differ in shape or type are refused.
 */
export function mergeBranches(
  node: NodeProto,
  condition: Value,
  results: readonly Value[][],
  builder: GraphBuilder,
  issues: Issue[],
): Value[] {
  if (results.length === 1) return results[0];
  const [yes, no] = results;
  const values = yes.map((value, i) => {
    const other = no[i];
    if (value.type.dtype !== other.type.dtype || String(value.type.shape) !== String(other.type.shape)) {
      refuse(
        node,
        `one branch gives ${value.type.dtype} ${shapeText(value.type.shape)}, the other ${other.type.dtype} ${shapeText(other.type.shape)}; such a choice cannot be made while the model runs`,
        fixHint(builder, condition),
      );
    }
    const name = node.output[i];
    return builder.one(
      'Where',
      [condition, value, other],
      {},
      {
        name: nodeName(node),
        outputs: [name !== '' && !builder.has(name) ? name : builder.freeName(nodeName(node))],
      },
    );
  });
  issues.push({
    code: 'model.unsupported-option',
    severity: 'warning',
    node: nodeName(node),
    op: 'If',
    message: `If "${nodeName(node)}" depends on an input, so both of its branches are computed each time and one result is picked.`,
    hint: fixHint(builder, condition) ?? 'Export the model for one case alone to save that work.',
  });
  return values;
}
