import type { ComparisonView } from '../../../core/contract/views.ts';

/** Two files against each other as a person picked them. */
export interface Ratio {
  /** Time of the first ÷ time of the second, with its 99 % interval. */
  ratio: number;
  low: number;
  high: number;
  /** False where the measurement shows no difference. */
  clear: boolean;
  rounds: number;
}

/** A comparison of A with B, or turned around where B was picked first. */
export function ratioOf({ ratio, low, high, verdict, rounds }: ComparisonView, turned: boolean): Ratio {
  const clear = verdict !== 'unclear';
  return turned
    ? { ratio: 1 / ratio, low: 1 / high, high: 1 / low, clear, rounds }
    : { ratio, low, high, clear, rounds };
}

/** The ratio in words: "int8 is 1.61× faster than float32, 99 % between 1.55 and 1.68." */
export function describeRatio(
  firstName: string,
  secondName: string,
  { ratio, low, high, clear }: Ratio,
): string {
  const write = (value: number): string => (value < 9.995 ? value.toFixed(2) : value.toPrecision(3));
  if (!clear)
    return `No clear difference between ${firstName} and ${secondName}: the ratio is ${write(ratio)}, 99 % between ${write(low)} and ${write(high)}.`;
  if (ratio > 1)
    return `${secondName} is ${write(ratio)}× faster than ${firstName}, 99 % between ${write(low)} and ${write(high)}.`;
  return `${firstName} is ${write(1 / ratio)}× faster than ${secondName}, 99 % between ${write(1 / high)} and ${write(1 / low)}.`;
}
