import type { PerOp, ProfileView } from '../../../core/contract/views.ts';

/** An operator on the roofline. */
export interface RoofPoint extends PerOp {
  /** Floating-point operations for each byte moved; two for each multiply-accumulate. */
  intensity: number;
  gflopPerS: number;
}

/** The operators whose work and bytes are known. */
export function roofPoints(operators: readonly PerOp[]): RoofPoint[] {
  return operators.flatMap((one) => {
    const { macs, bytes, ms } = one;
    if (!macs || !bytes || !(ms > 0)) return [];
    return [{ ...one, intensity: (2 * macs) / bytes, gflopPerS: one.gflopPerS ?? (2 * macs) / ms / 1e6 }];
  });
}

/** What a machine gives at most at an intensity (Williams, Waterman and Patterson 2009): the memory’s slope, then the peak. */
export function roofAt(
  { gbPerS }: Pick<NonNullable<ProfileView['roofline']>, 'gbPerS'>,
  intensity: number,
  peak: number,
): number {
  return Math.min(peak, intensity * gbPerS);
}
