import { basename } from 'node:path';
import { WhittleError } from '../contract/errors.ts';

/** How a model is called in messages: the file's name, or its size when it came as bytes. */
export function modelLabel(model: Uint8Array | string): string {
  return typeof model === 'string' ? basename(model) : `a model of ${model.byteLength} bytes`;
}

/** The message of whatever a runtime threw, on one line. */
export function wordsOf(cause: unknown): string {
  const text =
    cause instanceof Error
      ? cause.message
      : typeof cause === 'object' && cause !== null && 'message' in cause
        ? String(cause.message)
        : String(cause);
  return text.replace(/\s+/g, ' ').trim();
}

/** `runtime.failed` with the runtime's own words: which runtime, doing what, to which file. */
export function runtimeFailed(runtime: string, action: string, words: string, hint?: string): WhittleError {
  return new WhittleError('runtime.failed', `${runtime} could not ${action}: ${words}`, { hint });
}

/** The errors among the lines that LiteRT wrote, without the places in its source, then the `outcome`. */
export function wordsFrom(lines: readonly string[], outcome: string): string {
  const errors = lines.filter((line) => /^(ERROR|[EF]\d{4} )/.test(line));
  const words = errors.map((line) =>
    line
      .replace(/^[EF]\d{4} [^\]]*\]/, '')
      .replace(/^ERROR:\s*(\[[^\]]*\]\s*)?/, '')
      .trim(),
  );
  return [...words, outcome].filter(Boolean).join('; ');
}
