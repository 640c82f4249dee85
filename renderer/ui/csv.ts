export type Cell = string | number | null | undefined;

/** A table of the data behind a chart. */
export interface DataTable {
  columns: readonly string[];
  rows: readonly (readonly Cell[])[];
}

function escapeCell(cell: Cell): string {
  if (cell === null || cell === undefined || (typeof cell === 'number' && !Number.isFinite(cell))) return '';
  const text = String(cell);
  return /[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

/** RFC 4180, in full precision; a missing figure is an empty cell. */
export function toCsv({ columns, rows }: DataTable): string {
  return [columns, ...rows].map((row) => row.map(escapeCell).join(',')).join('\r\n');
}
