/** Damages model files the way that copying, patching and malice do: in their bytes and in their structure. */
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate';
import { type ModelProto, modelTable } from '../../core/formats/onnx/schema.ts';
import { decode, encode } from '../../core/formats/protobuf/wire.ts';

/** Numbers in [0, 1) that depend on the seed alone. */
export type Random = () => number;

const pick = <T>(list: readonly T[], random: Random): T => list[Math.floor(random() * list.length)];
const below = (limit: number, random: Random): number => Math.floor(random() * limit);

/** 32-bit words that break length, offset and count checks. */
const evilWords = [0, 1, 2, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, 0x40000000];
const evilNumbers = [0, -1, 1, 2, 3, 7, 1e9, 2 ** 31, 2 ** 53, -(2 ** 31), 0.5, Number.MAX_VALUE];

type ByteMutation = (bytes: Uint8Array, random: Random) => Uint8Array;

const byteMutations: readonly ByteMutation[] = [
  (bytes, random) => {
    const copy = bytes.slice();
    for (let i = 1 + below(8, random); i > 0; i--) copy[below(copy.length, random)] ^= 1 << below(8, random);
    return copy;
  },
  (bytes, random) => {
    const copy = bytes.slice();
    const view = new DataView(copy.buffer);
    for (let i = 1 + below(3, random); i > 0; i--) {
      const at = below(Math.max(1, (copy.length - 4) >> 2), random) * 4;
      if (at + 4 <= copy.length) view.setUint32(at, pick(evilWords, random), true);
    }
    return copy;
  },
  // Headers and tables stand at the beginning: most damage there matters.
  (bytes, random) => {
    const copy = bytes.slice();
    copy[below(Math.min(512, copy.length), random)] = below(256, random);
    return copy;
  },
  (bytes, random) => bytes.slice(0, below(bytes.length, random)),
  (bytes, random) => {
    const at = below(bytes.length, random);
    return concat(bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + below(64, random))));
  },
  (bytes, random) => {
    const at = below(bytes.length, random);
    const from = below(bytes.length, random);
    return concat(
      bytes.subarray(0, at),
      bytes.subarray(from, from + 1 + below(64, random)),
      bytes.subarray(at),
    );
  },
];

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  return bytes.length === 0 ? bytes : pick(byteMutations, random)(bytes, random);
}

/** Every place in a value that holds something, as the holder and the key. */
function places(value: unknown, found: [Record<string, unknown>, string][] = []) {
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return found;
  for (const key of Object.keys(value)) {
    found.push([value as Record<string, unknown>, key]);
    places((value as Record<string, unknown>)[key], found);
  }
  return found;
}

/** Replaces one part of a tree by a part that does not belong there. The tree is changed. */
export function mutateTree(tree: unknown, random: Random): void {
  const all = places(tree);
  if (all.length === 0) return;
  for (let i = 1 + below(2, random); i > 0; i--) {
    const [holder, key] = pick(all, random);
    const old = holder[key];
    const [otherHolder, otherKey] = pick(all, random);
    const choice = random();
    if (typeof old === 'number' && choice < 0.8) holder[key] = pick(evilNumbers, random);
    else if (Array.isArray(old) && choice < 0.7) {
      if (random() < 0.5) old.splice(below(old.length + 1, random), 1);
      else old.push(...old.slice(0, 3));
    } else if (typeof old === 'string' && choice < 0.6) {
      // The name of something else: cycles, and references to what is not there.
      const other = otherHolder[otherKey];
      holder[key] = typeof other === 'string' ? other : `${old}_`;
    } else if (choice < 0.85) holder[key] = structuredClone(otherHolder[otherKey]);
    else delete holder[key];
  }
}

function mutateJson(text: string, random: Random): string {
  const tree = { root: JSON.parse(text) as unknown };
  mutateTree(tree, random);
  return JSON.stringify(tree.root) ?? 'null';
}

/** A `.keras` archive: its configuration, its weights or the archive itself. */
export function mutateKeras(bytes: Uint8Array, random: Random): Uint8Array {
  const choice = random();
  if (choice < 0.3) return mutateBytes(bytes, random);
  const entries: Record<string, Uint8Array> = unzipSync(bytes);
  if (choice < 0.75) entries['config.json'] = strToU8(mutateJson(strFromU8(entries['config.json']), random));
  else if (choice < 0.95) entries['model.weights.h5'] = mutateBytes(entries['model.weights.h5'], random);
  else delete entries[pick(Object.keys(entries), random)];
  return zipSync(entries, { level: 0 });
}

/** HDF5: bytes anywhere, or a number of the configuration that it holds as text. */
export function mutateHdf5(bytes: Uint8Array, random: Random): Uint8Array {
  if (random() < 0.6) return mutateBytes(bytes, random);
  const copy = bytes.slice();
  const start = Buffer.from(copy.buffer, copy.byteOffset, copy.length).indexOf('{"class_name"');
  if (start < 0) return mutateBytes(bytes, random);
  const digits: number[] = [];
  for (let i = start; i < Math.min(copy.length, start + 20_000); i++)
    if (copy[i] >= 0x30 && copy[i] <= 0x39) digits.push(i);
  if (digits.length === 0) return mutateBytes(bytes, random);
  for (let i = 1 + below(3, random); i > 0; i--) copy[pick(digits, random)] = 0x30 + below(10, random);
  return copy;
}

/** ONNX: bytes, or fields of the decoded model. */
export function mutateOnnx(bytes: Uint8Array, random: Random): Uint8Array {
  if (random() < 0.35) return mutateBytes(bytes, random);
  const model: ModelProto = structuredClone(decode(bytes, modelTable));
  mutateTree(model, random);
  try {
    return encode(model, modelTable);
  } catch {
    // A tree that the wire has no form for.
    return mutateBytes(bytes, random);
  }
}
