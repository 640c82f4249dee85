/** A string as Python writes it; JSON's escapes are Python's. */
export function pyString(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\x7f');
}

/** A shape as a tuple: `(1, 28, 28, 1)`, `(3,)`. */
export function pyTuple(items: readonly (number | string)[]): string {
  const inner = items.map((item) => (typeof item === 'number' ? String(item) : pyString(item)));
  return `(${inner.join(', ')}${inner.length === 1 ? ',' : ''})`;
}

export function pyList(items: readonly string[]): string {
  return `[${items.join(', ')}]`;
}

export function pyBoolean(value: boolean): string {
  return value ? 'True' : 'False';
}

/** Lines moved in by four spaces for each level; empty lines stay empty. */
export function indent(text: string, levels = 1): string {
  return text.replaceAll(/^(?=.)/gm, '    '.repeat(levels));
}
