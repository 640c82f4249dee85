import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileFor, serveApp } from './app-protocol.ts';

const root = mkdtempSync(join(tmpdir(), 'whittle-app-'));
writeFileSync(join(root, 'index.html'), '<!doctype html>');
writeFileSync(join(root, 'secret.pem'), 'key');

describe('fileFor', () => {
  const cases: [string, string | undefined][] = [
    ['app://studio/', join(root, 'index.html')],
    ['app://studio/assets/a.js', join(root, 'assets', 'a.js')],
    ['app://studio/%2e%2e/%2e%2e/etc/passwd', join(root, 'etc', 'passwd')],
    ['app://studio/..%2f..%2fetc/passwd', undefined],
    ['app://studio/a%00.js', undefined],
    ['app://studio/%E0%A4%A', undefined],
    ['app://other/index.html', undefined],
    ['file:///etc/passwd', undefined],
  ];
  it.each(cases)('%s', (url, expected) => {
    expect(fileFor(root, url)).toBe(expected);
  });
});

describe('serveApp', () => {
  it('serves the page with a strict policy', async () => {
    const response = await serveApp(root, 'app://studio/');
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('Content-Security-Policy')).toContain("default-src 'none'");
  });

  it('refuses files of a kind that the page never needs', async () => {
    expect((await serveApp(root, 'app://studio/secret.pem')).status).toBe(404);
  });

  it('answers 404 for what is not there', async () => {
    expect((await serveApp(root, 'app://studio/none.js')).status).toBe(404);
  });
});
