import { fromErrorView } from '../../core/contract/error-view.ts';
import { WhittleError } from '../../core/contract/errors.ts';
import { ErrorView } from '../../core/contract/views.ts';

/** Reads the web host's `{ error }` answer; falls back to the status. */
function refusal(name: string, status: number, body: string): WhittleError {
  try {
    const parsed: unknown = JSON.parse(body);
    const view = ErrorView.safeParse(
      typeof parsed === 'object' && parsed !== null && 'error' in parsed ? parsed.error : parsed,
    );
    if (view.success) return fromErrorView(view.data);
  } catch {
    // Not JSON: the sentence below says what is known.
  }
  return new WhittleError('file.unreadable', `${name} could not be uploaded: the core answered ${status}.`, {
    hint: 'Check that `whittle serve` is still running and that the page carries its token, then try again.',
  });
}

/**
 * Streams one file to the web host.
 * @param onSent told the bytes sent since the last call.
 * @throws WhittleError when the host refuses, the connection breaks, or the signal aborts (`job.cancelled`).
 */
export function uploadFile(
  url: string,
  file: File,
  onSent: (bytes: number) => void,
  signal: AbortSignal,
): Promise<{ ref: string }> {
  return new Promise((resolve, reject) => {
    // fetch cannot report upload progress over HTTP/1.1; XMLHttpRequest streams from disk and can.
    const request = new XMLHttpRequest();
    let reported = 0;
    const report = (sent: number): void => {
      onSent(sent - reported);
      reported = sent;
    };
    const abort = (): void => request.abort();
    request.upload.addEventListener('progress', (event) => report(Math.min(event.loaded, file.size)));
    request.addEventListener('load', () => {
      signal.removeEventListener('abort', abort);
      if (request.status !== 200) return reject(refusal(file.name, request.status, request.responseText));
      report(file.size);
      resolve(JSON.parse(request.responseText) as { ref: string });
    });
    request.addEventListener('error', () =>
      reject(
        new WhittleError('file.unreadable', `${file.name} could not be uploaded: the connection broke.`, {
          hint: 'Check that `whittle serve` is still running, then drop the file again.',
        }),
      ),
    );
    request.addEventListener('abort', () =>
      reject(new WhittleError('job.cancelled', `The upload of ${file.name} was cancelled.`)),
    );
    signal.addEventListener('abort', abort, { once: true });
    request.open('POST', url);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.send(file);
  });
}
