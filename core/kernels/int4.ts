/** Packs int4 values (−8…7) two to a byte, the first in the low nibble, as TFLite and ONNX store them. */
export function packInt4(values: Int8Array): Uint8Array {
  const bytes = new Uint8Array((values.length + 1) >> 1);
  for (let i = 0; i < values.length; i++) bytes[i >> 1] |= (values[i] & 0xf) << ((i & 1) << 2);
  return bytes;
}

/** The `count` int4 values of packed bytes. @throws RangeError when there are fewer bytes than that takes. */
export function unpackInt4(bytes: Uint8Array, count: number): Int8Array {
  if (bytes.length < (count + 1) >> 1) {
    throw new RangeError(`${bytes.length} bytes hold fewer than ${count} int4 values`);
  }
  const values = new Int8Array(count);
  for (let i = 0; i < count; i++) {
    const nibble = (bytes[i >> 1] >> ((i & 1) << 2)) & 0xf;
    values[i] = nibble > 7 ? nibble - 16 : nibble;
  }
  return values;
}
