import type { Calibration, Override, RecipeChange } from '../../core/contract/views.ts';
import { formatName, precisionLook } from '../theme/precision.ts';

export const calibrationNames: Record<Calibration, string> = {
  minmax: 'min-max',
  'moving-average': 'moving average',
  percentile: 'percentile',
  entropy: 'entropy (KL)',
  mse: 'least error (MSE)',
  auto: 'automatic',
};

const longestName = 24;

/** What a change of a recipe tries, in a few words: what the name of its result does not say already comes first. */
export function changeWords(change: RecipeChange): string {
  const words: string[] = [];
  if (change.pureInteger !== undefined) words.push(change.pureInteger ? 'pure integer' : 'float tail');
  if (change.calibration) words.push(`${calibrationNames[change.calibration]} ranges`);
  if (change.samples !== undefined) words.push(`${change.samples} samples`);
  if (change.layout) words.push(change.layout === 'keep' ? 'source layout' : 'NHWC');
  const { overrides = [] } = change;
  if (change.onnxForm) words.push(`ONNX as ${change.onnxForm}`);
  if (overrides.length > 0) words.push(overrideWords(overrides[0], overrides.length - 1));
  if (words.length > 0) return words.join(', ');
  if (change.precision) words.push(precisionLook[change.precision].name);
  // Float inputs and outputs go without saying where another precision is named.
  if (change.io && !(change.precision && change.io === 'float32')) words.push(`${change.io} I/O`);
  if (change.format) words.push(formatName[change.format]);
  return words.join(', ');
}

/** What a change does to the first of the operators that it names, and to how many others. */
function overrideWords({ match, op, precision, calibration }: Override, others: number): string {
  const first = match === undefined ? `every ${op}` : lastLetters(match);
  const name = others > 0 ? `${first} and ${others} more` : first;
  return precision ? `${name} in ${precisionLook[precision].name}` : `${name} by ${calibration}`;
}

/** The end of a name tells operators apart; name-spaces stand in front. */
function lastLetters(name: string): string {
  return name.length <= longestName ? name : `…${name.slice(1 - longestName)}`;
}
