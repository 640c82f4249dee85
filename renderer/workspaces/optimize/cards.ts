import { type EstimateView, type Precision, precisions } from '../../../core/contract/views.ts';

/** An estimate, or the place of one that has not come yet. */
export type CardEstimate = Omit<EstimateView, 'sizeBytes'> & { sizeBytes?: number };

/** What each precision asks for before the core has said so. */
const offered: readonly { precision: Precision; needsSamples: boolean }[] = [
  { precision: 'float32', needsSamples: false },
  { precision: 'float16', needsSamples: false },
  { precision: 'dynamic-int8', needsSamples: false },
  { precision: 'int8', needsSamples: true },
  { precision: 'int16x8', needsSamples: true },
];

/** The cheapest to try first: those that need no samples, then those that do, the smaller change first. */
const order: Record<Precision, number> = {
  float32: 0,
  float16: 1,
  'weights-int8': 2,
  'dynamic-int8': 3,
  'weights-int4': 4,
  int8: 5,
  int16x8: 6,
  auto: 7,
};

/** The cards to show: what the core estimated, or the usual ones while it has not. */
export function cardsOf(estimates: readonly EstimateView[]): CardEstimate[] {
  const cards: readonly CardEstimate[] = estimates.length > 0 ? estimates : offered;
  // The search is an offer only where it can run; what stands in the way of it is nothing a person can remove.
  return cards
    .filter(({ precision, blocked }) => precision !== 'auto' || blocked === undefined)
    .sort((a, b) => order[a.precision] - order[b.precision]);
}

/** The precision that a stage line like "int8 .tflite: verifying" speaks of. */
export function runningPrecision(stage: string): Precision | undefined {
  const head = stage.split(/[:\s]/)[0];
  return precisions.find((one) => one === head);
}
