/** A table of words, columns as wide as their widest cell. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
}

/** Null where there is no difference at all, undefined where nothing was measured. */
export function decibels(value: number | null | undefined): string {
  if (value === null) return 'equal';
  return value !== undefined && Number.isFinite(value) ? value.toFixed(1) : '–';
}

/** The first part of a long text, in one line. */
export function brief(text: string, length = 160): string {
  return text.replaceAll('\n', ' ').slice(0, length);
}
