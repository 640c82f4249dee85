import { open, readFile, stat } from 'node:fs/promises';

/** Node reads no more than this at once. */
const atOnce = 2 ** 30;

/** All bytes of a file, also of one above 2 GiB, which Node's own `readFile` refuses. @throws what the system says. */
export async function readWhole(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const { size } = await stat(path);
  if (size <= atOnce) {
    const { buffer, byteOffset, byteLength } = await readFile(path);
    return new Uint8Array(buffer, byteOffset, byteLength);
  }
  const bytes = new Uint8Array(size);
  const file = await open(path, 'r');
  try {
    for (let at = 0; at < size; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(atOnce, size - at), at);
      if (bytesRead === 0) throw new Error(`${path} ended at byte ${at} of ${size}`);
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
  return bytes;
}
