/** Writes out the functions that a model brings along (onnx, docs/IR.md, "Functions"). */
import { WhittleError } from '../../contract/errors.ts';
import { nodeName, normalDomain, operatorName } from './node-view.ts';
import type { AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto } from './schema.ts';
import { mapAttributes, subgraphsOf } from './subgraphs.ts';

/** Functions that call functions can stand for very many nodes; no real model has this many. */
const mostNodes = 200_000;
const deepest = 50;

function key(domain: string | undefined, name: string | undefined, overload: string | undefined): string {
  return [normalDomain(domain), name ?? '', overload ?? ''].join('\n');
}

/**
 * The same model without function calls: each is replaced by the nodes of its body, whose inner names are made
 * unique and whose attributes take the values of the call.
 * @throws WhittleError `model.invalid` for functions that call themselves, or bodies of another opset than the model.
 */
export function inlineFunctions(model: ModelProto): ModelProto {
  if (model.functions.length === 0 || !model.graph) return model;
  const inliner = new Inliner(model);
  return {
    ...model,
    graph: inliner.graph(model.graph, 0),
    opsetImport: [...inliner.opsets].map(([domain, version]) => ({ domain, version })),
    functions: [],
  };
}

class Inliner {
  readonly opsets: Map<string, number>;
  private readonly functions: Map<string, FunctionProto>;
  private calls = 0;
  private nodes = 0;

  constructor(model: ModelProto) {
    this.opsets = new Map(
      model.opsetImport.map(({ domain, version }) => [normalDomain(domain), version ?? 1]),
    );
    this.functions = new Map(model.functions.map((f) => [key(f.domain, f.name, f.overload), f]));
  }

  graph(graph: GraphProto, depth: number): GraphProto {
    return { ...graph, node: graph.node.flatMap((node) => this.node(node, depth)) };
  }

  private node(node: NodeProto, depth: number): NodeProto[] {
    const body = this.functions.get(key(node.domain, node.opType, node.overload));
    if (++this.nodes > mostNodes || depth > deepest) {
      throw new WhittleError('model.invalid', 'The functions of the model call each other without end.');
    }
    if (body) return this.call(node, body, depth);
    if (subgraphsOf(node).length === 0) return [node];
    return [mapAttributes(node, (graph) => this.graph(graph, depth + 1))];
  }

  private call(node: NodeProto, body: FunctionProto, depth: number): NodeProto[] {
    this.adoptOpsets(node, body);
    const prefix = `${nodeName(node)}/${this.calls++}/`;
    const names = new Map<string, string>();
    body.input.forEach((name, i) => {
      names.set(name, node.input[i] ?? '');
    });
    body.output.forEach((name, i) => {
      if (node.output[i]) names.set(name, node.output[i]);
    });
    const attributes = new Map(body.attributeProto.map((a) => [a.name ?? '', a]));
    for (const a of node.attribute) attributes.set(a.name ?? '', a);
    const rename = (name: string) => (name === '' ? '' : (names.get(name) ?? prefix + name));
    return body.node
      .map((inner) => renamed(inner, rename, attributes, prefix))
      .flatMap((inner) => this.node(inner, depth + 1));
  }

  private adoptOpsets(node: NodeProto, body: FunctionProto): void {
    for (const { domain, version = 1 } of body.opsetImport) {
      const name = normalDomain(domain);
      const known = this.opsets.get(name);
      if (known === undefined) this.opsets.set(name, version);
      else if (known !== version) {
        throw new WhittleError(
          'model.invalid',
          `The function ${operatorName(node)} is written for opset ${version} of "${name || 'ai.onnx'}"; the model is of opset ${known}.`,
          { hint: 'Inline the functions with onnx.inliner, or export the model again.' },
        );
      }
    }
  }
}

function renamed(
  node: NodeProto,
  rename: (name: string) => string,
  attributes: ReadonlyMap<string, AttributeProto>,
  prefix: string,
): NodeProto {
  return {
    ...node,
    name: prefix + (node.name || (node.output[0] ?? '')),
    input: node.input.map(rename),
    output: node.output.map(rename),
    attribute: node.attribute.flatMap((attribute) => {
      const { refAttrName, g, graphs } = attribute;
      // A parameter that the call leaves out, and that has no default, leaves the attribute out.
      const value = refAttrName ? attributes.get(refAttrName) : attribute;
      if (!value) return [];
      const result = refAttrName ? { ...value, name: attribute.name } : attribute;
      const inner = (graph: GraphProto) => renamedGraph(graph, rename, attributes, prefix);
      return [g || graphs?.length ? { ...result, g: g && inner(g), graphs: graphs?.map(inner) } : result];
    }),
  };
}

function renamedGraph(
  graph: GraphProto,
  rename: (name: string) => string,
  attributes: ReadonlyMap<string, AttributeProto>,
  prefix: string,
): GraphProto {
  const renamedName = <T extends { name?: string }>(item: T): T => ({
    ...item,
    name: rename(item.name ?? ''),
  });
  return {
    ...graph,
    node: graph.node.map((node) => renamed(node, rename, attributes, prefix)),
    initializer: graph.initializer.map(renamedName),
    input: graph.input.map(renamedName),
    output: graph.output.map(renamedName),
    valueInfo: graph.valueInfo?.map(renamedName),
  };
}
