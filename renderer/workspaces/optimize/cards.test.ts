import { describe, expect, it } from 'vitest';
import { cardsOf, runningPrecision } from './cards.ts';

describe('cards', () => {
  it('come cheapest first, whatever order the core gives', () => {
    const estimate = (precision: 'int8' | 'float32' | 'float16') => ({
      precision,
      sizeBytes: 1,
      needsSamples: false,
    });
    const cards = cardsOf([estimate('int8'), estimate('float16'), estimate('float32')]);
    expect(cards.map(({ precision }) => precision)).toEqual(['float32', 'float16', 'int8']);
  });

  it('leave out the search while it cannot run', () => {
    const auto = { precision: 'auto' as const, sizeBytes: 1, needsSamples: true };
    expect(cardsOf([{ ...auto, blocked: 'not here' }])).toEqual([]);
    expect(cardsOf([auto])).toHaveLength(1);
  });

  it('have no invented sizes before the core answered', () => {
    expect(cardsOf([]).every(({ sizeBytes }) => sizeBytes === undefined)).toBe(true);
  });
});

it.each([
  ['int8: calibrating 64/100', 'int8'],
  ['dynamic-int8 .tflite: writing', 'dynamic-int8'],
  ['reading the model', undefined],
  ['int8x: no', undefined],
])('%s', (stage, precision) => expect(runningPrecision(stage)).toBe(precision));
