import { expect, it } from 'vitest';
import { shortenedNames } from './names.ts';

it.each([
  [
    ['net/a/x', 'net/b/y'],
    ['…/x', '…/y'],
  ],
  [
    ['net/a/x', 'net/b/x', 'net/b/y'],
    ['…/a/x', '…/b/x', '…/y'],
  ],
  [
    ['x', 'a/x'],
    ['x', 'a/x'],
  ],
  [
    ['net/a', 'net/a'],
    ['…/a', '…/a'],
  ],
  [[], []],
])('%j', (names, short) => expect(names.map(shortenedNames(names))).toEqual(short));
