import type { PortAdapters } from '../evaluate/port-adapters.ts';
import type { Engines, Session } from '../ir/engine.ts';
import { type Graph, valueNamed } from '../ir/graph.ts';
import type { Prepared } from '../passes/pipeline.ts';
import type { ArtifactTarget } from './artifact-targets.ts';

/**
 * Opens a file or its bytes in the runtime that it is meant for.
 * @param graph the one that was written
 */
export async function openWrittenFile(
  path: string | Uint8Array,
  target: ArtifactTarget,
  graph: Graph,
  engines: Engines,
): Promise<Session> {
  if (target.format === 'tflite') return (await engines.tflite()).open(path);
  const session = await engines.ort.open(path);
  // ONNX keeps the scales of integer inputs and outputs in its graph, where the runtime does not tell them.
  const withQuant = (ports: Session['inputs']): Session['inputs'] =>
    ports.map((port) => ({ ...port, quant: valueNamed(graph, port.name).quant }));
  return {
    engine: session.engine,
    description: session.description,
    loadMs: session.loadMs,
    inputs: withQuant(session.inputs),
    outputs: withQuant(session.outputs),
    run: (feeds) => session.run(feeds),
    time: (feeds, runs) => session.time(feeds, runs),
    close: () => session.close(),
  };
}

/** How the ports of a file written from a prepared graph stand for those of the source. */
export function portAdaptersOf(prepared: Prepared): PortAdapters {
  const borders = prepared.reports.find((report) => report.borders)?.borders ?? {};
  return Object.fromEntries(Object.entries(borders).map(([name, permutation]) => [name, { permutation }]));
}
