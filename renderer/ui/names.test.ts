import { expect, it } from 'vitest';
import { commonPrefix } from './names.ts';

it.each([
  [['net/a/x', 'net/b/y'], 'net/'],
  [['net/a/x', 'net/a/y'], 'net/a/'],
  [['net/a/x', 'other'], ''],
  [['net/a'], ''],
  [[], ''],
])('%j', (names, prefix) => expect(commonPrefix(names)).toBe(prefix));
