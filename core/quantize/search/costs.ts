import type { OperatorPrecision } from '../decide-mixed.ts';
import { paramsBytes } from '../stored-weights.ts';
import type { OperatorGroup } from './operator-groups.ts';

/** Bytes that a group's weights take in a file. */
export function weightBytes(group: OperatorGroup, precision: OperatorPrecision): number {
  const small = group.weights - group.largeWeights;
  switch (precision) {
    case 'float32':
      return group.weights * 4;
    case 'float16':
      return group.weights * 2;
    case 'weights-int4':
      return small * 2 + group.largeWeights / 2 + group.channels * paramsBytes;
    case 'weights-int8':
    case 'dynamic-int8':
      return small * 2 + group.largeWeights + group.channels * paramsBytes;
    case 'int8':
    case 'int16x8':
      return group.weights + group.channels * paramsBytes;
  }
}

/**
 * Time of a multiplication against that in float32, from LiteRT with XNNPACK on x86-64 and ARM: rough, but the order
 * holds. Weights that are widened in each run cost their reading besides.
 */
const timeOfMac: Readonly<Record<OperatorPrecision, number>> = {
  float32: 1,
  float16: 1,
  'weights-int8': 1,
  'weights-int4': 1,
  'dynamic-int8': 0.7,
  int8: 0.4,
  int16x8: 2,
};
const timeOfWidening = 1.5;

/** Time of a group's operators in units of one float32 multiplication. */
export function timeUnits(group: OperatorGroup, precision: OperatorPrecision): number {
  const widened = precision === 'weights-int8' || precision === 'weights-int4' ? group.largeWeights : 0;
  return group.macs * timeOfMac[precision] + widened * timeOfWidening;
}

/** The weight of what is not the objective: enough to settle what is equal otherwise. */
const tieShare = 0.03;

/** One number to make least, per group and precision, from the size or the time of the whole as units. */
export function costOf(
  groups: readonly OperatorGroup[],
  objective: 'smallest' | 'fastest',
): (group: OperatorGroup, precision: OperatorPrecision) => number {
  const total = (unit: typeof weightBytes) =>
    Math.max(
      1,
      groups.reduce((sum, group) => sum + unit(group, 'float32'), 0),
    );
  const bytes = total(weightBytes);
  const time = total(timeUnits);
  const [sizeShare, timeShare] = objective === 'smallest' ? [1, tieShare] : [tieShare, 1];
  return (group, precision) =>
    (sizeShare * weightBytes(group, precision)) / bytes + (timeShare * timeUnits(group, precision)) / time;
}
