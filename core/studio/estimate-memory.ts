import { byteLength } from '../ir/dtype.ts';
import { type Graph, type Node, valueNamed } from '../ir/graph.ts';
import { isOther } from '../ir/opaque.ts';
import { elementCount } from '../ir/tensor.ts';
import { graphMemory } from '../profile/model-memory.ts';

/** The program and its three runtimes, without a model. */
const programBytes = 150e6;
/** An operator, in the graphs and sessions that exist side by side. */
const operatorBytes = 0.2e6;
/**
 * Copies of the weights at the peak: the file, the graph, the model as it is handed over, and what the runtimes make of
 * it. Beyond some size runtimes map a file instead.
 */
const weightCopies = { copies: 7, untilBytes: 30e6, beyond: 3 };
/** Arenas at the peak: one session's, and what its allocator holds back. */
const arenas = 2;
/** A convolution with a window keeps a pointer for each tap of each position (XNNPACK's indirection buffer). */
const pointerBytes = 8;
/** Results of the source that are kept, at most. */
const mostKeptBytes = 64e6;

/**
 * About how much memory a run takes at its peak, in bytes, from a model to verified files: an estimate from the graph,
 * without running anything. Samples count only by what the source answers to them, as they are read one at a time.
 * @param samples that are compared
 * @returns undefined where a shape is open
 */
export function estimatePeakBytes(graph: Graph, samples: number): number | undefined {
  const memory = graphMemory(graph);
  if (!memory) return undefined;
  const windows = graph.nodes.reduce((sum, node) => sum + windowTaps(graph, node), 0);
  const answers = graph.outputs.reduce((sum, id) => sum + valueBytes(graph, id), 0) * samples;
  return Math.round(
    programBytes +
      operatorBytes * graph.nodes.length +
      copiesOf(memory.weightsBytes) +
      arenas * memory.arenaBytes +
      pointerBytes * windows +
      Math.min(answers, mostKeptBytes),
  );
}

function copiesOf(weightsBytes: number): number {
  const { copies, untilBytes, beyond } = weightCopies;
  const handed = Math.min(weightsBytes, untilBytes);
  return copies * handed + beyond * (weightsBytes - handed);
}

function valueBytes(graph: Graph, id: string): number {
  const { type } = valueNamed(graph, id);
  return isOther(type) || type.dtype === 'string'
    ? 0
    : byteLength(type.dtype, elementCount(type.shape.map(Number)));
}

/** Positions × taps of an operator whose weights have a spatial window. */
function windowTaps(graph: Graph, node: Node): number {
  const weights = node.inputs[1] ? valueNamed(graph, node.inputs[1]) : undefined;
  const { layout } = node.attrs;
  if (!weights?.constant || (layout !== 'NCHW' && layout !== 'NHWC')) return 0;
  const taps = elementCount(weights.type.shape.slice(2).map(Number));
  const shape = valueNamed(graph, node.outputs[0]).type.shape.map(Number);
  const positions = elementCount(layout === 'NCHW' ? shape.slice(2) : shape.slice(1, -1));
  return taps > 1 ? positions * taps : 0;
}
