import { basename } from 'node:path';
import { type GraphView, type ModelView, Recipe, type SourceView } from '../contract/views.ts';
import type { DeclaredInput } from '../formats/model-file.ts';
import { type Graph, producersOf, type Value, valueNamed } from '../ir/graph.ts';
import { isOpaque, opaqueOf } from '../ir/opaque.ts';
import { elementCount } from '../ir/tensor.ts';
import { isUnsupported } from '../ops/facets.ts';
import { macsOf, totalMacs } from '../ops/macs.ts';
import { onnxWriters, tfliteWriters } from '../ops/registry.ts';
import { estimatePeakBytes } from './estimate-memory.ts';
import { comparedSamples } from './float-reference.ts';
import { viewDynamic } from './open-shapes.ts';
import {
  graphInputs,
  type InputChoices,
  isQuantized,
  openDims,
  readSource,
  type SourceModel,
} from './source-model.ts';

/** Reads a model and tells what it is: `whittle inspect --json`. Operators that are not known are issues, not errors. */
export async function inspectModel(path: string, choices: InputChoices = {}): Promise<ModelView> {
  const model = await readSource(path, choices);
  return { ...viewModel(model), dynamic: await viewDynamic(model) };
}

/** @see inspectModel */
export function viewModel(model: SourceModel): ModelView {
  const { graph, issues } = model;
  const histogram: Record<string, number> = {};
  const layouts = new Set<string>();
  for (const node of graph?.nodes ?? []) {
    histogram[node.op] = (histogram[node.op] ?? 0) + 1;
    if (typeof node.attrs.layout === 'string') layouts.add(node.attrs.layout.toUpperCase());
  }
  const unread = unreadOperators(model);
  return {
    source: viewSource(model),
    graph: {
      nodes: graph?.nodes.length ?? 0,
      opHistogram: Object.fromEntries(Object.entries(histogram).sort(([, a], [, b]) => b - a)),
      dynamicDims: openDims(model),
      quantized: graph !== undefined && isQuantized(graph),
      layouts: [...layouts].sort(),
    },
    issues: [...issues],
    memoryBytes: graph && estimatePeakBytes(graph, comparedSamples(Recipe.parse({}))),
    support: {
      tflite: support(
        [...unread, ...passedThrough(graph)],
        graph,
        (op) => !isOpaque(op) && (!tfliteWriters[op] || isUnsupported(tfliteWriters[op])),
      ),
      onnx: support(unread, graph, (op) => !isOpaque(op) && !onnxWriters[op]),
    },
  };
}

export function viewSource(model: SourceModel): SourceView {
  const { graph, declaredInputs } = model;
  const isFixed = ({ name }: DeclaredInput) => model.fixed !== undefined && Object.hasOwn(model.fixed, name);
  const declared = ({ name, dtype, shape }: DeclaredInput) => ({ name, dtype, shape: [...shape] });
  const fixed = declaredInputs.filter(isFixed).map(declared);
  const port = ({ id, type }: Value) => ({ name: id, dtype: type.dtype as string, shape: [...type.shape] });
  return {
    path: model.path,
    name: basename(model.path),
    format: model.format,
    version: graph?.source.version,
    producer: graph?.source.producer,
    metadata: graph?.source.metadata,
    sizeBytes: model.sizeBytes,
    sha256: model.sha256,
    operators: graph?.nodes.length ?? 0,
    parameters: model.parameters,
    macs: graph ? totalMacs(graph) : 0,
    inputs: graph
      ? graphInputs(graph).map(port)
      : declaredInputs.filter((input) => !isFixed(input)).map(declared),
    outputs: graph ? graph.outputs.map((id) => port(valueNamed(graph, id))) : [],
    ...(fixed.length > 0 && { fixed }),
  };
}

/** Operators and layers that the reader could not take in, as the issues name them. */
function unreadOperators(model: SourceModel): string[] {
  const errors = model.issues.filter((issue) => issue.severity === 'error' && issue.op !== undefined);
  return [...new Set(errors.map((issue) => issue.op!))];
}

/** Operators that only pass through ONNX, as the issues name them. */
function passedThrough(graph: Graph | undefined): string[] {
  return (graph?.nodes ?? []).flatMap((node) => {
    const causes = opaqueOf(node)?.causes ?? [];
    return causes.map(({ op }) => op ?? node.op.replace('ai.onnx::', ''));
  });
}

function support(
  unread: readonly string[],
  graph: Graph | undefined,
  lacks: (op: string) => boolean,
): { ok: boolean; missing: string[] } {
  const missing = new Set(unread);
  for (const node of graph?.nodes ?? []) if (lacks(node.op)) missing.add(node.op);
  return { ok: graph !== undefined && missing.size === 0, missing: [...missing].sort() };
}

/** The graph for drawing; constants count as parameters of the node that reads them. */
export async function viewGraph(path: string, choices: InputChoices): Promise<GraphView> {
  const { graph } = await readSource(path, choices);
  if (!graph) return { nodes: [], edges: [] };
  const indexOf = new Map(graph.nodes.map((node, i) => [node, i]));
  const producers = producersOf(graph);
  const edges: [number, number][] = [];
  const nodes = graph.nodes.map((node, to) => {
    let parameters = 0;
    for (const id of new Set(node.inputs)) {
      if (id === null) continue;
      const constant = valueNamed(graph, id).constant;
      if (constant) parameters += elementCount(constant.shape);
      const producer = producers.get(id);
      if (producer) edges.push([indexOf.get(producer)!, to]);
    }
    const outputShape = node.outputs.length > 0 ? [...valueNamed(graph, node.outputs[0]).type.shape] : [];
    return {
      id: node.id,
      op: node.op,
      outputs: [...node.outputs],
      outputShape,
      parameters,
      macs: macsOf(graph, node),
    };
  });
  return { nodes, edges };
}
