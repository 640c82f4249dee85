import { openGraph } from '../calibrate/open-graph.ts';
import { scaleChannels } from '../calibrate/scale-channels.ts';
import type { OperatorError, OperatorPair } from '../evaluate/operator-errors.ts';
import { operatorErrors } from '../evaluate/operator-errors.ts';
import { isFloat } from '../ir/dtype.ts';
import { type Graph, type Node, producersOf, valueNamed } from '../ir/graph.ts';
import { elementCount } from '../ir/tensor.ts';
import { factorMap, type QuantPlan } from '../quantize/plan.ts';
import type { ArtifactTarget } from './artifact-targets.ts';
import type { MakeContext } from './make-artifact.ts';
import { openWrittenGraph, portAdaptersOf } from './open-written-file.ts';

/** So many samples show where in the network the quality goes. */
const detailSamples = 4;
/** Beyond this many operators the picture is too fine to read, and too many tensors to hold. */
const operatorLimit = 400;

/** Results of the source that are compared in one run; what is more takes further runs. */
const mostBytesAtOnce = 64 * 2 ** 20;

/**
 * Error of each operator's result against the float source, from twins of the file that give its inner tensors out, as
 * many at a time as fit a budget. Tensors that were flattened in another order are left out: what they hold where
 * cannot be told from their shapes.
 */
export async function measureOperators(
  target: ArtifactTarget,
  { graph, plan }: { readonly graph: Graph; readonly plan: QuantPlan },
  context: MakeContext,
): Promise<OperatorError[]> {
  // A plan may scale channels between two operators, so that both use their range: the source is scaled alike.
  const float = scaleChannels(context.forOnnx.graph, factorMap(plan));
  const errors: OperatorError[] = [];
  for (const pairs of portions(pairOperators(float, graph, plan), float)) {
    errors.push(...(await measurePairs(pairs, { target, graph, float, context })));
  }
  return errors;
}

/** Pairs in their order, in portions whose results in the source fit the budget. */
function portions(pairs: readonly OperatorPair[], float: Graph): OperatorPair[][] {
  const found: OperatorPair[][] = [];
  let room = 0;
  for (const pair of pairs) {
    const bytes = 4 * elementCount(valueNamed(float, pair.source).type.shape as number[]);
    if (bytes > room) {
      found.push([]);
      room = mostBytesAtOnce;
    }
    found[found.length - 1].push(pair);
    room -= bytes;
  }
  return found;
}

interface Measured {
  readonly target: ArtifactTarget;
  readonly graph: Graph;
  readonly float: Graph;
  readonly context: MakeContext;
}

async function measurePairs(
  pairs: readonly OperatorPair[],
  { target, graph, float, context }: Measured,
): Promise<OperatorError[]> {
  const outputs = [...new Set([...graph.outputs, ...pairs.map((pair) => pair.artifact)])];
  const twin = { ...graph, outputs };
  const extraOutputs = pairs.map((pair) => pair.source);
  const source = await openGraph(context.engines.ort, float, { extraOutputs });
  try {
    const artifact = await openWrittenGraph(target, twin, context.engines);
    try {
      return await operatorErrors(source, artifact, pairs, context.dataset, {
        samples: detailSamples,
        portAdapters: target.format === 'tflite' ? portAdaptersOf(context.forTflite) : {},
        signal: context.signal,
      });
    } finally {
      await artifact.close();
    }
  } finally {
    await source.close();
  }
}

/** Operators that only move elements: no error of their own, and where they flatten, an order of their own. */
const movers = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose', 'Expand', 'Identity']);

export function movesOnly({ op }: Pick<Node, 'op'>): boolean {
  return movers.has(op);
}

const borders = new Set(['QuantizeLinear', 'DequantizeLinear', 'Cast']);
/** Operators whose result has the same order whatever that of their input. */
const settling = new Set(['FullyConnected', 'MatMul', 'ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin']);

/** Values that both graphs make under one name and in a known order, with the operator that makes them. */
function pairOperators(float: Graph, artifact: Graph, plan: QuantPlan): OperatorPair[] {
  const made = producersOf(float);
  const unsettled = new Set<string>();
  const pairs: OperatorPair[] = [];
  for (const node of artifact.nodes) {
    const rank = (id: string): number => valueNamed(artifact, id).type.shape.length;
    const flattens =
      movers.has(node.op) && node.inputs[0] != null && rank(node.inputs[0]) !== rank(node.outputs[0]);
    const inherits = !settling.has(node.op) && node.inputs.some((id) => id !== null && unsettled.has(id));
    for (const id of node.outputs) {
      if (flattens || inherits) unsettled.add(id);
      if (!made.has(id) || unsettled.has(id) || movers.has(node.op) || borders.has(node.op)) continue;
      const from = valueNamed(float, id).type;
      const to = valueNamed(artifact, id).type;
      if (!isFloat(from.dtype)) continue;
      const orders = ordersOf(from.shape as number[], to.shape as number[]);
      if (orders.length > 0)
        pairs.push({
          name: id,
          op: node.op,
          source: id,
          artifact: id,
          orders,
          rounded: isFloat(to.dtype) ? roundedTo(plan, id) : undefined,
          channelAxis: channelAxisOf(made.get(id)!, from.shape as number[]),
        });
    }
  }
  return pairs.slice(0, operatorLimit);
}

/** What a plan rounds a value to. */
function roundedTo(plan: QuantPlan, id: string): OperatorPair['rounded'] {
  const planned = plan.values[id];
  return planned && { dtype: planned.dtype, quant: planned };
}

/** So many elements of a channel tell of its range; single numbers of a dense layer do not. */
const leastPerChannel = 8;

/** Where a result of the float graph, whose channels come first, has channels worth telling apart. */
function channelAxisOf({ attrs }: Node, shape: readonly number[]): number | undefined {
  if (shape.length < 3) return undefined;
  const axis = shape.length > 3 || attrs.layout !== undefined ? 1 : 2;
  const elements = shape.reduce((product, dim) => product * dim, 1);
  return elements / shape[axis] >= leastPerChannel ? axis : undefined;
}

/** How a shape may have come from another: as it is, or channels last. */
function ordersOf(from: readonly number[], to: readonly number[]): (readonly number[] | undefined)[] {
  if (from.length !== to.length) return [];
  const last = [0, ...from.slice(2).map((_dim, i) => i + 2), 1];
  const orders: (readonly number[] | undefined)[] = [];
  if (from.every((dim, i) => dim === to[i])) orders.push(undefined);
  if (from.length > 2 && last.every((axis, i) => from[axis] === to[i])) orders.push(last);
  return orders;
}
