/** Checkpoint indexes: the table, its compression, and entries that lead astray. */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WhittleError } from '../../contract/errors.ts';
import { mulberry32 } from '../../kernels/random.ts';
import { readModel } from '../open-model.ts';
import { crc32c } from './crc32c.ts';
import { unsnappy } from './snappy.ts';
import { readTable } from './table.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);
const text = (value: string) => [...value].map((character) => character.charCodeAt(0));
const fixture = fileURLToPath(new URL('../graphdef/fixtures/operators', import.meta.url));

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whittle-bundle-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('Snappy blocks', () => {
  // By hand from format_description.txt: length, then literals (kind 0) and copies (1: 11-bit, 2: 16-bit offset).
  it.each([
    ['a literal', [3, 2 << 2, ...text('abc')], 'abc'],
    ['a copy that overlaps itself', [8, 1 << 2, ...text('ab'), ((6 - 4) << 2) | 1, 2], 'abababab'],
    ['a copy with a long offset', [5, 2 << 2, ...text('abc'), (1 << 2) | 2, 3, 0], 'abcab'],
    [
      'a literal with its length in a byte of its own',
      [70, 60 << 2, 69, ...text('x'.repeat(70))],
      'x'.repeat(70),
    ],
  ])('%s', (_, block, expected) => {
    expect(String.fromCharCode(...unsnappy(bytes(...block)))).toBe(expected);
  });

  it.each([
    ['cut off', [5, 4 << 2, ...text('ab')]],
    ['longer than it says', [1, 2 << 2, ...text('abc')]],
    ['shorter than it says', [9, 2 << 2, ...text('abc')]],
    ['copying from before its beginning', [8, 1 << 2, ...text('ab'), ((6 - 4) << 2) | 1, 9]],
    ['of an absurd length', [0xff, 0xff, 0xff, 0xff, 0x0f, 0]],
  ])('%s are refused', (_, block) => {
    expect(() => unsnappy(bytes(...block))).toThrow(/compressed block/);
  });
});

describe('CRC-32C', () => {
  // RFC 3720, appendix B.4, and the check value of the catalogue of parametrised CRC algorithms.
  it.each([
    ['32 zeros', new Uint8Array(32), 0x8a9136aa],
    ['32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['32 rising bytes', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['123456789', bytes(...text('123456789')), 0xe3069283],
  ])('of %s', (_, data, expected) => {
    expect(crc32c(data)).toBe(expected);
  });
});

describe('the table', () => {
  it('of a checkpoint lists what was saved', async () => {
    const table = readTable(new Uint8Array(await readFile(join(fixture, 'variables/variables.index'))));
    expect([...table.keys()]).toEqual([
      '',
      '_CHECKPOINTABLE_OBJECT_GRAPH',
      't/.ATTRIBUTES/VARIABLE_VALUE',
      'w/.ATTRIBUTES/VARIABLE_VALUE',
    ]);
  });

  it('with compressed blocks is the same', async () => {
    const plain = new Uint8Array(await readFile(join(fixture, 'variables/variables.index')));
    expect([...readTable(compressed(plain)).keys()]).toEqual([...readTable(plain).keys()]);
  });

  it.each([
    ['nothing', new Uint8Array(10), /too short/],
    ['anything', new Uint8Array(100), /does not end/],
    ['blocks outside', footer([0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 8]), /lies outside/],
    ['a number without end', footer(new Array(40).fill(0xff)), /cut off/],
  ])('of %s is refused', (_, file, message) => {
    expect(() => readTable(file)).toThrow(message);
  });
});

function footer(handles: number[]): Uint8Array {
  const magic = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];
  return bytes(...new Array(20).fill(0), ...handles, ...new Array(40 - handles.length).fill(0), ...magic);
}

const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];

