import { open } from 'node:fs/promises';
import { WhittleError } from '../contract/errors.ts';
import { isFloat } from '../ir/dtype.ts';
import { elementCount, type Tensor, tensorOf } from '../ir/tensor.ts';
import { convertTensor } from './convert.ts';
import type { OpenedDataset } from './dataset.ts';
import { describeType, type InputSpec, mismatch, mismatchIssue } from './sample-spec.ts';

const labelColumns = new Set(['label', 'labels', 'y', 'class', 'target']);
const lineLimit = 64 * 1024 * 1024;

interface Table {
  /** Byte range of each row's line. */
  readonly starts: number[];
  readonly ends: number[];
  readonly labelColumn: number;
  readonly labelTexts: string[];
  readonly columns: number;
}

/**
 * One row per sample, columns in the input's row-major order; a first line of names is told by its not being numbers,
 * and a column named label, y, class or target holds the class. Only row positions are kept in memory.
 * @throws WhittleError `data.mismatch` when the number of columns is not the input's number of elements.
 */
export async function openCsvDataset(path: string, inputs: readonly InputSpec[]): Promise<OpenedDataset> {
  const [input] = inputs;
  if (inputs.length !== 1) {
    const names = inputs.map((each) => each.name).join(', ');
    const message = `A .csv feeds one input; the model has ${inputs.length}: ${names}.`;
    throw mismatch(path, [mismatchIssue(message, undefined, 'Give one .npz with an array per input.')]);
  }
  const table = await scan(path);
  const values = table.columns - (table.labelColumn >= 0 ? 1 : 0);
  const wanted = elementCount(input.shape);
  if (values !== wanted) {
    const message = `Input ${input.name} is ${describeType(input.dtype, input.shape)}, ${wanted} values; ${path} has ${values} per row.`;
    throw mismatch(path, [mismatchIssue(message, input.name)]);
  }
  const file = await open(path, 'r');
  return {
    path,
    kind: 'csv',
    count: table.starts.length,
    ...classesOf(table.labelTexts),
    issues: [],
    async sample(index) {
      const length = table.ends[index] - table.starts[index];
      const line = Buffer.alloc(length);
      await file.read(line, 0, length, table.starts[index]);
      const cells = splitRow(line.toString('utf8')).filter((_cell, column) => column !== table.labelColumn);
      const numbers = cells.map((cell, column) => numberOf(cell, path, index, column));
      return { [input.name]: toInput(numbers, input, path, index) };
    },
    close: () => file.close(),
  };
}

async function scan(path: string): Promise<Table> {
  const starts: number[] = [];
  const ends: number[] = [];
  const labelTexts: string[] = [];
  let labelColumn = -1;
  let columns = -1;
  let first = true;
  for await (const { text, start, end } of lines(path)) {
    if (text.trim() === '') continue;
    const cells = splitRow(text);
    if (first) {
      first = false;
      columns = cells.length;
      if (cells.some((cell) => cell.trim() === '' || Number.isNaN(Number(cell)))) {
        labelColumn = cells.findIndex((cell) => labelColumns.has(cell.trim().toLowerCase()));
        continue;
      }
    }
    if (cells.length !== columns) {
      throw new WhittleError(
        'data.unreadable',
        `${path} has ${cells.length} cells in row ${starts.length + 1}, ${columns} in those before.`,
      );
    }
    if (labelColumn >= 0) labelTexts.push(cells[labelColumn].trim());
    starts.push(start);
    ends.push(end);
  }
  if (starts.length === 0) throw new WhittleError('data.unreadable', `${path} has no rows.`);
  return { starts, ends, labelColumn, labelTexts, columns };
}

async function* lines(path: string): AsyncGenerator<{ text: string; start: number; end: number }> {
  const file = await open(path, 'r');
  try {
    let rest = Buffer.alloc(0);
    let position = 0;
    for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 1 << 20 })) {
      rest = Buffer.concat([rest, chunk as Buffer]);
      let from = 0;
      for (let at = rest.indexOf(10, from); at >= 0; at = rest.indexOf(10, from)) {
        yield { text: rest.toString('utf8', from, at), start: position + from, end: position + at };
        from = at + 1;
      }
      rest = rest.subarray(from);
      position += from;
      if (rest.length > lineLimit)
        throw new WhittleError('data.unreadable', `${path} has a line without end.`);
    }
    yield { text: rest.toString('utf8'), start: position, end: position + rest.length };
  } finally {
    await file.close();
  }
}

/** Cells of one line (RFC 4180 without line breaks inside quotes). */
function splitRow(line: string): string[] {
  const text = line.replace(/\r$/, '');
  if (!text.includes('"')) return text.split(/[,;\t]/);
  const cells: string[] = [];
  for (const match of text.matchAll(/(?:^|[,;\t])(?:"((?:[^"]|"")*)"|([^,;\t]*))/g)) {
    cells.push(match[1] === undefined ? match[2] : match[1].replaceAll('""', '"'));
  }
  return cells;
}

function classesOf(texts: readonly string[]): { labels?: Int32Array; classNames?: string[] } {
  if (texts.length === 0) return {};
  if (texts.every((text) => /^\d{1,6}$/.test(text))) return { labels: Int32Array.from(texts, Number) };
  const classNames = [...new Set(texts)].sort();
  const indexOf = new Map(classNames.map((name, i) => [name, i]));
  return { labels: Int32Array.from(texts, (text) => indexOf.get(text)!), classNames };
}

function numberOf(cell: string, path: string, row: number, column: number): number {
  const value = cell.trim() === '' ? Number.NaN : Number(cell);
  if (!Number.isNaN(value)) return value;
  throw new WhittleError(
    'data.unreadable',
    `${path} has "${cell.slice(0, 40)}" in row ${row + 1}, column ${column + 1}, where a number should be.`,
  );
}

function toInput(values: number[], input: InputSpec, path: string, row: number): Tensor {
  if (input.dtype === 'float32') return tensorOf('float32', input.shape, Float32Array.from(values));
  const whole = values.every((value) => Number.isSafeInteger(value));
  if (!isFloat(input.dtype) && !whole) {
    throw new WhittleError(
      'data.mismatch',
      `Input ${input.name} takes ${input.dtype}; row ${row + 1} of ${path} has fractions.`,
    );
  }
  const source = isFloat(input.dtype)
    ? tensorOf('float32', input.shape, Float32Array.from(values))
    : tensorOf('int64', input.shape, BigInt64Array.from(values, BigInt));
  const converted = convertTensor(source, input.dtype);
  if (typeof converted !== 'string') return converted;
  throw new WhittleError(
    'data.mismatch',
    `Row ${row + 1} of ${path} cannot be fed to ${input.name}: ${converted}.`,
  );
}
