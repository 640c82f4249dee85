import { scaleChannels } from '../calibrate/scale-channels.ts';
import type { QualityView } from '../contract/views.ts';
import type { FindingFacts, OperatorFacts } from '../evaluate/findings/finding.ts';
import type { OperatorError } from '../evaluate/operator-errors.ts';
import { dtypeBits } from '../ir/dtype.ts';
import { type Graph, type Node, producersOf, valueNamed } from '../ir/graph.ts';
import { contiguous, type Tensor, toFloat32 } from '../ir/tensor.ts';
import { factorMap, operandPlan, type QuantPlan } from '../quantize/plan.ts';
import { floatOperands, type Operand, outputRule, ruleOf } from '../quantize/rules.ts';
import type { MakeContext } from './make-artifact.ts';
import { movesOnly } from './operator-detail.ts';

/** Gathers what the findings look at: the plan, the weights, and what was measured of each operator. */
export function findingFacts(
  plan: QuantPlan,
  measured: readonly OperatorError[],
  quality: QualityView,
  { forTflite, recipe, dataset }: Pick<MakeContext, 'forTflite' | 'recipe' | 'dataset'>,
): FindingFacts {
  const graph = scaleChannels(forTflite.graph, factorMap(plan));
  const errors = new Map(measured.map((error) => [error.name, error]));
  const producers = producersOf(graph);
  /** The result that was computed: what only moves its elements hands on the same numbers. */
  const computed = (id: string): string => {
    const maker = producers.get(id);
    return maker && movesOnly(maker) && maker.inputs[0] !== null ? computed(maker.inputs[0]) : id;
  };
  const operators = graph.nodes
    .filter((node) => node.outputs.length > 0 && !movesOnly(node))
    .map((node): OperatorFacts => {
      const [name] = node.outputs;
      const rule = ruleOf(node);
      const inputs = node.inputs.flatMap((id) =>
        id !== null && !valueNamed(graph, id).constant ? [computed(id)] : [],
      );
      return {
        name,
        op: node.op,
        mode: plan.nodes[node.id]?.mode ?? 'float',
        inputs,
        fixedScale: rule !== undefined && outputRule(rule, 0).kind === 'fixed',
        weighted: weightOperand(graph, node) !== undefined,
        weights: weightsOf(graph, node, plan),
        sqnrDb: errors.get(name)?.sqnrDb,
        activation: errors.get(name)?.activation,
      };
    });
  return { precision: plan.precision, recipe, quality, samples: dataset.count, operators };
}

/** The weights of an operator, by its rule. */
function weightOperand(graph: Graph, node: Node): Operand | undefined {
  const rule = ruleOf(node);
  return (
    rule && floatOperands(graph, node, rule).find((one) => one.rule.kind === 'weight' && one.value.constant)
  );
}

function weightsOf(graph: Graph, node: Node, plan: QuantPlan): OperatorFacts['weights'] {
  const operand = weightOperand(graph, node);
  if (operand?.rule.kind !== 'weight') return undefined;
  const planned = operandPlan(plan, node.id, operand.slot, operand.value.id);
  if (!planned) return undefined;
  return { bits: dtypeBits[planned.dtype], ...peakToRms(operand.value.constant!, operand.rule.axis) };
}

/** How far the largest magnitude of a channel stands out, in the channel where it does most. */
function peakToRms(weights: Tensor, axis: number | null): { peakToRms: number; channel: number } {
  const values = toFloat32(contiguous(weights));
  const channels = axis === null ? 1 : weights.shape[axis];
  const inner = axis === null ? values.length : weights.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const peaks = new Float64Array(channels);
  const squares = new Float64Array(channels);
  for (let at = 0, channel = 0; at < values.length; channel = (channel + 1) % channels) {
    for (const end = at + inner; at < end; at++) {
      const magnitude = Math.abs(values[at]);
      if (magnitude > peaks[channel]) peaks[channel] = magnitude;
      squares[channel] += magnitude * magnitude;
    }
  }
  const perChannel = values.length / channels;
  let worst = { peakToRms: 0, channel: 0 };
  for (let channel = 0; channel < channels; channel++) {
    const ratio = peaks[channel] / Math.sqrt(squares[channel] / perChannel);
    if (ratio > worst.peakToRms) worst = { peakToRms: ratio, channel };
  }
  return worst;
}
