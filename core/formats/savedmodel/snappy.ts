/** Indexes are small: no block comes near this. */
const largestBlock = 2 ** 28;

/**
 * Decompresses a Snappy block (google/snappy, format_description.txt).
 * @throws Error, as the end of a sentence, when the bytes are no such block.
 */
export function unsnappy(bytes: Uint8Array): Uint8Array {
  let at = 0;
  const next = (): number => {
    if (at >= bytes.length) throw new Error('a compressed block is cut off');
    return bytes[at++];
  };
  const little = (count: number): number => {
    let value = 0;
    for (let i = 0; i < count; i++) value += next() * 2 ** (8 * i);
    return value;
  };
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = next();
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
    if (shift > 28) throw new Error('a compressed block has no length');
  }
  // A copy of 64 bytes takes 3: more than 22 to 1 cannot be.
  if (length > largestBlock || length > 24 * bytes.length + 64) {
    throw new Error(`a compressed block of ${bytes.length} bytes says that it has ${length}`);
  }
  const out = new Uint8Array(length);
  let written = 0;
  while (at < bytes.length) {
    const tag = next();
    const kind = tag & 3;
    if (kind === 0) {
      const short = tag >> 2;
      const count = (short < 60 ? short : little(short - 59)) + 1;
      if (count > bytes.length - at || count > length - written)
        throw new Error('a compressed block overflows');
      out.set(bytes.subarray(at, at + count), written);
      at += count;
      written += count;
      continue;
    }
    const count = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const offset = kind === 1 ? (tag >> 5) * 256 + next() : little(kind === 2 ? 2 : 4);
    if (offset === 0 || offset > written || count > length - written) {
      throw new Error('a compressed block copies from outside of itself');
    }
    // Byte by byte: a copy may reach into what it writes.
    for (let i = 0; i < count; i++, written++) out[written] = out[written - offset];
  }
  if (written !== length) throw new Error('a compressed block is too short');
  return out;
}
