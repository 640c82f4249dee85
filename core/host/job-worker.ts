import { parentPort } from 'node:worker_threads';
import { toErrorView } from '../contract/error-view.ts';
import { engineStatus } from '../runtime/doctor.ts';
import { createEngines } from '../runtime/engines.ts';
import { runTask } from '../studio/run-task.ts';
import type { FromWorker, ToWorker } from '../studio/task-messages.ts';

/** Entry of a worker thread: runs one task after another, one at a time. */
const port = parentPort;
if (!port) throw new Error('job-worker is started as a worker thread');

const post = (message: FromWorker): void => port.postMessage(message);
let controller = new AbortController();

port.on('message', (message: ToWorker) => {
  if (message.t === 'abort') {
    controller.abort();
    return;
  }
  controller = new AbortController();
  runTask(message.name, message.params, {
    engines: createEngines(),
    engineStatus,
    signal: controller.signal,
    onProgress: (update) => post({ t: 'progress', update }),
    onArtifact: (artifact, detail) => post({ t: 'artifact', artifact, detail }),
    onReference: (reference) => post({ t: 'reference', reference }),
    onProfile: (profile) => post({ t: 'profile', profile }),
  }).then(
    (result) => post({ t: 'done', result }),
    (error: unknown) => post({ t: 'failed', error: toErrorView(error) }),
  );
});
