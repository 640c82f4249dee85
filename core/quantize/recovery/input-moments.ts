import { GraphExtension } from '../../calibrate/graph-extension.ts';
import { openGraph } from '../../calibrate/open-graph.ts';
import { WhittleError } from '../../contract/errors.ts';
import type { Graph } from '../../ir/graph.ts';
import { type Tensor, toFloat32 } from '../../ir/tensor.ts';
import { ErrorFeedback } from '../../kernels/error-feedback.ts';
import type { RecoverySamples } from './recovery.ts';
import { addProducts, addSums, addUnfolded } from './unfold-inputs.ts';
import { byWeights, type WeightedNode } from './weighted-nodes.ts';

/** Elements of all matrices that are gathered in one pass over the samples. */
const mostElements = 2 ** 23;
/** Elements of matrices that are kept for other plans of the same graph. */
const mostKept = 2 ** 22;

/**
 * First and second moments of what one tensor of weights meets: `columns` numbers (inputs ÷ group × taps) for each
 * output position, per group, summed over samples and over all operators that share the weights.
 */
export class InputMoments {
  readonly groups: number;
  readonly columns: number;
  private readonly sums: Float64Array;
  /** Lower triangles, `[groups, columns, columns]`. */
  private readonly products: Float64Array;
  private count = 0;
  private independent = 0;
  /** Kept along with moments that are kept, as they take as much memory. */
  private feedbacks: ErrorFeedback[] | undefined;

  constructor(groups: number, columns: number) {
    this.groups = groups;
    this.columns = columns;
    this.sums = new Float64Array(groups * columns);
    this.products = new Float64Array(groups * columns * columns);
  }

  /** Adds a sample's sums `[groups, columns]` and products `[groups, columns, columns]` over `count` positions. */
  add(sums: Float32Array, products: Float32Array, count: number): void {
    const n = this.columns;
    for (let i = 0; i < sums.length; i++) this.sums[i] += sums[i];
    for (let row = 0; row < this.groups * n; row++) {
      const end = row * n + (row % n);
      for (let at = row * n; at <= end; at++) this.products[at] += products[at];
    }
    this.count += count;
    // Neighbouring positions of one sample are much alike.
    this.independent += Math.sqrt(count);
  }

  /** How many positions of all samples were seen. */
  get positions(): number {
    return this.count;
  }

  /** How many independent observations these moments are worth. */
  get observations(): number {
    return this.independent;
  }

  /** What rounds the weights of a group. */
  feedback(group: number): ErrorFeedback {
    const known = this.feedbacks?.[group];
    const feedback = known ?? new ErrorFeedback(this.covariance(group), this.columns, this.observations);
    if (this.feedbacks) this.feedbacks[group] = feedback;
    return feedback;
  }

  keepFeedbacks(): void {
    this.feedbacks ??= [];
  }

  /** Mean of each number of a group. */
  means(group: number): Float64Array {
    const from = group * this.columns;
    return this.sums.subarray(from, from + this.columns).map((sum) => sum / this.count);
  }

  /** Covariance matrix of a group's numbers, symmetric, row-major. */
  covariance(group: number): Float64Array {
    const n = this.columns;
    const means = this.means(group);
    const matrix = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      const from = (group * n + i) * n;
      for (let j = 0; j <= i; j++) {
        const value = this.products[from + j] / this.count - means[i] * means[j];
        matrix[i * n + j] = value;
        matrix[j * n + i] = value;
      }
    }
    return matrix;
  }
}

/** Moments that were gathered, as far as they take little memory, by graph and operators. */
export class KnownMoments {
  private readonly graphs = new WeakMap<Graph, Map<string, InputMoments>>();
  private room = mostKept;

  of(graph: Graph, nodes: readonly WeightedNode[]): InputMoments | undefined {
    return this.graphs.get(graph)?.get(keyOf(nodes));
  }

  offer(graph: Graph, nodes: readonly WeightedNode[], moments: InputMoments): void {
    const elements = moments.groups * moments.columns ** 2;
    if (elements > this.room) return;
    this.room -= elements;
    moments.keepFeedbacks();
    const known = this.graphs.get(graph) ?? new Map<string, InputMoments>();
    this.graphs.set(graph, known.set(keyOf(nodes), moments));
  }
}

function keyOf(nodes: readonly WeightedNode[]): string {
  return nodes.map(({ node }) => node.id).join('\n');
}

/**
 * Runs samples through the float graph and gathers the input moments of operators with weights, a few operators in each
 * pass, so that memory stays bounded; matrices leave again once `take` has seen them. The runtime unfolds convolutions
 * (by the operator itself, with filters that pick one tap of one channel) and multiplies the matrices.
 * @throws WhittleError `job.cancelled`, and what the engine throws
 */
export async function gatherInputMoments(
  graph: Graph,
  weighted: readonly WeightedNode[],
  samples: RecoverySamples,
  take: (nodes: readonly WeightedNode[], moments: InputMoments) => void,
): Promise<void> {
  let batch: WeightedNode[][] = [];
  let room = mostElements;
  for (const nodes of byWeights(weighted).values()) {
    const known = samples.found.of(graph, nodes);
    if (known) {
      take(nodes, known);
      continue;
    }
    const elements = nodes[0].group * nodes[0].columns ** 2;
    if (batch.length > 0 && elements > room) {
      await gatherBatch(graph, batch, samples, take);
      [batch, room] = [[], mostElements];
    }
    batch.push(nodes);
    room -= elements;
  }
  if (batch.length > 0) await gatherBatch(graph, batch, samples, take);
}

async function gatherBatch(
  graph: Graph,
  batch: readonly (readonly WeightedNode[])[],
  { dataset, indexes, engine, signal, found }: RecoverySamples,
  take: (nodes: readonly WeightedNode[], moments: InputMoments) => void,
): Promise<void> {
  const extension = new GraphExtension(graph);
  const taps = batch.flatMap((nodes) => {
    const moments = new InputMoments(nodes[0].group, nodes[0].columns);
    return nodes.map((node) => {
      const inputs = addUnfolded(extension, graph, node, node.node.inputs[0]!);
      const products = addProducts(extension, inputs, inputs);
      return { moments, sums: addSums(extension, inputs), products, count: inputs.positions };
    });
  });
  const outputs = taps.flatMap(({ sums, products }) => [sums, products]);
  const session = await openGraph(engine, extension.finish(outputs), { opset: 21 }, { yields: true });
  try {
    for (const index of indexes) {
      if (signal?.aborted) throw new WhittleError('job.cancelled', 'recovery was cancelled');
      const results: Readonly<Record<string, Tensor>> = await session.run(await dataset.sample(index));
      for (const { moments, sums, products, count } of taps)
        moments.add(toFloat32(results[sums]), toFloat32(results[products]), count);
    }
  } finally {
    await session.close();
  }
  let at = 0;
  for (const nodes of batch) {
    found.offer(graph, nodes, taps[at].moments);
    take(nodes, taps[at].moments);
    at += nodes.length;
  }
}
