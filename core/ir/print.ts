import type { Attr, Graph, Node, QuantParams, Value, ValueId } from './graph.ts';
import { elementCount, type Tensor, toNumbers } from './tensor.ts';

function numberText(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}

function listText(values: readonly number[], limit: number): string {
  const shown = values.slice(0, limit).map(numberText).join(', ');
  return values.length > limit ? `${shown}, …` : shown;
}

/** Small whole-number constants in full, others by shape and their first elements. */
function tensorText(tensor: Tensor): string {
  const head = `${tensor.dtype}[${tensor.shape.join(', ')}]`;
  if (['string', 'int4', 'uint4'].includes(tensor.dtype) || elementCount(tensor.shape) > 4096) return head;
  return `${head}{${listText(toNumbers(tensor), 8)}}`;
}

function attrText(attr: Attr): string {
  if (typeof attr === 'number') return numberText(attr);
  if (typeof attr === 'string' || typeof attr === 'boolean') return String(attr);
  if (Array.isArray(attr)) return `[${attr.join(', ')}]`;
  if (attr && typeof attr === 'object' && 'nodes' in attr) return `graph of ${attr.nodes.length} nodes`;
  if (attr && typeof attr === 'object' && 'proto' in attr) return 'as in the source';
  return tensorText(attr as Tensor);
}

function quantText(quant: QuantParams | undefined): string {
  if (!quant) return '';
  const axis = quant.axis === undefined ? '' : ` axis ${quant.axis}`;
  return ` q(${listText(quant.scales, 3)}; ${listText(quant.zeroPoints, 3)}${axis})`;
}

function typeText(value: Value | undefined): string {
  return value ? `${value.type.dtype}[${value.type.shape.join(', ')}]${quantText(value.quant)}` : '?';
}

function inputText(graph: Graph, id: ValueId | null): string {
  if (id === null) return '_';
  const constant = graph.values.get(id)?.constant;
  return constant ? `%${id}=${tensorText(constant)}` : `%${id}`;
}

function nodeText(graph: Graph, node: Node): string {
  const outputs = node.outputs.map((id) => `%${id}: ${typeText(graph.values.get(id))}`).join(', ');
  const attrs = Object.entries(node.attrs)
    .filter(([, attr]) => attr !== undefined)
    .map(([name, attr]) => `${name}=${attrText(attr)}`)
    .join(' ');
  const inputs = node.inputs.map((id) => inputText(graph, id)).join(', ');
  return `  ${outputs} = ${node.op}(${inputs})${attrs ? ` {${attrs}}` : ''}`;
}

/** A graph as text, one node a line: for tests, golden files and reports. Weights show by shape and first elements. */
export function printGraph(graph: Graph): string {
  const inputs = graph.inputs.map((id) => `%${id}: ${typeText(graph.values.get(id))}`).join(', ');
  const lines = graph.nodes.map((node) => nodeText(graph, node));
  const outputs = graph.outputs.map((id) => `%${id}`).join(', ');
  return [`graph ${graph.name}(${inputs}) {`, ...lines, `  return ${outputs}`, '}', ''].join('\n');
}
