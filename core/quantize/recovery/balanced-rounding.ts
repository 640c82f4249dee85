import { contiguous, toFloat32 } from '../../ir/tensor.ts';
import { balanceRow } from '../../kernels/balanced-rounding.ts';
import { quantizeElements } from '../constants.ts';
import { weightLimit } from '../plan.ts';
import type { RecoveryStep } from './recovery.ts';
import { weightedNodes, withIntegers } from './weighted-nodes.ts';

/**
 * Rounds the weights of each output so that their errors sum to nearly nothing (after SQuant, Guo et al. 2022), where
 * nothing is known of the inputs: with measured means the bias takes the whole shift back, and the nearest integers
 * are better.
 */
export const balancedRounding: RecoveryStep = {
  id: 'balanced-rounding',
  summary: 'Rounds weights so that their errors sum to nothing; needs no samples.',
  run(plan, context) {
    let { values } = plan;
    let changes = 0;
    for (const each of weightedNodes(plan, context)) {
      const { node, weights, columns } = each;
      if (context.ranges.get(node.inputs[0]!)?.channelMeans || each.plan.integers) continue;
      if (values[each.weightsId]?.integers) continue;
      const type = each.plan.dtype === 'int4' ? 'int4' : 'int8';
      const flat = contiguous(weights);
      const data = toFloat32(flat);
      const integers = new Int8Array(quantizeElements(flat, type, each.plan));
      for (let row = 0; row < weights.shape[0]; row++) {
        const [from, scale] = [row * columns, each.scales[row]];
        balanceRow(data, integers, from, from + columns, scale, weightLimit(each.plan));
      }
      const changed = withIntegers(values, each, integers);
      if (!changed) continue;
      values = changed;
      changes++;
    }
    return { plan: { ...plan, values }, changes };
  },
};
