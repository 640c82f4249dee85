import { promises as fs } from 'node:fs';
import { extname, join, normalize, sep } from 'node:path';

/** The origin that the studio's page has in the desktop window. */
export const appOrigin = 'app://studio';

/** Scripts and styles come from the app alone; samples are shown as data URLs; nothing else is reachable. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const mediaTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
};

/**
 * Answers `app://studio/…` from one folder and nothing else.
 * @returns 404 for another host, a path outside the folder, an unknown media type or a missing file.
 */
export async function serveApp(rendererRoot: string, requestUrl: string): Promise<Response> {
  const file = fileFor(rendererRoot, requestUrl);
  const mediaType = file && mediaTypes[extname(file)];
  if (!file || !mediaType) return new Response('Not found', { status: 404 });
  try {
    return new Response(await fs.readFile(file), {
      status: 200,
      headers: {
        'Content-Type': mediaType,
        'Content-Security-Policy': contentSecurityPolicy,
        'X-Content-Type-Options': 'nosniff',
      },
    });
  } catch {
    return new Response('Not found', { status: 404 });
  }
}

/** The file below `rendererRoot` that a URL names, or undefined when it names none that may be served. */
export function fileFor(rendererRoot: string, requestUrl: string): string | undefined {
  let url: URL;
  let path: string;
  try {
    url = new URL(requestUrl);
    path = decodeURIComponent(url.pathname);
  } catch {
    return undefined;
  }
  if (`${url.protocol}//${url.host}` !== appOrigin || path.includes('\0')) return undefined;
  const file = normalize(join(rendererRoot, path === '/' ? 'index.html' : path));
  return file.startsWith(rendererRoot + sep) ? file : undefined;
}
