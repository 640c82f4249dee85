import type { CompareRow } from '../../state/compare-rows.ts';
import { formatName, precisionLook } from '../../theme/precision.ts';

/** Names for charts: the precision, and the I/O type and format only where rows differ in them. */
export function shortNames(rows: readonly CompareRow[]): Map<string, string> {
  const results = rows.flatMap(({ artifact }) => artifact ?? []);
  const formats = new Set(results.map(({ format }) => format));
  const ios = new Set(results.map(({ io }) => io));
  return new Map(
    rows.map(({ id, artifact }) => {
      if (!artifact) return [id, 'source'];
      const parts = [precisionLook[artifact.precision].name];
      if (artifact.label !== undefined) parts.push(artifact.label);
      if (ios.size > 1 && artifact.io !== 'float32') parts.push(artifact.io);
      if (formats.size > 1) parts.push(formatName[artifact.format]);
      return [id, parts.join(' ')];
    }),
  );
}
