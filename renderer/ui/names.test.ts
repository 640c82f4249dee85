import { expect, it } from 'vitest';
import { shortenedNames } from './names.ts';

const net = 'network/backbone/stage_4';

it.each([
  [
    [`${net}/a/x`, `${net}/b/y`],
    ['…/x', '…/y'],
  ],
  [
    [`${net}/a/x`, `${net}/b/x`, `${net}/b/y`],
    ['…/a/x', '…/b/x', '…/y'],
  ],
  [
    ['x', 'a/x', `${net}/x`],
    ['x', 'a/x', '…/stage_4/x'],
  ],
  [
    [`${net}/a`, `${net}/a`],
    ['…/a', '…/a'],
  ],
  [[], []],
])('%j', (names, short) => expect(names.map(shortenedNames(names))).toEqual(short));
