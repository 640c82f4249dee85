import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExternalWeights, weightBytes } from '../formats/onnx/external-weights.ts';
import { type WriteOnnxOptions, writeOnnx } from '../formats/onnx/writer.ts';
import type { Engine, OpenOptions, Session } from '../ir/engine.ts';
import type { Graph } from '../ir/graph.ts';
import { writeError } from '../ir/write-error.ts';

/** From so many bytes of weights on, a detour over a file is worth its time. */
const largeBytes = 32 * 2 ** 20;

/**
 * Opens a graph in onnxruntime. From a model in memory the runtime makes two more copies of the weights and keeps one
 * beyond the session's end, so that large ones are written to a temporary file, which it maps; closing removes it.
 * @throws WhittleError what writing and opening throw
 */
export async function openGraph(
  engine: Engine,
  graph: Graph,
  options: Omit<WriteOnnxOptions, 'external'> = {},
  opening: OpenOptions = {},
): Promise<Session> {
  if (weightBytes(graph) < largeBytes) return engine.open(writeOnnx(graph, options), opening);
  const folder = await mkdtemp(join(tmpdir(), 'whittle-'));
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  try {
    const external = new ExternalWeights('weights.bin');
    const path = join(folder, 'model.onnx');
    await writeFile(path, writeOnnx(graph, { ...options, external }));
    await writeFile(join(folder, external.location), external.parts());
    return closingWith(await engine.open(path, opening), removeFolder);
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
