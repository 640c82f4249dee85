import { createHash } from 'node:crypto';

/** A key that is equal exactly when two byte arrays are: writers store identical constants once. */
export function contentKey(bytes: Uint8Array): string {
  return `${bytes.byteLength}:${createHash('sha256').update(bytes).digest('base64')}`;
}
