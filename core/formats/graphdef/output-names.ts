/** Names of outputs, which functions use to refer to them (TensorFlow's op registry). */

/** Operators with several named outputs; all others have one output or one list. */
const named: Readonly<Record<string, readonly string[]>> = {
  FusedBatchNorm: ['y', 'batch_mean', 'batch_variance', 'reserve_space_1', 'reserve_space_2'],
  FusedBatchNormV2: ['y', 'batch_mean', 'batch_variance', 'reserve_space_1', 'reserve_space_2'],
  FusedBatchNormV3: [
    'y',
    'batch_mean',
    'batch_variance',
    'reserve_space_1',
    'reserve_space_2',
    'reserve_space_3',
  ],
  TopK: ['values', 'indices'],
  TopKV2: ['values', 'indices'],
  BroadcastGradientArgs: ['r0', 'r1'],
  Switch: ['output_false', 'output_true'],
  Merge: ['output', 'value_index'],
};

/** Position of the (first) output of that name. */
export function outputIndex(op: string, name: string): number {
  return Math.max(named[op]?.indexOf(name) ?? 0, 0);
}
