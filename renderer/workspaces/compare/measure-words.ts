import type { Measure } from '../../state/compare-rows.ts';
import { formatDecibels, formatPercent } from '../../ui/format.ts';

export const measureTitle: Record<Measure, string> = {
  accuracy: 'Accuracy (%)',
  quality: 'Quality (SQNR, dB)',
  agreement: 'Agreement with the source (%)',
};

export function writeMeasure(measure: Measure, value: number): string {
  return measure === 'quality' ? formatDecibels(Number.isFinite(value) ? value : null) : formatPercent(value);
}
