import type { FindingView } from '../../contract/views.ts';
import { deadRange } from './dead-range.ts';
import { edgeOperators } from './edge-operators.ts';
import { evenLoss } from './even-loss.ts';
import { type FindingFacts, type FindingKind, type Found, goodDb, mostOfKind } from './finding.ts';
import { fixedScale } from './fixed-scale.ts';
import { float16Overflow } from './float16-overflow.ts';
import { outlierChannel } from './outlier-channel.ts';
import { saturation } from './saturation.ts';
import { swishRange } from './swish-range.ts';
import { tooFewSamples } from './too-few-samples.ts';
import { unbalancedConcat } from './unbalanced-concat.ts';
import { weakOperator } from './weak-operator.ts';
import { weightOutlier } from './weight-outlier.ts';

/** Every kind, causes before symptoms. */
export const findingKinds: readonly FindingKind[] = [
  float16Overflow,
  outlierChannel,
  unbalancedConcat,
  swishRange,
  fixedScale,
  saturation,
  weightOutlier,
  tooFewSamples,
  deadRange,
  edgeOperators,
  weakOperator,
];

/** What may be said of a file whose outputs are as good as can be told: it is of other samples and other devices. */
const ofGoodFiles: readonly FindingKind[] = [float16Overflow, tooFewSamples];

/** What says where, or how it shows, and is told only where no cause is known. */
const symptoms: readonly FindingKind[] = [fixedScale, deadRange, edgeOperators, weakOperator];

/**
 * Where the quality of a file goes and why, the most telling first. Symptoms are left out for operators whose cause is
 * known, and for those that its trial changes too.
 */
export function findFindings(facts: FindingFacts): FindingView[] {
  const { sqnrDb, top1Agreement = 1 } = facts.quality;
  const isGood = (sqnrDb === null || sqnrDb >= goodDb) && top1Agreement === 1;
  const found: (Found & { id: string })[] = [];
  const explained = new Set<string>();
  for (const kind of isGood ? ofGoodFiles : findingKinds) {
    const all = kind.find(facts).sort((a, b) => b.weight - a.weight);
    const told = symptoms.includes(kind) ? all.filter(({ node }) => !explained.has(node ?? '')) : all;
    for (const { node, explains = [], trial } of told) {
      const changed = trial?.recipe?.overrides?.flatMap(({ match }) => match ?? []) ?? [];
      for (const name of [node, ...explains, ...changed]) if (name !== undefined) explained.add(name);
    }
    found.push(...told.slice(0, mostOfKind).map((one) => ({ ...one, id: kind.id })));
  }
  if (!isGood && found.length === 0)
    found.push(...evenLoss.find(facts).map((one) => ({ ...one, id: evenLoss.id })));
  return found
    .sort((a, b) => b.weight - a.weight)
    .map(({ weight: _rank, explains: _others, ...view }) => view);
}
