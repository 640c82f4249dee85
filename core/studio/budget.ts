import type { QualityView, Recipe, WarningView } from '../contract/views.ts';

const prefix = 'budget.';
/** 1 − 0.99 is a little more than 1 %. */
const rounding = 1e-9;

/** What of a recipe's budget a result does not meet. Without labels the drop is the share of changed answers. */
export function budgetWarnings(
  result: { sizeBytes: number; quality?: QualityView },
  { maxDropPercent, maxSizeBytes }: Recipe,
): WarningView[] {
  const warnings: WarningView[] = [];
  if (maxSizeBytes !== undefined && result.sizeBytes > maxSizeBytes) {
    warnings.push({
      code: `${prefix}size`,
      message: `The file has ${result.sizeBytes} bytes; at most ${maxSizeBytes} were allowed.`,
    });
  }
  const drop = dropPercent(result.quality);
  if (maxDropPercent !== undefined && drop !== undefined && drop > maxDropPercent + rounding) {
    warnings.push({
      code: `${prefix}drop`,
      message: `${drop.toFixed(2)} % of accuracy is lost; at most ${maxDropPercent} % was allowed.`,
    });
  }
  return warnings;
}

/** Accuracy lost in percent; without labels the share of answers that changed. */
export function dropPercent(quality: QualityView | undefined): number | undefined {
  if (quality?.accuracy !== undefined && quality.referenceAccuracy !== undefined) {
    return (quality.referenceAccuracy - quality.accuracy) * 100;
  }
  return quality?.top1Agreement === undefined ? undefined : (1 - quality.top1Agreement) * 100;
}

/** Whether a warning says that a budget was not met. */
export function isBudgetWarning(warning: WarningView): boolean {
  return warning.code.startsWith(prefix);
}
