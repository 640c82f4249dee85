import { describe, expect, it } from 'vitest';
import { type ActivationView, Recipe } from '../../contract/views.ts';
import type { FindingFacts, OperatorFacts } from './finding.ts';
import { findFindings } from './findings.ts';

const bins = { start: 0, width: 1, counts: [1] };
const int8 = (low: number, high: number, clippedShare = 0) => ({
  dtype: 'int8',
  low,
  high,
  step: (high - low) / 255,
  clippedShare,
});

function activation(min: number, max: number, more: Partial<ActivationView> = {}): ActivationView {
  return { min, max, bulk: [min, max], quantized: int8(min, max), source: bins, file: bins, ...more };
}

function operator(
  name: string,
  inputs: string[],
  sqnrDb: number,
  more: Partial<OperatorFacts> = {},
): OperatorFacts {
  return {
    name,
    op: 'Conv',
    mode: 'integer',
    inputs,
    fixedScale: false,
    weighted: true,
    sqnrDb,
    activation: activation(-1, 1),
    ...more,
  };
}

function facts(operators: OperatorFacts[], more: Partial<FindingFacts> = {}): FindingFacts {
  return {
    precision: 'int8',
    recipe: Recipe.parse({}),
    samples: 500,
    quality: { samples: 100, sqnrDb: 30, cosine: 1, maxAbsError: 1 },
    operators,
    ...more,
  };
}

const kinds = (of: FindingFacts) => findFindings(of).map(({ id, node }) => (node ? `${id} ${node}` : id));
const a = operator('a', ['x'], 44);
const channels = (largest: number) => ({ count: 32, largest, largestAt: 17, median: 1 });
const head = { op: 'Softmax', weighted: false, fixedScale: true, activation: activation(0, 1) };

describe('findings', () => {
  it.each<[string, FindingFacts, string[]]>([
    ['a loss without a cause', facts([a, operator('b', ['a'], 43)]), ['even-loss']],
    [
      'one channel far beyond the others',
      facts([operator('a', ['x'], 40, { activation: activation(-40, 40, { channels: channels(40) }) })]),
      ['outlier-channel a'],
    ],
    [
      'channels that differ a little',
      facts([operator('a', ['x'], 42, { activation: activation(-8, 8, { channels: channels(8) }) })]),
      ['even-loss'],
    ],
    [
      'joined ranges that differ',
      facts([
        a,
        operator('b', ['x'], 44, { activation: activation(0, 50) }),
        operator('ab', ['a', 'b'], 41, { op: 'Concat', weighted: false }),
      ]),
      ['unbalanced-concat ab'],
    ],
    [
      'what follows from a cause only once',
      facts([
        operator('a', ['x'], 40, {
          activation: activation(-40, 40, { channels: channels(40), bulk: [-1, 1] }),
        }),
        operator('b', ['a'], 20),
      ]),
      ['outlier-channel a'],
    ],
    [
      'an early error only where it weighs at the end',
      facts([operator('a', ['x'], 38), operator('b', ['a'], 30), operator('c', ['b'], 25)]),
      ['weak-operator b', 'edge-operator c'],
    ],
    [
      'a swish with a wide range, written as a product',
      facts([
        a,
        operator('s', ['a'], 44, { op: 'Sigmoid', weighted: false }),
        operator('y', ['a', 's'], 42, { op: 'Mul', weighted: false, activation: activation(-0.27, 30) }),
      ]),
      ['swish-range y'],
    ],
    [
      'a hard-swish with steps enough',
      facts([a, operator('y', ['a'], 42, { op: 'HardSwish', activation: activation(-0.375, 4) })]),
      ['even-loss'],
    ],
    ['a softmax whose step is too coarse', facts([a, operator('p', ['a'], 30, head)]), ['fixed-scale p']],
    [
      'a calibration that cuts too much',
      facts(
        [
          a,
          operator('b', ['a'], 38, { activation: activation(-9, 9, { quantized: int8(-2, 2, 0.02) }) }),
          operator('c', ['b'], 37),
        ],
        { recipe: Recipe.parse({ calibration: 'entropy' }) },
      ),
      ['saturation b'],
    ],
    [
      'a range that few elements fill',
      facts([
        a,
        operator('b', ['a'], 38, { activation: activation(-90, 90, { bulk: [-2, 2] }) }),
        operator('c', ['b'], 37),
      ]),
      ['dead-range b'],
    ],
    [
      'a weight that stands out of its channel',
      facts([a, operator('b', ['a'], 40, { weights: { bits: 8, peakToRms: 40, channel: 3 } })]),
      ['weight-outlier b'],
    ],
    ['few samples', facts([a], { recipe: Recipe.parse({ samples: 8 }) }), ['too-few-samples']],
    [
      'ranges that other samples leave',
      facts([operator('a', ['x'], 44, { activation: activation(-1, 1, { quantized: int8(-1, 1, 0.01) }) })]),
      ['too-few-samples'],
    ],
    [
      'the first and the last operator with weights',
      facts([operator('a', ['x'], 30), operator('b', ['a'], 30), operator('c', ['b'], 25)]),
      ['edge-operator a', 'edge-operator c'],
    ],
    [
      'an operator in the middle',
      facts([a, operator('b', ['a'], 30), operator('c', ['b'], 29)]),
      ['weak-operator b'],
    ],
    [
      'the operators before one that was not measured',
      facts([
        a,
        operator('b', ['a'], 30),
        operator('gap', ['b'], 0, { sqnrDb: undefined, weighted: false }),
        operator('c', ['gap'], 29),
      ]),
      ['weak-operator b'],
    ],
    [
      'more than float16 holds',
      facts(
        [
          operator('a', ['x'], 60, {
            mode: 'float',
            activation: activation(-7e4, 3, { quantized: undefined }),
          }),
        ],
        {
          precision: 'float16',
        },
      ),
      ['float16-overflow a'],
    ],
  ])('%s', (_name, of, expected) => expect(kinds(of)).toEqual(expected));

  it('says nothing of a file whose outputs are right', () => {
    const quality = { samples: 100, sqnrDb: 60, cosine: 1, maxAbsError: 0, top1Agreement: 1 };
    const bad = [operator('a', ['x'], 20)];
    expect(kinds(facts(bad, { quality }))).toEqual([]);
    expect(kinds(facts(bad, { quality: { ...quality, top1Agreement: 0.9 } }))).not.toEqual([]);
  });

  it('keeps an operator and what reads it in float, and tells the figures', () => {
    const wide = activation(-40, 40, { channels: channels(40) });
    const [found] = findFindings(
      facts([operator('a', ['x'], 40, { activation: wide }), operator('b', ['a'], 39)]),
    );
    expect(found.text).toBe(
      'Channel 17 of 32 reaches 40; half of them stay below 1. With one scale for all, those have about 3 steps.',
    );
    expect(found.trial?.recipe).toEqual({
      overrides: [
        { match: 'a', precision: 'float32' },
        { match: 'b', precision: 'float32' },
      ],
    });
  });

  it('asks for more samples only where there are more', () => {
    const few = { recipe: Recipe.parse({ samples: 8 }) };
    expect(findFindings(facts([a], few))[0].trial?.recipe).toEqual({ samples: 200 });
    expect(findFindings(facts([a], { ...few, samples: 8 }))[0].trial).toBeUndefined();
  });
});
