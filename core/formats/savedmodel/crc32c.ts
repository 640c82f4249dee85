/** CRC-32C (Castagnoli; RFC 3720, appendix B.4) of four bytes at a time: table k is for a byte with k more behind it. */
const tables = /* @__PURE__ */ (() => {
  let made: Uint32Array[] | undefined;
  return (): Uint32Array[] => {
    if (made) return made;
    const first = new Uint32Array(256);
    for (let byte = 0; byte < 256; byte++) {
      let crc = byte;
      for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
      first[byte] = crc;
    }
    made = [first];
    for (let k = 1; k < 4; k++) {
      made.push(made[k - 1].map((crc) => (crc >>> 8) ^ first[crc & 0xff]));
    }
    return made;
  };
})();

export function crc32c(bytes: Uint8Array): number {
  const [t0, t1, t2, t3] = tables();
  let crc = 0xffffffff;
  let at = 0;
  for (const whole = bytes.length - (bytes.length % 4); at < whole; at += 4) {
    crc ^= bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    crc = t3[crc & 0xff] ^ t2[(crc >>> 8) & 0xff] ^ t1[(crc >>> 16) & 0xff] ^ t0[crc >>> 24];
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[at]) & 0xff];
  return (crc ^ 0xffffffff) >>> 0;
}

/** The form in which checksums are stored, so that one over data with checksums in it is still good (leveldb, crc32c.h). */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
