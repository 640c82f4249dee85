/** Worker of `npm run fuzz`. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveCases } from '../conformance/isolate.ts';
import { type FuzzCase, openDamaged } from './cases.ts';

const folder = mkdtempSync(join(tmpdir(), 'whittle-fuzz-'));

export interface FuzzResult {
  readonly words: string | undefined;
  readonly peakBytes: number;
}

serveCases<FuzzCase, FuzzResult>(async (testCase) => {
  const words = await openDamaged(testCase, join(folder, 'file'));
  return { words, peakBytes: process.resourceUsage().maxRSS * 1024 };
});
