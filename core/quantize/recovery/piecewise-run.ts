import { openGraph } from '../../calibrate/open-graph.ts';
import { WhittleError } from '../../contract/errors.ts';
import { byteLength } from '../../ir/dtype.ts';
import {
  consumersOf,
  type Graph,
  type Node,
  producersOf,
  staticShape,
  type ValueId,
  valueNamed,
} from '../../ir/graph.ts';
import { elementCount, type Tensor } from '../../ir/tensor.ts';
import type { RecoverySamples } from './recovery.ts';

type Values = Readonly<Record<ValueId, Tensor>>;

/** What is looked at on the way, in a graph that has more nodes behind those that are run. */
export interface Look {
  readonly graph: Graph;
  readonly values: readonly ValueId[];
  /** Called once for each sample. */
  see(results: Values): void;
}

/**
 * Runs samples through a graph in pieces, each from what the ones before it left, so that every operator runs once for
 * each sample however many pieces there are, and operators that have not run yet may still change. What later operators
 * will read is kept for all samples; where that outgrows its bounds, the last samples are let go.
 */
export class PiecewiseRun {
  private readonly samples: RecoverySamples;
  private readonly mostBytes: number;
  private readonly done = new Set<string>();
  /** By sample, in the order of their indexes. */
  private kept: Values[];

  /** @param mostBytes of all values that are kept */
  constructor(samples: RecoverySamples, mostBytes: number) {
    this.samples = samples;
    this.mostBytes = mostBytes;
    this.kept = samples.indexes.map(() => ({}));
  }

  /** Samples that are still run. */
  get count(): number {
    return this.kept.length;
  }

  /**
   * Runs the operators that make some values and have not run yet.
   * @param graph the same in every call, but for what operators that have not run yet compute
   * @throws WhittleError `job.cancelled`, and what the engine throws
   */
  async advance(graph: Graph, until: readonly ValueId[], look: Look): Promise<void> {
    const known = new Set(Object.keys(this.kept[0] ?? {}));
    for (const { id } of nodesFor(graph, until, known)) this.done.add(id);
    const live = liveValues(graph, this.done);
    const bytes = live.reduce((sum, id) => sum + bytesOf(graph, id), 0);
    this.kept.length = Math.min(this.count, Math.floor(this.mostBytes / Math.max(bytes, 1)));
    const made = live.filter((id) => !known.has(id));
    const piece = cutOut(look.graph, [...made, ...look.values], known);
    const { engine, dataset, indexes, signal } = this.samples;
    const session = await openGraph(engine, piece, {}, { yields: true });
    try {
      for (let at = 0; at < this.count; at++) {
        if (signal?.aborted) throw new WhittleError('job.cancelled', 'recovery was cancelled');
        const before = this.kept[at];
        const given = piece.inputs.some((id) => !known.has(id)) ? await dataset.sample(indexes[at]) : {};
        const results = await session.run(pick({ ...given, ...before }, piece.inputs));
        this.kept[at] = pick({ ...before, ...results }, live);
        look.see(results);
      }
    } finally {
      await session.close();
    }
  }
}

/** The nodes that values hang on, as far as they do not do so by way of known ones; in graph order. */
function nodesFor(graph: Graph, wanted: readonly ValueId[], known: ReadonlySet<ValueId>): Node[] {
  const producers = producersOf(graph);
  const found = new Set<Node>();
  const queue = [...wanted];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    const producer = known.has(id) ? undefined : producers.get(id);
    if (!producer || found.has(producer)) continue;
    found.add(producer);
    queue.push(...producer.inputs.filter((input) => input !== null));
  }
  return graph.nodes.filter((node) => found.has(node));
}

/** What nodes that have run have made for nodes that have not. */
function liveValues(graph: Graph, done: ReadonlySet<string>): ValueId[] {
  const consumers = consumersOf(graph);
  const isWaitedFor = (id: ValueId) => consumers.get(id)?.some((node) => !done.has(node.id)) ?? false;
  return graph.nodes.filter((node) => done.has(node.id)).flatMap((node) => node.outputs.filter(isWaitedFor));
}

/** The part of a graph that makes some values from known ones and from the graph's inputs. */
function cutOut(graph: Graph, outputs: readonly ValueId[], known: ReadonlySet<ValueId>): Graph {
  const nodes = nodesFor(graph, outputs, known);
  const read = new Set([...nodes.flatMap(({ inputs }) => inputs), ...outputs]);
  const inputs = [...graph.inputs, ...known].filter((id) => read.has(id));
  return { ...graph, nodes, inputs, outputs: [...new Set(outputs)] };
}

function bytesOf(graph: Graph, id: ValueId): number {
  const value = valueNamed(graph, id);
  return byteLength(value.type.dtype, elementCount(staticShape(value)));
}

function pick(values: Values, ids: readonly ValueId[]): Values {
  return Object.fromEntries(ids.map((id) => [id, values[id]]));
}
