import { GraphExtension } from '../../calibrate/graph-extension.ts';
import { type Graph, type Node, staticShape, type ValueId, valueNamed } from '../../ir/graph.ts';
import { toFloat32 } from '../../ir/tensor.ts';
import { totalMacs } from '../../ops/macs.ts';
import { applyPlanForOnnx } from '../apply-qdq.ts';
import type { QuantPlan } from '../plan.ts';
import { affordable } from './affordable.ts';
import { InputMoments } from './input-moments.ts';
import { PiecewiseRun } from './piecewise-run.ts';
import { type RecoveryContext, runtimeShare, type SampledRecoveryStep } from './recovery.ts';
import { type Missed, roundedForInputs, takable } from './round-weights.ts';
import { addProducts, addResponse, addSums, addUnfolded } from './unfold-inputs.ts';
import { unshared, type WeightedNode, weightedNodes } from './weighted-nodes.ts';

/** Of values that wait for later operators, of both networks and all samples. */
const mostBytes = 128 * 2 ** 20;
/** Fewer samples say too little of what the inputs of a layer are like. */
const leastSamples = 8;

/**
 * Error feedback from the inputs on to the outputs, on the inputs that each layer gets in the quantized network, which
 * is rounded so far: weights also take up what the layers before have left (asymmetric calibration, GPTAQ, Li et al.
 * 2025). Their goal are no longer the float weights but those with which the float layer's results follow best from the
 * quantized network's inputs, in the least squares that hold them to the float ones as error feedback holds the
 * Hessian to its diagonal. Operators that share weights keep theirs.
 */
export const sequentialErrorFeedback: SampledRecoveryStep = sequentialErrorFeedbackWithin(
  Number.POSITIVE_INFINITY,
);

/** The same within so many multiply-accumulates, as in `errorFeedbackWithin`. */
export function sequentialErrorFeedbackWithin(mostMacs: number): SampledRecoveryStep {
  return {
    id: 'sequential-error-feedback',
    summary: 'Rounds weights for the inputs that the quantized network gives, layer after layer.',
    async run(plan, context, samples) {
      const alone = unshared(weightedNodes(plan, context));
      const count = samples.indexes.length;
      // Both networks run.
      const left = mostMacs - 2 * count * runtimeShare * totalMacs(context.graph);
      const nodes = affordable(takable(alone), plan, context.graph, count, left);
      const walk = new PiecewiseRun(samples, mostBytes);
      let current = plan;
      let changes = 0;
      for (const each of nodes) {
        const { moments, missed } = await lookAt(each, current, context, walk);
        if (walk.count < Math.min(leastSamples, count)) break;
        const rounded = roundedForInputs(current, [each], moments, missed);
        if (!rounded) continue;
        current = rounded;
        changes++;
      }
      return { plan: current, changes };
    },
  };
}

/** What an operator's inputs are like in the quantized network, and what its results would lack for them. */
async function lookAt(
  each: WeightedNode,
  plan: QuantPlan,
  context: RecoveryContext,
  walk: PiecewiseRun,
): Promise<{ moments: InputMoments; missed: Missed }> {
  const { node, group, columns, weights } = each;
  const quantized = applyPlanForOnnx(context.graph, plan, { io: 'float32' });
  const both = besideEachOther(context.graph, quantized);
  const x = node.inputs[0]!;
  const rounded = nameBeside(context.graph, quantized.nodes.find(({ id }) => id === node.id)!.inputs[0]!);
  const extension = new GraphExtension(both);
  const shape = staticShape(valueNamed(both, x));
  const lack = extension.addReals('Sub', `lack/${node.id}`, [x, rounded], {}, shape);
  // The input by way of arithmetic: a lone move behind a DequantizeLinear is what onnxruntime cannot open.
  const input = extension.addReals('Sub', `input/${node.id}`, [x, lack], {}, shape);
  const inputs = addUnfolded(extension, context.graph, each, input);
  const response = addResponse(extension, context.graph, each, lack);
  const sums = addSums(extension, inputs);
  const products = addProducts(extension, inputs, inputs);
  const missedSums = addSums(extension, response);
  const missedProducts = addProducts(extension, response, inputs);
  const values = [sums, products, missedSums, missedProducts];
  const moments = new InputMoments(group, columns);
  const missed = {
    sums: new Float64Array(weights.shape[0]),
    products: new Float64Array(weights.shape[0] * columns),
  };
  await walk.advance(both, [x, rounded], {
    graph: extension.finish(values),
    values,
    see: (results) => {
      moments.add(toFloat32(results[sums]), toFloat32(results[products]), inputs.positions);
      addTo(missed.sums, toFloat32(results[missedSums]));
      addTo(missed.products, toFloat32(results[missedProducts]));
    },
  });
  return { moments, missed };
}

function addTo(sums: Float64Array, values: Float32Array): void {
  for (let i = 0; i < sums.length; i++) sums[i] += values[i];
}

/** Two graphs with the same inputs as one; the second's names get a prefix. */
function besideEachOther(graph: Graph, other: Graph): Graph {
  const values = new Map(graph.values);
  for (const [id, value] of other.values) {
    const name = nameBeside(graph, id);
    if (name !== id) values.set(name, { ...value, id: name });
  }
  const renamed = ({ id, op, inputs, outputs, attrs }: Node): Node => ({
    id: `${prefix}${id}`,
    op,
    inputs: inputs.map((input) => (input === null ? null : nameBeside(graph, input))),
    outputs: outputs.map((output) => nameBeside(graph, output)),
    attrs,
  });
  return { ...graph, values, nodes: [...graph.nodes, ...other.nodes.map(renamed)] };
}

const prefix = 'quantized:';

function nameBeside(graph: Graph, id: ValueId): ValueId {
  return graph.inputs.includes(id) ? id : `${prefix}${id}`;
}
