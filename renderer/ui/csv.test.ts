import { expect, it } from 'vitest';
import { toCsv } from './csv.ts';

it('quotes what must be quoted and leaves missing figures empty', () => {
  const csv = toCsv({
    columns: ['precision', 'size, bytes'],
    rows: [
      ['int8', 890032],
      ['say "exact"', Number.POSITIVE_INFINITY],
      ['none', undefined],
    ],
  });
  expect(csv).toBe('precision,"size, bytes"\r\nint8,890032\r\n"say ""exact""",\r\nnone,');
});