/** The same single-block table with its block written as Snappy literals. */
function compressed(plain: Uint8Array): Uint8Array {
  const handle = (at: number): [number, number] => {
    let [value, shift] = [0, 0];
    for (; ; at++, shift += 7) {
      value += (plain[at] & 127) * 2 ** shift;
      if (plain[at] < 128) return [value, at + 1];
    }
  };
  let at = plain.length - 48;
  for (let i = 0; i < 2; i++) at = handle(at)[1];
  const [indexAt, next] = handle(at);
  const [indexSize] = handle(next);
  // The index block's only entry: key lengths, key, and the handle of the data block.
  const [shared, a] = handle(indexAt);
  const [added, b] = handle(a);
  const [, c] = handle(b);
  expect(shared).toBe(0);
  const [, sizeAt] = handle(c + added);
  const [size] = handle(sizeAt);
  const block = [...plain.subarray(0, size)];
  const literal = [
    ...varint(block.length),
    61 << 2,
    (block.length - 1) & 255,
    (block.length - 1) >> 8,
    ...block,
  ];
  const data = [...literal, 1, 0, 0, 0, 0];
  const value = [0, ...varint(literal.length)];
  const index = [0, 1, value.length, ...text('z'), ...value, 0, 0, 0, 0, 1, 0, 0, 0];
  const end = footer([0, 0, ...varint(data.length), ...varint(index.length)]).subarray(20);
  expect(indexSize).toBeGreaterThan(0);
  return bytes(...data, ...index, 0, 0, 0, 0, 0, ...end);
}

describe('a SavedModel', () => {
  const copy = async (name: string) => {
    const path = join(folder, name);
    await cp(fixture, path, { recursive: true });
    return path;
  };
  const problemsOf = async (path: string): Promise<string[]> => {
    try {
      return (await readModel(path)).issues.map(({ message }) => message);
    } catch (error) {
      if (error instanceof WhittleError) return [error.message];
      throw error;
    }
  };

  it('is opened by its folder or by the file in it', async () => {
    const [byFolder, byFile] = await Promise.all([
      readModel(fixture),
      readModel(join(fixture, 'saved_model.pb')),
    ]);
    expect(byFile.sha256).toBe(byFolder.sha256);
    expect(byFile.graph?.outputs).toEqual(byFolder.graph?.outputs);
    expect(byFolder.sizeBytes).toBeGreaterThan(byFolder.parameters * 4);
  });

  it('without its variables names them', async () => {
    const path = await copy('bare');
    await rm(join(path, 'variables'), { recursive: true });
    expect(await problemsOf(path)).toEqual([
      expect.stringMatching(/has 2 variables .* no variables\/variables.index/),
    ]);
  });

  it('with a data file that is cut off names every variable that is not whole', async () => {
    const path = await copy('short');
    const data = join(path, 'variables/variables.data-00000-of-00001');
    await writeFile(data, (await readFile(data)).subarray(0, 50));
    const found = await problemsOf(path);
    expect(found).toHaveLength(2);
    expect(found[0]).toMatch(
      /The variable ".*" cannot be read: bytes .* are asked of a data file that has 50/,
    );
  });

  it('with a changed data file is not taken for whole', async () => {
    const path = await copy('changed');
    const data = join(path, 'variables/variables.data-00000-of-00001');
    const changed = await readFile(data);
    changed[5] ^= 1;
    await writeFile(data, changed);
    expect(await problemsOf(path)).toEqual([expect.stringMatching(/its checksum does not fit/)]);
  });

  it('whose data file is a link out of it is refused', async () => {
    const path = await copy('linked');
    const data = join(path, 'variables/variables.data-00000-of-00001');
    await rm(data);
    await symlink(join(fixture, 'variables/variables.data-00000-of-00001'), data);
    expect((await problemsOf(path))[0]).toMatch(/is a link that leaves the model's folder/);
  });

  it('cut off or changed anywhere ends in an error, or in a graph', async () => {
    const path = await copy('fuzzed');
    const next = mulberry32(5);
    for (const file of ['saved_model.pb', 'variables/variables.index']) {
      const whole = await readFile(join(fixture, file));
      for (let i = 0; i < 40; i++) {
        const changed = Buffer.from(
          whole.subarray(0, i % 2 ? whole.length : Math.floor(next() * whole.length)),
        );
        for (let k = 0; k < 3 && i % 2; k++)
          changed[Math.floor(next() * changed.length)] = Math.floor(next() * 256);
        await writeFile(join(path, file), changed);
        await problemsOf(path);
      }
      await writeFile(join(path, file), whole);
    }
  }, 30_000);
});
