/** Operators that the IR has no form for: a NodeProto on its way through the IR. */
import type { Issue } from '../../contract/errors.ts';
import type { Attrs, Node } from '../../ir/graph.ts';
import { type Opaque, opaqueOf } from '../../ir/opaque.ts';
import { tensorsOf } from './external-data.ts';
import { normalDomain } from './node-view.ts';
import { capturesOf, definedNames } from './order.ts';
import type { GraphProto, NodeProto, TensorProto } from './schema.ts';
import { allNodes, mapAttributes, subgraphsOf } from './subgraphs.ts';
import type { ExternalBytes } from './tensors.ts';

/** The name under which an operator stands in the IR: `ai.onnx::GridSample`, `com.microsoft::Attention`. */
export function opaqueName(node: NodeProto): string {
  return `${normalDomain(node.domain) || 'ai.onnx'}::${node.opType ?? ''}`;
}

/**
 * The attributes of an IR node that carries `node`. Its inputs in the IR are the node's own, then one for each of
 * `captures`.
 */
export function opaqueAttrs(
  node: NodeProto,
  external: ExternalBytes | undefined,
  causes: readonly Issue[],
): Attrs & { readonly opaque: Opaque } {
  const proto = external ? withInnerData(node, external) : node;
  return {
    opaque: { proto, captures: [...capturesOf(node)], causes, storedBytes: storedBytes(node, external) },
  };
}

/** Tensors that lie in other files are taken into the node: those files do not go along. */
function withInnerData(node: NodeProto, external: ExternalBytes): NodeProto {
  const tensor = (proto: TensorProto): TensorProto => {
    const rawData = external.get(proto);
    return rawData ? { ...proto, rawData, externalData: [], dataLocation: undefined } : proto;
  };
  const graph = (proto: GraphProto): GraphProto => ({
    ...proto,
    initializer: proto.initializer.map(tensor),
    node: proto.node.map((inner) => mapAttributes(inner, graph, tensor)),
  });
  return mapAttributes(node, graph, tensor);
}

function storedBytes(node: NodeProto, external: ExternalBytes | undefined): number {
  let sum = 0;
  for (const tensor of tensorsWithin(node)) {
    const { rawData, floatData, doubleData, stringData } = tensor;
    const bytes = [external?.get(tensor) ?? rawData, floatData, doubleData, ...stringData];
    sum += bytes.reduce((total, part) => total + (part?.byteLength ?? 0), 0);
  }
  return sum;
}

function tensorsWithin(node: NodeProto): Iterable<TensorProto> {
  return tensorsOf({ node: [node], initializer: [], sparseInitializer: [], input: [], output: [] });
}

/** The NodeProto that an opaque IR node carries. */
export function protoOf(node: Node): NodeProto | undefined {
  return opaqueOf(node)?.proto as NodeProto | undefined;
}

/** Every NodeProto that is written for an IR node: its own and those of its subgraphs. None where it is not opaque. */
export function protosOf(node: Node): NodeProto[] {
  const proto = protoOf(node);
  return proto ? [proto, ...subgraphsOf(proto).flatMap((graph) => [...allNodes(graph)])] : [];
}

/**
 * The NodeProto of an opaque IR node as the graph now stands: values may have got other names.
 * @param inputs names of the node's inputs in the file.
 * @param alias a free name that is to stand for a value, where its own is taken by a subgraph.
 */
export function opaqueProto(
  node: Node,
  inputs: readonly string[],
  alias: (name: string) => string,
): NodeProto {
  const { proto, captures } = opaqueOf(node)! as Opaque & { proto: NodeProto };
  const own = proto.input.length;
  const inner = new Set(subgraphsOf(proto).flatMap((graph) => [...namesWithin(graph)]));
  const names = new Map<string, string>();
  captures.forEach((name, i) => {
    const outer = inputs[own + i];
    if (outer !== name) names.set(name, inner.has(outer) ? alias(outer) : outer);
  });
  const renamed = names.size ? mapAttributes(proto, (graph) => readingAs(graph, names)) : proto;
  return {
    ...renamed,
    name: node.id,
    input: inputs.slice(0, own),
    output: proto.output.map((name, i) => (name === '' ? '' : node.outputs[i])),
  };
}

/** All names that a graph and its subgraphs define. */
function namesWithin(graph: GraphProto): Set<string> {
  const names = definedNames(graph);
  for (const node of graph.node) {
    for (const inner of subgraphsOf(node)) for (const name of namesWithin(inner)) names.add(name);
  }
  return names;
}

/** A subgraph that reads values from outside under other names. What it defines itself hides what is outside. */
function readingAs(graph: GraphProto, names: ReadonlyMap<string, string>): GraphProto {
  const own = definedNames(graph);
  const outer = new Map([...names].filter(([name]) => !own.has(name)));
  if (outer.size === 0) return graph;
  const as = (name: string) => outer.get(name) ?? name;
  return {
    ...graph,
    node: graph.node.map((node) => ({
      ...mapAttributes(node, (inner) => readingAs(inner, outer)),
      input: node.input.map(as),
    })),
    output: graph.output.map((value) => ({ ...value, name: as(value.name ?? '') })),
  };
}
