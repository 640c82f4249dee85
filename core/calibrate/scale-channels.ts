import { type Graph, type Node, type Value, type ValueId, valueNamed } from '../ir/graph.ts';
import { tensorOf, toFloat32 } from '../ir/tensor.ts';
import { integerRule, slotRule } from './integer-rules.ts';

/**
 * Divides the channels of values by factors (of `equalize`), in the weights and biases of the operators that make and
 * read them. The function of the graph stays, but for bounds of ReLU6, which move along; constants keep their names. Works in either axis order, since weights are
 * `[outputs, inputs ÷ group, …taps]` in both.
 */
export function scaleChannels(graph: Graph, factors: ReadonlyMap<string, ArrayLike<number>>): Graph {
  if (factors.size === 0) return graph;
  const values = new Map(graph.values);
  for (const node of graph.nodes) {
    const rule = integerRule(node);
    const slot = rule && slotRule(rule, 1);
    const [x, weights, bias] = node.inputs;
    if (node.op === 'LayerNormalization') {
      const output = factors.get(node.outputs[0]);
      for (const id of output ? [weights, bias] : []) if (id) divide(values, id, output!);
      continue;
    }
    if (!x || !weights || slot?.kind !== 'weight' || slot.axis !== 0) continue;
    const input = factors.get(x);
    const output = factors.get(node.outputs[0]);
    if (!input && !output) continue;
    values.set(weights, scaledWeights(node, valueNamed(graph, weights), input, output));
    if (bias && output) divide(values, bias, output);
  }
  return { ...graph, values };
}

/** Divides a constant of one number per channel. */
function divide(values: Map<ValueId, Value>, id: ValueId, factors: ArrayLike<number>): void {
  const value = values.get(id)!;
  const data = toFloat32(value.constant!).map((x, c) => x / factors[c]);
  values.set(id, { ...value, constant: tensorOf('float32', value.constant!.shape, data) });
}

function scaledWeights(
  node: Node,
  value: Value,
  input: ArrayLike<number> | undefined,
  output: ArrayLike<number> | undefined,
): Value {
  const weights = value.constant!;
  const data = toFloat32(weights).slice();
  const [outputs, inputs] = weights.shape;
  const taps = data.length / (outputs * inputs);
  const group = typeof node.attrs.group === 'number' ? node.attrs.group : 1;
  for (let m = 0, at = 0; m < outputs; m++) {
    const first = Math.floor(m / (outputs / group)) * inputs;
    const back = output ? 1 / output[m] : 1;
    for (let c = 0; c < inputs; c++) {
      const factor = (input ? input[first + c] : 1) * back;
      for (let k = 0; k < taps; k++, at++) data[at] *= factor;
    }
  }
  return { ...value, constant: tensorOf('float32', weights.shape, data) };
}
