/**
 * Where the web host answers, for a page that it served. The page's own address carries the token
 * (`http://127.0.0.1:PORT/?token=…`); every request must carry it too.
 *
 * Upload: `POST uploadUrl({ id, path })` with the file's bytes as the body. `id` is any name of 1-64 letters, digits
 * and dashes that the page makes up (`crypto.randomUUID()`); files of one folder or of one model share an id and differ
 * in `path` (relative, with `/`). The answer is `{ ref: "upload:ID", sizeBytes }`; the ref stands for the file, for the
 * folder when the paths share a first folder, or for all the files together. `upload:ID/path` names one of several.
 */
export interface WebEndpoints {
  readonly rpcUrl: string;
  uploadUrl(file: { id: string; path: string }): string;
  /** The full address of a path that `artifact.download` returned. */
  downloadUrl(path: string): string;
}

export function webEndpoints(location: { origin: string; search: string }): WebEndpoints {
  const token = new URLSearchParams(location.search).get('token') ?? '';
  const address = (path: string, params: Record<string, string>): string => {
    const url = new URL(path, location.origin);
    for (const [key, value] of Object.entries({ ...params, token })) url.searchParams.set(key, value);
    return url.href;
  };
  return {
    rpcUrl: address('/rpc', {}).replace(/^http/, 'ws'),
    uploadUrl: ({ id, path }) => address('/upload', { id, path }),
    downloadUrl: (path) => address(path, {}),
  };
}
