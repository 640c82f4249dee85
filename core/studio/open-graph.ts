import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExternalWeights } from '../formats/onnx/external-weights.ts';
import { writeOnnx } from '../formats/onnx/writer.ts';
import { byteLength } from '../ir/dtype.ts';
import type { Engine, Session } from '../ir/engine.ts';
import type { Graph } from '../ir/graph.ts';
import { elementCount } from '../ir/tensor.ts';
import { writeError } from './safe-files.ts';

/** From so many bytes of weights on, a detour over a file is worth its time. */
const largeBytes = 32 * 2 ** 20;

function weightBytes(graph: Graph): number {
  let bytes = 0;
  for (const { constant } of graph.values.values())
    if (constant) bytes += byteLength(constant.dtype, elementCount(constant.shape));
  return bytes;
}

/**
 * Opens a graph in onnxruntime. From a model in memory the runtime makes two more copies of the weights and keeps one
 * beyond the session's end, so that large ones are written to a temporary file, which it maps; closing removes it.
 * @throws WhittleError what writing and opening throw
 */
export async function openGraph(engine: Engine, graph: Graph): Promise<Session> {
  if (weightBytes(graph) < largeBytes) return engine.open(writeOnnx(graph));
  const folder = await mkdtemp(join(tmpdir(), 'whittle-'));
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  try {
    const weights = new ExternalWeights('weights.bin');
    const path = join(folder, 'model.onnx');
    await writeFile(path, writeOnnx(graph, { external: weights }));
    await weights.writeTo(join(folder, weights.location));
    return closingWith(await engine.open(path), removeFolder);
  } catch (error) {
    await removeFolder();
    throw writeError(folder, error);
  }
}

/** The same session, whose closing is followed by `then`. */
function closingWith(session: Session, then: () => Promise<void>): Session {
  const { engine, description, loadMs, inputs, outputs } = session;
  return {
    engine,
    description,
    loadMs,
    inputs,
    outputs,
    run: (feeds) => session.run(feeds),
    time: (feeds, runs) => session.time(feeds, runs),
    close: async () => {
      await session.close();
      await then();
    },
  };
}
