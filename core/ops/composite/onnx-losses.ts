/** ONNX NegativeLogLikelihoodLoss (12, 13) and SoftmaxCrossEntropyLoss (12, 13), written out. */
import type { Value } from '../../ir/graph.ts';
import type { OnnxReader } from '../facets.ts';
import { scalarTensor } from '../onnx-helpers.ts';
import { indices } from '../pick-elements.ts';
import { OnnxSteps } from './onnx-steps.ts';

/**
 * −weight[target] × x[n, target, …], reduced. A one-hot product picks x, so that an index which is ignored, and may
 * lie outside of the classes, picks nothing; a mean divides by the weights that count.
 */
function addLoss(out: OnnxSteps, logs: Value, target: Value, weight: Value | null): void {
  const { node } = out;
  const reduction = node.string('reduction', 'mean');
  // Without the attribute no index is ignored; a class number cannot be smaller than this.
  const none = Number.MIN_SAFE_INTEGER;
  const ignored = node.int('ignore_index', none);
  const shape = out.shape(logs);
  const classes = shape[1];
  const { dtype } = logs.type;
  const depth = out.scalar('int64', classes, 'classes');
  const ends = out.constant({ ...pair(dtype), shape: [2] }, 'off_on');
  const labels = out.cast(target, 'int64', 'labels');
  const counted =
    ignored === none
      ? null
      : out.one(
          'Not',
          [out.one('Equal', [labels, out.scalar('int64', ignored, 'ignored')], {}, 'skip')],
          {},
          'counted',
        );
  // Indices below zero would count from the end, and those out of range are undefined.
  const safe = counted
    ? out.one('Where', [counted, labels, out.scalar('int64', 0, 'first')], {}, 'safe')
    : labels;
  const hot = out.one('OneHot', [safe, depth, ends], { axis: 1 }, 'one_hot');
  const plane = shape.filter((_, axis) => axis !== 1);
  const ones = shape.map((_, axis) => (axis === 1 ? classes : 1));
  const weighted = weight ? out.two('Mul', hot, out.reshape(weight, ones, 'weights'), 'weighted') : hot;
  const skipping = (value: Value, what: string) =>
    counted ? out.one('Where', [counted, value, out.scalar(dtype, 0, `${what}/zero`)], {}, what) : value;
  const picked = out.reduce('ReduceSum', out.two('Mul', weighted, logs, 'products'), [1], false, 'picked');
  const losses = skipping(out.one('Neg', [picked], {}, 'negative'), 'losses');
  if (reduction === 'none') {
    const wanted = out.ints(out.shape(out.input(1)), 'losses/shape');
    out.last('Reshape', [losses, wanted], { allowZero: true });
    return;
  }
  const all = indices(plane.length);
  if (reduction === 'sum') {
    out.last('ReduceSum', [losses, out.ints(all, 'axes')], { keepDims: false });
    return;
  }
  if (reduction !== 'mean') node.refuse(`reduction = ${reduction} is not known`);
  const shares = skipping(out.reduce('ReduceSum', weighted, [1], false, 'own_weights'), 'shares');
  const total = out.reduce('ReduceSum', losses, all, false, 'total');
  out.last('Div', [total, out.reduce('ReduceSum', shares, all, false, 'weight')], { activation: 'none' });
}

/** [0, 1]: a missing and a present class. */
function pair(dtype: Value['type']['dtype']): { dtype: Value['type']['dtype']; bytes: Uint8Array } {
  const parts = [0, 1].map((value) => scalarTensor(dtype, value).bytes);
  const bytes = new Uint8Array(parts[0].length * 2);
  parts.forEach((part, i) => {
    bytes.set(part, i * part.length);
  });
  return { dtype, bytes };
}

/** Space in one axis: [batch, classes, space] and [batch, space]. Kernels know few axes. */
function flattened(out: OnnxSteps, x: Value, what: string): Value {
  const [batch, classes, ...space] = out.shape(x);
  return space.length < 2 ? x : out.reshape(x, [batch, classes, space.reduce((a, b) => a * b, 1)], what);
}

function flatTarget(out: OnnxSteps): Value {
  const target = out.input(1);
  const [batch, ...space] = out.shape(target);
  return space.length < 2 ? target : out.reshape(target, [batch, space.reduce((a, b) => a * b, 1)], 'target');
}

const readNegativeLogLikelihood: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  addLoss(out, flattened(out, out.input(0), 'flat'), flatTarget(out), node.inputs[2] ?? null);
};

const readSoftmaxCrossEntropy: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const logs = out.one('LogSoftmax', [flattened(out, out.input(0), 'flat')], { axis: 1 }, 'logs');
  if (out.wants(1)) {
    out.last('Reshape', [logs, out.ints(out.shape(out.input(0)), 'logs/shape')], { allowZero: true }, 1);
  }
  addLoss(out, logs, flatTarget(out), node.inputs[2] ?? null);
};

export const lossReaders = {
  NegativeLogLikelihoodLoss: { 12: readNegativeLogLikelihood },
  SoftmaxCrossEntropyLoss: { 12: readSoftmaxCrossEntropy },
};
