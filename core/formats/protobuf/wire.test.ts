import { describe, expect, it } from 'vitest';
import { decode, encode, many, one, type Table } from './wire.ts';

interface Message {
  number?: number;
  real?: number;
  text?: string;
  raw?: Uint8Array;
  list: number[];
  floats?: Uint8Array;
  wide?: bigint[];
  inner?: Message;
  children: Message[];
}

const table: Table<Message> = {
  number: one(1, 'int'),
  real: one(2, 'float'),
  text: one(3, 'string'),
  raw: one(4, 'bytes'),
  list: many(5, 'int'),
  floats: one(6, 'fixed32'),
  wide: one(7, 'varints'),
  inner: one(8, () => table),
  children: many(9, () => table),
};

const bytes = (...values: number[]) => Uint8Array.from(values);

describe('protobuf tables', () => {
  it('reads what it writes, large byte fields included', () => {
    const message: Message = {
      number: -3,
      real: 0.5,
      text: 'größe',
      raw: new Uint8Array(5000).fill(7),
      list: [1, 300, -1],
      inner: { list: [], children: [], text: '' },
      children: [
        { list: [2], children: [] },
        { list: [], children: [], number: 9 },
      ],
    };
    expect(decode(encode(message, table), table)).toEqual(message);
  });

  it('keeps byte fields as views on the input', () => {
    const file = encode<Message>({ raw: bytes(1, 2, 3), list: [], children: [] }, table);
    expect(decode(file, table).raw?.buffer).toBe(file.buffer);
  });

  // Encoded by hand from the protobuf encoding guide: tag = id × 8 + wire type.
  it.each([
    ['packed varints', bytes(0x2a, 3, 1, 0xac, 0x02), { list: [1, 300] }],
    ['unpacked varints', bytes(0x28, 1, 0x28, 2), { list: [1, 2] }],
    ['a negative number in ten bytes', bytes(0x08, ...new Array(9).fill(0xff), 1), { number: -1 }],
    [
      'unknown fields of each wire type',
      bytes(0x78, 5, 0x79, ...new Array(8).fill(0), 0x7a, 1, 9, 0x7d, 0, 0, 0, 0),
      {},
    ],
    ['an unknown group', bytes(0x7b, 0x08, 1, 0x7c), {}],
    [
      'fixed32 in parts',
      bytes(0x35, 0, 0, 128, 63, 0x32, 4, 0, 0, 0, 64),
      { floats: bytes(0, 0, 128, 63, 0, 0, 0, 64) },
    ],
    ['64-bit integers exactly', bytes(0x38, ...new Array(8).fill(0xff), 0x7f), { wide: [2n ** 63n - 1n] }],
    ['a repeated single field: the last one counts', bytes(0x08, 1, 0x08, 2), { number: 2 }],
  ])('reads %s', (_, input, expected) => {
    expect(decode(input, table)).toEqual({ list: [], children: [], ...expected });
  });

  it.each([
    ['a length beyond the end', bytes(0x1a, 200, 1, 65)],
    ['a packed length beyond the end', bytes(0x2a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1)],
    ['a wrong wire type', bytes(0x1d, 0, 0, 0, 0)],
    ['a varint without end', bytes(0x08, ...new Array(11).fill(0xff))],
    ['field number 0', bytes(0x00, 1)],
    ['wire type 7', bytes(0x0f, 1)],
    ['a group that never ends', bytes(0x7b, 0x7b, 0x7b)],
    ['a packed varint that runs past its length', bytes(0x2a, 1, 0x80, 0x01)],
  ])('refuses %s', (_, input) => {
    expect(() => decode(input, table)).toThrow();
  });

  it('refuses messages nested without end', () => {
    let message = bytes();
    for (let depth = 0; depth < 200; depth++) {
      const length =
        message.length < 128 ? [message.length] : [(message.length & 127) | 128, message.length >> 7];
      message = bytes(0x42, ...length, ...message);
    }
    expect(() => decode(message, table)).toThrow(/nested too deeply/);
  });
});
