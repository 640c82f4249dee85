import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename, dirname, extname, join, normalize, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { WhittleError } from '../contract/errors.ts';
import { isInside } from '../studio/refs.ts';
import { writeError } from '../studio/safe-files.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
};

/** Sends a file of the built page. @returns false when there is none of that path. */
export async function sendStatic(root: string, pathname: string, response: ServerResponse): Promise<boolean> {
  const wanted = pathname === '/' ? '/index.html' : pathname;
  let path: string;
  try {
    path = resolve(root, `.${normalize(decodeURIComponent(wanted))}`);
  } catch {
    return false;
  }
  const type = types[extname(path)];
  if (!isInside(root, path) || path.includes('\0') || !type) return false;
  const info = await stat(path).catch(() => undefined);
  if (!info?.isFile()) return false;
  const hashed = pathname.startsWith('/assets/');
  response.writeHead(200, {
    'content-type': type,
    'content-length': info.size,
    // Built files carry a hash in their name; the page itself must always be the current one.
    'cache-control': hashed ? 'private, max-age=31536000, immutable' : 'no-store',
  });
  await pipeline(createReadStream(path), response);
  return true;
}

const idPattern = /^[A-Za-z0-9-]{1,64}$/;

/**
 * Streams one uploaded file to disk, below the folder of its upload id. A broken upload leaves nothing.
 * @throws WhittleError `usage` for a name that could leave the folder, `file.exists`, `file.no-space`.
 */
export async function receiveUpload(
  request: IncomingMessage,
  uploads: string,
  id: string,
  relativePath: string,
): Promise<{ ref: string; sizeBytes: number }> {
  if (!idPattern.test(id))
    throw new WhittleError('usage', `${JSON.stringify(id.slice(0, 80))} is not an upload id.`);
  const folder = join(uploads, id);
  const parts = relativePath.split('/');
  const target = resolve(folder, ...parts);
  const bad = parts.some((part) => part === '' || part === '.' || part === '..' || /[\\:\0]/.test(part));
  if (bad || relativePath.length > 1024 || !isInside(folder, target)) {
    throw new WhittleError('usage', `${JSON.stringify(relativePath.slice(0, 200))} is not a relative path.`);
  }
  // Uploads arrive beside the folder, so that one that is under way is never taken for a part of it.
  const aside = join(uploads, `.${randomBytes(8).toString('hex')}.partial`);
  try {
    await mkdir(dirname(target), { recursive: true });
    const file = createWriteStream(aside, { flags: 'wx' });
    await pipeline(request, file);
    await rename(aside, target);
    return { ref: `upload:${id}`, sizeBytes: file.bytesWritten };
  } catch (error) {
    await rm(aside, { force: true });
    throw writeError(basename(target), error);
  }
}

const ticketPattern = /^[A-Za-z0-9_-]{24}$/;

/** Sends the file that a ticket stands for; the ticket is spent. @returns false when there is no such ticket. */
export async function sendDownload(
  downloads: string,
  ticket: string,
  response: ServerResponse,
): Promise<boolean> {
  if (!ticketPattern.test(ticket)) return false;
  const note = join(downloads, `${ticket}.json`);
  const text = await readFile(note, 'utf8').catch(() => undefined);
  if (text === undefined) return false;
  await rm(note, { force: true });
  const { path, fileName } = JSON.parse(text) as { path: string; fileName: string };
  const info = await stat(path).catch(() => undefined);
  if (!info?.isFile()) return false;
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': info.size,
    'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(fileName)}`,
    'cache-control': 'no-store',
  });
  await pipeline(createReadStream(path), response);
  return true;
}
