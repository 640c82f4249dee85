import { type Graph, type Node, valueNamed } from '../../ir/graph.ts';
import { type Tensor, toFloat32 } from '../../ir/tensor.ts';
import type { QuantizedType } from '../../kernels/affine.ts';
import { quantizeElements } from '../constants.ts';
import { operandPlan, type QuantPlan, type ValuePlan } from '../plan.ts';
import { biasSlot, inputRule, ruleOf } from '../rules.ts';
import type { RecoveryStep } from './recovery.ts';

/**
 * Takes back the mean shift that rounded weights give an operator's output: `b' = b − Σ (Wq − W) · E[x]`, with the
 * mean of each input channel from calibration (Nagel et al., "Data-Free Quantization Through Weight Equalization and
 * Bias Correction", 2019, section 4.2, with measured instead of inferred means). At the border of a padded input a
 * tap sees zeros: it counts by the part of positions at which it lies inside. Starts from the model's own biases, so
 * that it can run again once the weights' integers are others.
 */
export const biasCorrection: RecoveryStep = {
  id: 'bias-correction',
  summary: 'Moves biases by the mean error that rounding the weights causes.',
  run(plan, { graph, ranges }) {
    const biases: Record<string, readonly number[]> = { ...plan.biases };
    let changes = 0;
    for (const node of graph.nodes) {
      const mode = plan.nodes[node.id]?.mode;
      const x = node.inputs[0] ?? '';
      const factors = plan.factors[x];
      const measured = ranges.get(x)?.channelMeans;
      const means = factors ? measured?.map((mean, c) => mean / factors[c]) : measured;
      if (!mode || mode === 'float' || !means) continue;
      const corrected = correctedBias(graph, node, plan, means);
      if (!corrected) continue;
      biases[node.id] = corrected;
      changes++;
    }
    return { plan: { ...plan, biases }, changes };
  },
};

function correctedBias(graph: Graph, node: Node, plan: QuantPlan, means: Float64Array): number[] | undefined {
  const rule = ruleOf(node);
  const bias = rule && biasSlot(rule);
  const weightsId = node.inputs[1];
  if (!rule || !bias || !weightsId) return undefined;
  const slot = inputRule(rule, 1);
  const weights = valueNamed(graph, weightsId).constant;
  const params = operandPlan(plan, node.id, 1, weightsId);
  if (slot.kind !== 'weight' || slot.axis !== 0 || !weights || !params) return undefined;
  const biasId = node.inputs[bias.slot];
  const given = biasId ? valueNamed(graph, biasId).constant : undefined;
  const channels = weights.shape[0];
  const start = given ? toFloat32(given) : new Float32Array(channels);
  const group = typeof node.attrs.group === 'number' ? node.attrs.group : 1;
  if (means.length !== weights.shape[1] * group) return undefined;
  const shift = meanShift(weights, params, means, group, tapShares(graph, node, weights));
  return Array.from(start, (b, m) => b - shift[m]);
}

/** Per output channel: Σ over input channels and taps of the weights' rounding error × mean input × tap share. */
function meanShift(
  weights: Tensor,
  params: ValuePlan,
  means: Float64Array,
  group: number,
  shares: Float64Array,
): Float64Array {
  const data = toFloat32(weights);
  const integers = quantizeElements(weights, params.dtype as Exclude<QuantizedType, 'int64'>, params);
  const [outputs, inputs] = weights.shape;
  const perGroup = outputs / group;
  const shift = new Float64Array(outputs);
  for (let m = 0, at = 0; m < outputs; m++) {
    const scale = params.axis === undefined ? params.scales[0] : params.scales[m];
    const first = Math.floor(m / perGroup) * inputs;
    for (let c = 0; c < inputs; c++) {
      let error = 0;
      for (let k = 0; k < shares.length; k++, at++) error += (integers[at] * scale - data[at]) * shares[k];
      shift[m] += error * means[first + c];
    }
  }
  return shift;
}

/** For each kernel tap the part of output positions at which it reads inside of the input. */
function tapShares(graph: Graph, node: Node, weights: Tensor): Float64Array {
  const kernel = weights.shape.slice(2);
  let shares = Float64Array.of(1);
  const { strides, dilations, pads, layout } = node.attrs as {
    strides?: readonly number[];
    dilations?: readonly number[];
    pads?: readonly number[];
    layout?: string;
  };
  const first = layout === 'NCHW' ? 2 : 1;
  const sizes = valueNamed(graph, node.inputs[0]!).type.shape.slice(first).map(Number);
  const counts = valueNamed(graph, node.outputs[0]).type.shape.slice(first).map(Number);
  kernel.forEach((taps, axis) => {
    const next = new Float64Array(shares.length * taps);
    for (let tap = 0; tap < taps; tap++) {
      let inside = 0;
      for (let at = 0; at < counts[axis]; at++) {
        const from = at * (strides?.[axis] ?? 1) + tap * (dilations?.[axis] ?? 1) - (pads?.[axis] ?? 0);
        if (from >= 0 && from < sizes[axis]) inside++;
      }
      for (let i = 0; i < shares.length; i++) next[i * taps + tap] = shares[i] * (inside / counts[axis]);
    }
    shares = next;
  });
  return shares;
}
