import { describe, expect, it } from 'vitest';
import { checkGates, type GateFacts } from './gates.ts';
import type { WatchedOutput } from './output-watch.ts';

const output: WatchedOutput = {
  name: 'y',
  values: 1000,
  sqnrDb: 30,
  notFinite: 0,
  spread: 0.9,
  referenceSpread: 0.93,
  worstSum: 1.004,
  perSample: 10,
};
const quality = { samples: 100, sqnrDb: 30, cosine: 0.99, maxAbsError: 0.1, top1Agreement: 0.98 };

function gatesOf(changes: {
  facts?: Partial<GateFacts>;
  output?: Partial<WatchedOutput>;
  quality?: Partial<typeof quality>;
}): string[] {
  const facts: GateFacts = {
    precision: 'int8',
    opened: { description: 'LiteRT', loadMs: 3.2 },
    sizeBytes: 1000,
    expectedSize: { minBytes: 900, maxBytes: 1100 },
    evaluation: {
      quality: { ...quality, ...changes.quality },
      outputs: [{ ...output, ...changes.output }],
    },
    ...changes.facts,
  };
  return checkGates(facts)
    .filter((gate) => !gate.ok)
    .map((gate) => `${gate.id}: ${gate.detail}`);
}

describe('checkGates', () => {
  it('passes a sound file', () => {
    expect(gatesOf({})).toEqual([]);
  });

  it.each([
    {
      name: 'a file that does not open',
      changes: {
        facts: { opened: { failure: 'LiteRT could not open a.tflite: bad' }, evaluation: undefined },
      },
      failed: ['opens: LiteRT could not open a.tflite: bad'],
    },
    {
      name: 'NaN',
      changes: { output: { notFinite: 12, firstNotFinite: 3 } },
      failed: ['finite: 12 of 1000 values of y are NaN or infinite, first in sample 3'],
    },
    {
      name: 'a constant output',
      changes: { output: { spread: 0 } },
      failed: ["varies: y is the same for all 100 samples, while the source's varies by 0.93"],
    },
    {
      name: 'a softmax that does not sum to one',
      changes: { output: { worstSum: 0.2 } },
      failed: ['softmax: y sums to 0.2 at worst (1 ± 0.01953)'],
    },
    {
      name: 'a size far from the expected',
      changes: { facts: { sizeBytes: 4000 } },
      failed: ['size: 4000 bytes, outside of the expected 900 to 1100'],
    },
    {
      name: 'poor quality',
      changes: { quality: { sqnrDb: 3, top1Agreement: 0.4 } },
      failed: ['quality: SQNR 3.0 dB over 100 samples, same class in 40.0 % (floor for int8: 10 dB or 95 %)'],
    },
    {
      name: 'formats that disagree',
      changes: {
        facts: {
          agreement: { otherFormat: 'ONNX', samples: 16, withinOneStep: 0.997, sqnrDb: 15, otherSqnrDb: 32 },
        },
      },
      failed: [
        'formats-agree: against the ONNX of the same plan: 15.0 dB (at least 24.0 dB), 99.70 % of outputs within one step',
      ],
    },
  ])('fails $name, with the reason', ({ changes, failed }) => {
    expect(gatesOf(changes)).toEqual(failed);
  });

  it.each([
    { name: 'low SQNR with the same classes', changes: { quality: { sqnrDb: 8, top1Agreement: 0.97 } } },
    {
      name: 'float files of a source that rounds',
      changes: {
        facts: { precision: 'float32' as const, sourceRounds: true },
        quality: { sqnrDb: 14, top1Agreement: 0.5 },
      },
    },
    { name: 'a source that is constant itself', changes: { output: { spread: 0, referenceSpread: 0 } } },
    { name: 'int8 softmax rounding', changes: { output: { worstSum: 0.985 } } },
    { name: 'no error at all', changes: { quality: { sqnrDb: null } as unknown as Partial<typeof quality> } },
    {
      name: 'formats that differ by rounding',
      changes: {
        facts: {
          agreement: {
            otherFormat: 'ONNX',
            samples: 16,
            withinOneStep: 0.997,
            sqnrDb: 27,
            otherSqnrDb: 30.5,
          },
        },
      },
    },
  ])('allows $name', ({ changes }) => {
    expect(gatesOf(changes)).toEqual([]);
  });
});
