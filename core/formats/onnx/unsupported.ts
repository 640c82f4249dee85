/** Finds every operator of a model that Whittle has no reader for. */
import type { Issue } from '../../contract/errors.ts';
import { onnxReaders } from '../../ops/registry.ts';
import { nodeName, normalDomain, operatorName } from './node-view.ts';
import type { GraphProto, NodeProto } from './schema.ts';
import { allNodes } from './subgraphs.ts';

/** An operator that the importer itself takes apart. */
export function isSteering(node: NodeProto): boolean {
  const name = operatorName(node);
  return name === 'If' || name === 'Loop';
}

/** One issue per operator, with its domain, how many nodes use it, and their names. */
export function unsupportedOperators(
  graph: GraphProto,
  opsets: ReadonlyMap<string, number>,
): Map<string, Issue> {
  const found = new Map<string, NodeProto[]>();
  for (const node of allNodes(graph)) {
    if (isSteering(node)) continue;
    const op = operatorName(node);
    const versions = Object.keys(onnxReaders[op] ?? {}).map(Number);
    const opset = opsets.get(normalDomain(node.domain)) ?? 0;
    if (versions.some((version) => version <= opset)) continue;
    const nodes = found.get(op);
    if (nodes) nodes.push(node);
    else found.set(op, [node]);
  }
  return new Map([...found].map(([op, nodes]) => [op, issueFor(op, nodes)]));
}

function issueFor(op: string, nodes: readonly NodeProto[]): Issue {
  const domain = normalDomain(nodes[0].domain);
  const names = nodes.slice(0, 3).map((node) => `"${nodeName(node)}"`);
  const more = nodes.length > names.length ? ` and ${nodes.length - names.length} more` : '';
  const what = domain
    ? `${nodes[0].opType} of the domain ${domain} (${domain}:${nodes[0].opType})`
    : `${nodes[0].opType}`;
  return {
    code: 'model.unsupported-operator',
    severity: 'error',
    op: domain ? `${domain}:${nodes[0].opType}` : op,
    node: nodeName(nodes[0]),
    message: `The operator ${what} is not supported; ${nodes.length} ${nodes.length > 1 ? 'nodes use' : 'node uses'} it: ${names.join(', ')}${more}.`,
    ...(domain && {
      hint:
        domain === 'com.microsoft'
          ? "onnxruntime's optimizer or quantizer wrote it: start from the model that it was given."
          : 'Only operators of the standard ONNX domain can be converted; export the model without custom operators.',
    }),
  };
}
