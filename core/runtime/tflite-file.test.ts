import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WhittleError } from '../contract/errors.ts';
import { tflitePorts, verifyTflite } from './tflite-file.ts';

const read = (name: string) => new Uint8Array(readFileSync(new URL(`./fixtures/${name}`, import.meta.url)));
const names = ['dense.tflite', 'dense-batch.tflite', 'dense-int8.tflite', 'no-signature.tflite'];

describe('verifyTflite', () => {
  it.each(names)('passes %s', (name) => {
    expect(() => verifyTflite(read(name), name)).not.toThrow();
  });

  it('refuses every file that is cut off before the end of its data', () => {
    const whole = read('dense.tflite');
    // Of the last bytes some are padding.
    for (let size = 0; size <= whole.byteLength - 16; size += 4)
      expect(() => verifyTflite(whole.subarray(0, size), 'cut'), `${size} bytes`).toThrow(WhittleError);
  });

  it('never throws anything but its own error on damaged bytes', () => {
    const whole = read('dense-int8.tflite');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.byteLength - 1), fc.nat(255)), { minLength: 1, maxLength: 20 }),
        (damage) => {
          const bytes = whole.slice();
          for (const [at, value] of damage) bytes[at] = value;
          try {
            verifyTflite(bytes, 'damaged');
          } catch (error) {
            expect(error).toBeInstanceOf(WhittleError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('tflitePorts', () => {
  it('names ports by signature, or by tensor where there is none', () => {
    expect([...tflitePorts(read('dense.tflite'), 0).keys()]).toEqual(['x', 'y']);
    expect([...tflitePorts(read('no-signature.tflite'), 0).keys()]).toEqual(['in', 'out']);
  });

  it('reads quantization and the shape that is allocated', () => {
    const ports = tflitePorts(read('dense-int8.tflite'), 0);
    expect(ports.get('y')?.quant?.zeroPoints).toEqual([3]);
    expect(ports.get('y')?.quant?.scales[0]).toBeCloseTo(4 / 255, 8);
    expect(tflitePorts(read('dense-batch.tflite'), 0).get('x')).toEqual({ shape: [1, 4] });
  });
});
