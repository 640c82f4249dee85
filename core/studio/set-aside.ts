import { closeSync, openSync, readSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WhittleError } from '../contract/errors.ts';
import type { Graph, Value } from '../ir/graph.ts';
import type { Tensor } from '../ir/tensor.ts';
import { writeError } from '../ir/write-error.ts';

/** From so many bytes of weights on, memory is worth more than the time that a file takes. */
const largeBytes = 64 * 2 ** 20;
/** Smaller constants stay in memory. */
const leastBytes = 64 * 1024;
/** What was read last is kept, up to so much: most weights are read several times in a row. */
const keptBytes = 32 * 2 ** 20;
/** Node reads and writes no more than this at once. */
const atOnce = 2 ** 30;

export interface SetAside {
  /** The same graphs, whose large constants are read when their bytes are asked for. */
  readonly graphs: readonly Graph[];
  /** Removes the file: the graphs are of no use any more. */
  close(): Promise<void>;
}

/**
 * Moves the large constants of graphs into a temporary file, so that runtimes have the memory that a large model's
 * weights take. Graphs of few weights stay as they are. What several graphs share is stored once.
 * @param from so many bytes of large constants
 * @throws WhittleError `file.no-space` and what else writing can meet
 */
export async function setAside(graphs: readonly Graph[], from = largeBytes): Promise<SetAside> {
  const views = largeViews(graphs);
  let total = 0;
  for (const { byteLength } of views.values()) total += byteLength;
  if (total < from) return { graphs, close: async () => {} };
  const folder = await mkdtemp(join(tmpdir(), 'whittle-'));
  try {
    const path = join(folder, 'weights.bin');
    const places = await writeAll(path, views);
    const file = new WeightsFile(path);
    const made = new WeakMap<Tensor, Tensor>();
    return {
      graphs: graphs.map((graph) =>
        withConstants(graph, (tensor) => readWhenAsked(tensor, places, file, made)),
      ),
      close: async () => {
        file.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw writeError(folder, error);
  }
}

/** Views on the same bytes have one key. */
type Key = string;

/** Numbers for buffers, by which keys tell them apart. */
const bufferNumbers = new WeakMap<ArrayBufferLike, number>();
let buffers = 0;

function keyOf({ bytes }: Tensor): Key {
  const number = bufferNumbers.get(bytes.buffer) ?? buffers++;
  bufferNumbers.set(bytes.buffer, number);
  return `${number} ${bytes.byteOffset} ${bytes.byteLength}`;
}

function largeViews(graphs: readonly Graph[]): Map<Key, Uint8Array> {
  const views = new Map<Key, Uint8Array>();
  for (const { values } of graphs) {
    for (const { constant } of values.values()) {
      if (constant && constant.bytes.byteLength >= leastBytes) views.set(keyOf(constant), constant.bytes);
    }
  }
  return views;
}

interface Place {
  readonly start: number;
  readonly byteLength: number;
}

async function writeAll(path: string, views: ReadonlyMap<Key, Uint8Array>): Promise<Map<Key, Place>> {
  const places = new Map<Key, Place>();
  const file = await open(path, 'wx');
  try {
    let end = 0;
    for (const [key, bytes] of views) {
      places.set(key, { start: end, byteLength: bytes.byteLength });
      for (let at = 0; at < bytes.byteLength; ) {
        const { bytesWritten } = await file.write(
          bytes,
          at,
          Math.min(atOnce, bytes.byteLength - at),
          end + at,
        );
        at += bytesWritten;
      }
      end += bytes.byteLength;
    }
  } finally {
    await file.close();
  }
  return places;
}

function withConstants(graph: Graph, replace: (tensor: Tensor) => Tensor): Graph {
  const values = new Map<string, Value>();
  for (const [id, value] of graph.values)
    values.set(id, value.constant ? { ...value, constant: replace(value.constant) } : value);
  return { ...graph, values };
}

/** @param made so that one tensor in several graphs stays one. */
function readWhenAsked(
  tensor: Tensor,
  places: ReadonlyMap<Key, Place>,
  file: WeightsFile,
  made: WeakMap<Tensor, Tensor>,
): Tensor {
  const known = made.get(tensor);
  if (known) return known;
  const place = places.get(keyOf(tensor));
  const { dtype, shape, strides, bytes } = tensor;
  const form = { dtype, shape, ...(strides && { strides }) };
  const read: Tensor = place
    ? {
        ...form,
        get bytes() {
          return file.read(place);
        },
      }
    : // A copy: a view holds all of the file that it is on.
      { ...form, bytes: new Uint8Array(bytes) };
  made.set(tensor, read);
  return read;
}

class WeightsFile {
  private readonly file: number;
  /** In the order of last use. */
  private readonly kept = new Map<Place, Uint8Array>();
  private size = 0;

  constructor(path: string) {
    this.file = openSync(path, 'r');
  }

  close(): void {
    closeSync(this.file);
    this.kept.clear();
  }

  read(place: Place): Uint8Array {
    const known = this.kept.get(place);
    if (known) {
      this.kept.delete(place);
      this.kept.set(place, known);
      return known;
    }
    const bytes = new Uint8Array(place.byteLength);
    for (let at = 0; at < bytes.byteLength; ) {
      const count = readSync(this.file, bytes, at, Math.min(atOnce, bytes.byteLength - at), place.start + at);
      if (count === 0) throw new WhittleError('internal', 'the temporary file of the weights became shorter');
      at += count;
    }
    this.kept.set(place, bytes);
    this.size += bytes.byteLength;
    for (const [oldest, { byteLength }] of this.kept) {
      if (this.size <= keptBytes || oldest === place) break;
      this.kept.delete(oldest);
      this.size -= byteLength;
    }
    return bytes;
  }
}
