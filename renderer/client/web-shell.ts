import { type WebEndpoints, webEndpoints } from '../../core/rpc/web-endpoints.ts';
import { createWebSocketWire } from '../../core/rpc/websocket-wire.ts';
import { newId } from './new-id.ts';
import { pickFiles, readDrop } from './picked-files.ts';
import type { Picked, Shell } from './shell.ts';
import { uploadFile } from './upload.ts';

const tokenKey = 'whittle.token';
const uploadsAtOnce = 4;

/** The token from the page's address, remembered for reloads of the same tab without it. */
function searchWithToken(): string {
  const token = new URLSearchParams(location.search).get('token');
  try {
    if (token) sessionStorage.setItem(tokenKey, token);
    return `?token=${encodeURIComponent(token ?? sessionStorage.getItem(tokenKey) ?? '')}`;
  } catch {
    return location.search;
  }
}

/** Uploads one picked thing under one id and returns its ref. */
async function uploadPicked(
  item: Picked,
  endpoints: WebEndpoints,
  onSent: (bytes: number) => void,
  signal: AbortSignal,
): Promise<string> {
  const id = newId();
  const queue = [...item.files];
  let ref = `upload:${id}`;
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const answer = await uploadFile(
        endpoints.uploadUrl({ id, path: next.path }),
        next.file,
        onSent,
        signal,
      );
      ref = answer.ref;
    }
  };
  await Promise.all(Array.from({ length: Math.min(uploadsAtOnce, item.files.length) }, work));
  // A model that came with the files of its weights is named among them.
  return item.files.length > 1 && !item.isFolder ? `upload:${id}/${item.files[0].path}` : ref;
}

/** The shell in a browser: files are streamed to the core, exports are downloads. */
export function createWebShell(): Shell {
  const endpoints = webEndpoints({ origin: location.origin, search: searchWithToken() });
  return {
    kind: 'web',
    connect: () => createWebSocketWire(new WebSocket(endpoints.rpcUrl)),
    pick: pickFiles,
    fromDrop: readDrop,
    async toRefs(picked, onProgress, signal) {
      const totalBytes = picked.reduce(
        (sum, item) => sum + item.files.reduce((bytes, { file }) => bytes + file.size, 0),
        0,
      );
      let sentBytes = 0;
      const onSent = (bytes: number): void => {
        sentBytes += bytes;
        onProgress({ sentBytes, totalBytes });
      };
      onProgress({ sentBytes, totalBytes });
      const refs: string[] = [];
      for (const item of picked) refs.push(await uploadPicked(item, endpoints, onSent, signal));
      return refs;
    },
    download(url, fileName) {
      const link = document.createElement('a');
      link.href = endpoints.downloadUrl(url);
      link.download = fileName;
      link.rel = 'noopener';
      document.body.append(link);
      link.click();
      link.remove();
    },
  };
}
