import { WhittleError } from '../contract/errors.ts';
import type { Graph } from '../ir/graph.ts';
import { refuseOpaque } from '../ir/opaque.ts';
import { elementCount } from '../ir/tensor.ts';
import { verifyGraph } from '../ir/verify.ts';
import { inferTypes } from '../ops/registry.ts';
import { foldAffineBack } from './fold-affine-back.ts';
import { foldAffineForward } from './fold-affine-forward.ts';
import { foldConstants } from './fold-constants.ts';
import { foldPadding } from './fold-padding.ts';
import { fuseActivations } from './fuse-activations.ts';
import { globalPools } from './global-pools.ts';
import { guardPaddedPools } from './guard-padded-pools.ts';
import { joinReshapes } from './join-reshapes.ts';
import { layoutPass } from './layout/plan-layout.ts';
import { lowerAffine } from './lower-affine.ts';
import { lowerHardSigmoid } from './lower-hard-sigmoid.ts';
import { lowerDoubles, lowerHalves, lowerNarrowIntegers } from './lower-types.ts';
import { mergeDuplicates } from './merge-duplicates.ts';
import { mergeTransposes } from './merge-transposes.ts';
import type { Pass, PassReport } from './pass.ts';
import { recognizeActivations } from './recognize/activations.ts';
import { recognizeNormalizations } from './recognize/normalizations.ts';
import { removeIdentities } from './remove-identities.ts';
import { simplifyReshapes } from './simplify-reshapes.ts';
import { sinkAffine } from './sink-affine.ts';
import { softmaxLast } from './softmax-last.ts';
import { toFullyConnected } from './to-fully-connected.ts';

export interface Prepared {
  readonly graph: Graph;
  /** What each pass did, in order. */
  readonly reports: readonly ({ readonly id: string } & PassReport)[];
}

/** What both targets want. The order matters where a comment says so. */
const common: readonly Pass[] = [
  // First, because shape arithmetic and constant weights decide what every other pass can see.
  foldConstants,
  removeIdentities,
  // Before anything looks for a value's only reader.
  mergeDuplicates,
  // Before anything takes parts of an activation that is written out into a neighbour.
  recognizeActivations,
  recognizeNormalizations,
  toFullyConnected,
  // Before reshapes are looked at: a mean can drop the axes that a flattening behind it drops.
  globalPools,
  simplifyReshapes,
  joinReshapes,
  mergeTransposes,
  // Weights that a dense layer got by transposing are read by the folding of scales.
  foldAffineBack,
  // Looks for the convolution right before it, which biases stood between until now; what it adds folds back again.
  lowerHardSigmoid,
  foldAffineBack,
  // Only what did not fold back; nearer to the next weights it may fold forward.
  sinkAffine,
  // After folding back: what follows a convolution belongs there, only the rest is pushed on.
  foldAffineForward,
  // Padding moves into convolutions after offsets were folded forward, which padding would forbid.
  foldPadding,
  lowerAffine,
  // Last of the arithmetic: folding needs operators without a fused activation.
  fuseActivations,
  removeIdentities,
];

const forOnnx: readonly Pass[] = [
  ...common,
  layoutPass({ layout: 'NCHW', channelsLastBorders: false, lastAxisOnly: new Set() }),
  // Transposes and reshapes that the layout put side by side.
  mergeTransposes,
  simplifyReshapes,
  foldConstants,
  removeIdentities,
  guardPaddedPools,
];

const forTflite = (layout: 'nhwc' | 'keep'): readonly Pass[] => [
  // First, because every pass after them may take what is left for a form that LiteRT computes.
  lowerDoubles,
  foldConstants,
  lowerHalves,
  lowerNarrowIntegers,
  ...common,
  // Before the layout, which knows what to do with the transposes.
  softmaxLast,
  layoutPass({
    layout: 'NHWC',
    channelsLastBorders: layout === 'nhwc',
    lastAxisOnly: new Set(['Softmax', 'LogSoftmax']),
  }),
  mergeTransposes,
  simplifyReshapes,
  foldConstants,
  removeIdentities,
];

function check(graph: Graph, after: string): void {
  const problems = verifyGraph(graph, inferTypes);
  if (problems.length === 0) return;
  throw new WhittleError('internal', `${graph.name} is not well formed ${after}: ${problems[0]}`, {
    issues: problems.map((message) => ({ code: 'internal', severity: 'error', message })),
  });
}

/** @throws WhittleError naming a value whose shape no tensor has: a size that is no count, more elements than can be counted. */
function refuseAbsurd(graph: Graph): void {
  for (const { id, type } of graph.values.values()) {
    const sizes = type.shape.filter((dim) => typeof dim === 'number');
    const isReal = sizes.every((size) => Number.isInteger(size) && size >= 0);
    if (isReal && elementCount(sizes) <= Number.MAX_SAFE_INTEGER) continue;
    throw new WhittleError('model.invalid', `"${id}" has the impossible shape [${type.shape.join(', ')}].`);
  }
}

/** What passes made of graphs that are still in use: both forms begin with the same passes on the same graph. */
const results = new WeakMap<Graph, Map<Pass, ReturnType<Pass['run']>>>();

/** Runs one pass and verifies what it made; a pass is a function of its graph, so it runs once for each. */
function runOnce(pass: Pass, graph: Graph): ReturnType<Pass['run']> {
  let known = results.get(graph);
  if (!known) {
    known = new Map();
    results.set(graph, known);
  }
  let result = known.get(pass);
  if (!result) {
    result = pass.run(graph);
    if (result.graph !== graph) check(result.graph, `after ${pass.id}`);
    known.set(pass, result);
  }
  return result;
}

/**
 * Runs passes in order and verifies the graph before the first and after each one.
 * @throws WhittleError `internal` naming the pass and all that is wrong; `model.invalid` for a shape that cannot be.
 */
export function runPasses(graph: Graph, passes: readonly Pass[]): Prepared {
  refuseAbsurd(graph);
  check(graph, 'as read');
  const reports: ({ id: string } & PassReport)[] = [];
  let current = graph;
  for (const pass of passes) {
    const { graph: next, report } = runOnce(pass, current);
    current = next;
    reports.push({ id: pass.id, ...report });
  }
  return { graph: current, reports };
}

/** A reader's graph in the form that ONNX is written from and calibration runs on: channels first, folded and fused. */
export function prepareForOnnx(graph: Graph): Prepared {
  return runPasses(graph, forOnnx);
}

/**
 * A reader's graph in the form that TFLite is written from: channels last, folded and fused. With `nhwc` image inputs
 * and feature-map outputs are channels last too; `keep` leaves the source's order at the borders.
 * @throws WhittleError naming all operators that the IR has no form for.
 */
export function prepareForTflite(graph: Graph, options: { layout: 'nhwc' | 'keep' }): Prepared {
  refuseOpaque(graph, 'TFLite');
  return runPasses(graph, forTflite(options.layout));
}
