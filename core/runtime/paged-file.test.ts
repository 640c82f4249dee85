import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { mulberry32 } from '../kernels/random.ts';
import { lookInto } from './model-bytes.ts';
import { PagedFile } from './paged-file.ts';
import { verifyTflite } from './tflite-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'whittle-paged-'));
afterAll(() => rmSync(folder, { recursive: true }));

const readers = ['getUint16', 'getInt32', 'getUint32', 'getBigInt64', 'getBigUint64', 'getFloat32'] as const;

describe('PagedFile', () => {
  const next = mulberry32(1);
  const bytes = Uint8Array.from({ length: 3 * 4096 + 100 }, () => next() * 256);
  const path = join(folder, 'numbers');
  writeFileSync(path, bytes);
  const whole = new DataView(bytes.buffer);

  it.each(readers)('%s gives what a DataView gives, across pages and at both ends', (read) => {
    const file = new PagedFile(path);
    expect(file.byteLength).toBe(bytes.byteLength);
    for (const near of [8, 4096, 8192, 12_288, bytes.byteLength]) {
      for (let at = near - 8; at < near + 8; at++) {
        const wanted = at + 8 <= bytes.byteLength ? whole[read](at, true) : undefined;
        if (wanted !== undefined) expect(file[read](at, true)).toBe(wanted);
      }
    }
    for (const at of [-1, bytes.byteLength - 1, bytes.byteLength, 2 ** 40])
      expect(() => file[read](at, true), `${at}`).toThrow(RangeError);
    file.close();
  });
});

describe('lookInto', () => {
  it('tells a file that is no model from one that is not there', async () => {
    const path = join(folder, 'text.tflite');
    writeFileSync(path, 'a text of some length');
    const verify = (file: string) => lookInto(file, 'LiteRT', (model) => verifyTflite(model, file));
    await expect(verify(path)).rejects.toMatchObject({ code: 'format.damaged' });
    await expect(verify(join(folder, 'none.tflite'))).rejects.toMatchObject({ code: 'file.not-found' });
  });
});
