import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fuzzCases, openDamaged, sources } from './cases.ts';

const folder = mkdtempSync(join(tmpdir(), 'whittle-fuzz-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const seed = 20_000;
const count = 600;
const slowestMs = 10_000;
const mostBytes = 1 << 30;

describe('a damaged file ends in an error that people can read', () => {
  const cases = fuzzCases(count, seed);
  it.each(sources.map(({ name }) => name))(
    '%s',
    async (name) => {
      const found: string[] = [];
      for (const testCase of cases.filter(({ source }) => source === name)) {
        const start = performance.now();
        const words = await openDamaged(testCase, join(folder, name));
        const ms = performance.now() - start;
        if (words) found.push(`seed ${testCase.seed}: ${words}`);
        if (ms > slowestMs) found.push(`seed ${testCase.seed}: took ${Math.round(ms)} ms`);
      }
      expect(found).toEqual([]);
      expect(process.memoryUsage().rss).toBeLessThan(mostBytes);
    },
    120_000,
  );
});
