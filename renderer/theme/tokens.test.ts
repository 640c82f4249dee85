import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { precisions } from '../../core/contract/choices.ts';

const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8');

function tokens(selector: string): Map<string, string> {
  const start = css.indexOf(`${selector} {`);
  const block = css.slice(start, css.indexOf('}', start));
  return new Map([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name, value]));
}

/** Relative luminance, WCAG 2.2. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const onSurfaces = ['text', 'text-muted', 'accent-text', 'danger', 'warning', 'ok', 'info'].flatMap((text) =>
  ['canvas', 'surface', 'raised', 'sunken'].map((under) => [text, under] as const),
);
const pairs = [
  ...onSurfaces,
  ['text', 'hover'],
  ['text', 'accent-soft'],
  ['text-muted', 'accent-soft'],
  ['accent-text', 'accent-soft'],
  ['on-accent', 'accent'],
  ['on-accent', 'accent-hover'],
  ['danger', 'danger-soft'],
  ['text', 'danger-soft'],
  ['text-muted', 'danger-soft'],
  ['warning', 'warning-soft'],
  ['ok', 'ok-soft'],
] as const;

describe.each([
  ['light', ':root'],
  ['dark', ':root[data-theme="dark"]'],
])('%s', (_theme, selector) => {
  const theme = tokens(selector);
  it.each(pairs)('%s on %s is read at 4.5:1', (text, under) => {
    expect(contrast(theme.get(text) ?? '', theme.get(under) ?? '')).toBeGreaterThanOrEqual(4.5);
  });

  it('gives every precision a colour that stands out from the surface or has an outline that does', () => {
    const outline = theme.get('mark-outline') ?? '';
    expect(contrast(outline, theme.get('surface') ?? '')).toBeGreaterThanOrEqual(3);
    for (const name of precisions) expect(theme.get(`p-${name}`), name).toMatch(/^#/);
  });
});
