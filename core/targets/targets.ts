import type { FixView, TargetView } from '../contract/views.ts';
import type { TfliteModelView } from '../formats/tflite/model-view.ts';
import { coreMl } from './core-ml.ts';
import { edgeTpu } from './edge-tpu.ts';
import { litertGpu } from './litert-gpu.ts';
import { cmsisNn, ethosU, tflm } from './micro.ts';
import { nodeFacts } from './node-facts.ts';
import { mediatek, qnn } from './phone-npu.ts';
import { mainSubgraph, type Prediction, predict, type RefusedNode } from './predict.ts';
import type { TargetRules } from './target-rules.ts';
import { xnnpack } from './xnnpack.ts';

/** What takes .tflite files, in the order in which it is shown. */
export const tfliteTargets: readonly TargetRules[] = [
  xnnpack,
  litertGpu,
  qnn,
  mediatek,
  coreMl,
  edgeTpu,
  ethosU,
  cmsisNn,
  tflm,
];

/** Names of operators listed with a reason. */
const nodesShown = 5;

/** One target's verdict on a .tflite file. */
export function describeTarget(model: TfliteModelView, rules: TargetRules): TargetView {
  const prediction = predict(model, rules);
  const [first] = prediction.refused;
  const taken = prediction.taken.size;
  const verdict =
    taken === prediction.nodes ? 'all' : rules.rest === undefined ? 'unfit' : taken === 0 ? 'none' : 'part';
  return {
    id: rules.id,
    name: rules.name,
    source: rules.source,
    verdict,
    summary: summaryOf(prediction, rules, verdict),
    nodes: prediction.nodes,
    taken,
    partitions: prediction.parts.filter((part) => part.taken).length,
    parts: namedParts(model, prediction),
    ...(first && {
      first: { index: first.index, name: first.name, op: first.op, reason: first.reason, ...fixOf(first) },
    }),
    reasons: reasonsOf(prediction.refused),
  };
}

/** All targets' verdicts on a .tflite file. */
export function describeTargets(model: TfliteModelView): TargetView[] {
  return tfliteTargets.map((rules) => describeTarget(model, rules));
}

function namedParts(model: TfliteModelView, { parts }: Prediction): TargetView['parts'] {
  const facts = nodeFacts(mainSubgraph(model));
  return parts.map((part) => ({ taken: part.taken, nodes: part.nodes.map((index) => facts[index].name) }));
}

function summaryOf(
  { nodes, taken, parts, refused }: Prediction,
  { rest }: TargetRules,
  verdict: TargetView['verdict'],
): string {
  if (verdict === 'all') return `Takes all ${nodes} operators.`;
  const [first] = refused;
  const reason = first ? ` First in the way: ${first.op} "${first.name}" (${first.reason}).` : '';
  if (verdict === 'unfit')
    return `Cannot run it: ${refused.length} of ${nodes} operators do not fit.${reason}`;
  if (verdict === 'none') return `Takes no operator; all run on ${rest}.${reason}`;
  const stretches = parts.filter((part) => part.taken).length;
  const pieces = stretches === 1 ? 'one piece' : `${stretches} pieces`;
  return `Takes ${taken.size} of ${nodes} operators in ${pieces}; the rest runs on ${rest}.${reason}`;
}

function fixOf({ fix }: RefusedNode): { fix?: FixView } {
  return fix ? { fix: { text: fix.text, ...(fix.recipe && { recipe: { ...fix.recipe } }) } } : {};
}

/** Refusals of one operator that differ only in the tensor's name are one reason. */
function reasonsOf(refused: readonly RefusedNode[]): TargetView['reasons'] {
  const grouped = new Map<string, TargetView['reasons'][number]>();
  for (const node of refused) {
    const reason = node.reason.replace(/ \([^()]*\)$/, '');
    const key = `${node.op}: ${node.reason
      .replaceAll(node.name, '')
      .replace(/ \([^()]*\)$/, '')
      .replace(/, and .* is /, ', and … is ')}`;
    const known = grouped.get(key);
    if (!known) grouped.set(key, { op: node.op, reason, count: 1, nodes: [node.name], ...fixOf(node) });
    else {
      known.count++;
      if (known.nodes.length < nodesShown) known.nodes.push(node.name);
    }
  }
  return [...grouped.values()].sort((a, b) => b.count - a.count);
}
