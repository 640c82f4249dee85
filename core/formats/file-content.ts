/** A file in parts, to be used one by one: each is good until the next is asked for. */
export interface FileContent {
  readonly sizeBytes: number;
  parts(): Iterable<Uint8Array>;
}

/** All of a file in memory. */
export function joinParts({ sizeBytes, parts }: FileContent): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let at = 0;
  for (const part of parts()) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}
