import { openGraph } from '../calibrate/open-graph.ts';
import type { PortAdapters } from '../evaluate/port-adapters.ts';
import { writeTflite } from '../formats/tflite/writer.ts';
import type { Engines, Session } from '../ir/engine.ts';
import { type Graph, type QuantParams, valueNamed } from '../ir/graph.ts';
import { toNumbers } from '../ir/tensor.ts';
import type { Prepared } from '../passes/pipeline.ts';
import type { ArtifactTarget } from './artifact-targets.ts';

/**
 * Opens a file or its bytes in the runtime that it is meant for.
 * @param graph the one that was written
 */
export async function openWrittenFile(
  path: string | Uint8Array,
  target: Pick<ArtifactTarget, 'format'>,
  graph: Graph,
  engines: Engines,
): Promise<Session> {
  if (target.format === 'tflite') return (await engines.tflite()).open(path);
  return withPortQuant(await engines.ort.open(path), (name) => borderQuant(graph, name));
}

/** Writes a graph to memory, or where it is too large to a file for as long as it runs, and opens it there. */
export async function openWrittenGraph(
  target: Pick<ArtifactTarget, 'format'>,
  graph: Graph,
  engines: Engines,
): Promise<Session> {
  if (target.format === 'tflite') return (await engines.tflite()).open(writeTflite(graph).bytes);
  return withPortQuant(await openGraph(engines.ort, graph), (name) => borderQuant(graph, name));
}

/**
 * ONNX keeps the scales of integer inputs and outputs in its graph, where the runtime does not tell them.
 * @returns the same session, whose ports have them.
 */
export function withPortQuant(session: Session, quantOf: (port: string) => QuantParams | undefined): Session {
  const ports = (list: Session['inputs']): Session['inputs'] =>
    list.map((port) => ({ ...port, quant: port.quant ?? quantOf(port.name) }));
  return {
    engine: session.engine,
    description: session.description,
    loadMs: session.loadMs,
    inputs: ports(session.inputs),
    outputs: ports(session.outputs),
    run: (feeds) => session.run(feeds),
    time: (feeds, runs) => session.time(feeds, runs),
    close: () => session.close(),
  };
}

/** The scale of an integer port of a QDQ graph, from the operator that converts it. */
export function borderQuant(graph: Graph, port: string): QuantParams | undefined {
  const converter = graph.nodes.find(
    (node) =>
      (node.op === 'DequantizeLinear' && node.inputs[0] === port) ||
      (node.op === 'QuantizeLinear' && node.outputs[0] === port),
  );
  const constantOf = (slot: number): number | undefined => {
    const id = converter?.inputs[slot];
    const constant = id ? valueNamed(graph, id).constant : undefined;
    return constant && toNumbers(constant)[0];
  };
  const scale = constantOf(1);
  if (scale === undefined) return valueNamed(graph, port).quant;
  return { scales: [scale], zeroPoints: [constantOf(2) ?? 0] };
}

/** How the ports of a file written from a prepared graph stand for those of the source. */
export function portAdaptersOf(prepared: Prepared): PortAdapters {
  const borders = prepared.reports.find((report) => report.borders)?.borders ?? {};
  return Object.fromEntries(Object.entries(borders).map(([name, permutation]) => [name, { permutation }]));
}
