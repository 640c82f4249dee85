import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { supportFile, supportPage } from './support.ts';

it('docs/support.md is what the registry says (npm run docs:support)', () => {
  expect(readFileSync(supportFile, 'utf8')).toBe(supportPage());
});
