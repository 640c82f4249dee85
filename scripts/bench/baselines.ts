import { readFileSync } from 'node:fs';

export interface Baseline {
  model: string;
  tool: string;
  mode: string;
  seconds: number;
  peakRssMb: number;
  sizeBytes: number;
  sqnrDb: number;
  accuracy: number;
}

/** Reads the peers' figures: a CSV with the header that its first line names. */
export function readBaselines(path: string): Baseline[] {
  const [header, ...lines] = readFileSync(path, 'utf8').trim().split('\n');
  const column = Object.fromEntries(header.split(',').map((name, i) => [name, i]));
  const number = (text: string | undefined) => (text ? Number(text) : Number.NaN);
  return lines.map((line) => {
    const cells = line.split(',');
    return {
      model: cells[column.model],
      tool: cells[column.tool],
      mode: cells[column.mode],
      seconds: number(cells[column.seconds]),
      peakRssMb: number(cells[column.peak_rss_mb]),
      sizeBytes: number(cells[column.size_bytes]),
      sqnrDb: number(cells[column.sqnr_db]),
      accuracy: number(cells[column.accuracy]),
    };
  });
}
