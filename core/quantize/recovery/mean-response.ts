import { type Graph, type Node, valueNamed } from '../../ir/graph.ts';

/**
 * Mean of each output channel of a dense layer or convolution, bias aside, whose input channels have given means:
 * Σ over input channels and taps of weight × mean × the part of positions at which the tap lies inside of the input.
 * @param weights `[outputs, inputs ÷ group, …taps]`
 * @param shares of `tapShares`
 */
export function meanResponse(
  weights: ArrayLike<number>,
  shape: readonly number[],
  means: ArrayLike<number>,
  group: number,
  shares: Float64Array,
): Float64Array {
  const [outputs, inputs] = shape;
  const perGroup = outputs / group;
  const response = new Float64Array(outputs);
  for (let m = 0, at = 0; m < outputs; m++) {
    const first = Math.floor(m / perGroup) * inputs;
    for (let c = 0; c < inputs; c++) {
      let weight = 0;
      for (let k = 0; k < shares.length; k++, at++) weight += weights[at] * shares[k];
      response[m] += weight * means[first + c];
    }
  }
  return response;
}

/** For each kernel tap the part of output positions at which it reads inside of the input. */
export function tapShares(graph: Graph, node: Node, weightShape: readonly number[]): Float64Array {
  const kernel = weightShape.slice(2);
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
