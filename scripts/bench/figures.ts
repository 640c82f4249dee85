/** A number in a table; what was not measured is "–", and no error at all is "exact". */
export function figure(value: number | undefined, digits = 1): string {
  if (value === undefined || Number.isNaN(value)) return '–';
  return value === Number.POSITIVE_INFINITY ? 'exact' : value.toFixed(digits);
}

/** @param share 0…1 */
export function percent(share: number | undefined): string {
  return figure(share === undefined ? undefined : share * 100, 2);
}
