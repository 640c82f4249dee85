import { describe, expect, it } from 'vitest';
import { keyLabel, matchesKey } from './keys.ts';
import { commands } from './table.ts';

const press = (
  key: string,
  held: Partial<Record<'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey', boolean>> = {},
) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...held,
});

describe('matchesKey', () => {
  it.each([
    ['mod+k', press('k', { ctrlKey: true }), true],
    ['mod+k', press('K', { metaKey: true }), true],
    ['mod+k', press('k'), false],
    ['o', press('o'), true],
    ['o', press('o', { ctrlKey: true }), false],
    ['o', press('o', { altKey: true }), false],
    ['o', press('O', { shiftKey: true }), false],
  ])('%s', (wanted, pressed, expected) => expect(matchesKey(wanted, pressed)).toBe(expected));
});

it('writes keys as the platform does', () => {
  expect(keyLabel('mod+k', true)).toBe('⌘K');
  expect(keyLabel('mod+k', false)).toBe('Ctrl K');
});

it('no two commands share an id or a key', () => {
  const keys = commands.flatMap(({ key }) => (key ? [key] : []));
  expect(new Set(keys).size).toBe(keys.length);
  expect(new Set(commands.map(({ id }) => id)).size).toBe(commands.length);
});
