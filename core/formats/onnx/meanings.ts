/** Opsets in which operators of ai.onnx took on another meaning (onnx, docs/Changelog.md). */

import { normalDomain } from './node-view.ts';
import { type AttributeProto, attributeTypes, type NodeProto } from './schema.ts';
import { mapAttributes } from './subgraphs.ts';

/** Says in a newer opset what a node said in the one before; undefined where no node of the same operator can. */
type Upgrade = (node: NodeProto) => NodeProto | undefined;

const none: Upgrade = () => undefined;

/**
 * From these opsets on the same NodeProto means something else, or nothing: attributes became inputs, defaults changed,
 * the operator was withdrawn. Changes that only allow more are left out. Opsets up to 7 are not listed.
 */
const upgrades: Readonly<Record<string, Readonly<Record<number, Upgrade>>>> = {
  BatchNormalization: { 9: none, 14: none },
  Clip: { 11: none },
  DFT: { 20: none },
  Dropout: { 12: none },
  GridSample: { 20: (node) => withString(node, 'mode', (mode) => mode.replace(/^bi(?=linear|cubic)/, '')) },
  GroupNormalization: { 21: none },
  Hardmax: { 13: none },
  LogSoftmax: { 13: none },
  Pad: { 11: none },
  ReduceL1: { 18: none },
  ReduceL2: { 18: none },
  ReduceLogSum: { 18: none },
  ReduceLogSumExp: { 18: none },
  ReduceMax: { 18: none },
  ReduceMean: { 18: none },
  ReduceMin: { 18: none },
  ReduceProd: { 18: none },
  ReduceSum: { 13: none },
  ReduceSumSquare: { 18: none },
  Resize: { 11: none },
  RoiAlign: { 16: (node) => withString(node, 'coordinate_transformation_mode', () => 'output_half_pixel') },
  Scan: { 9: none },
  Scatter: { 11: none },
  Slice: { 10: none },
  Softmax: { 13: none },
  Split: { 13: none, 18: none },
  Squeeze: { 13: none },
  TopK: { 10: none },
  Unsqueeze: { 13: none },
  Upsample: { 9: none, 10: none },
};

/** A node with a string attribute changed, or given where the operator's own default would not do. */
function withString(node: NodeProto, name: string, change: (text: string) => string): NodeProto {
  const known = node.attribute.find((attribute) => attribute.name === name);
  const text = change(known ? new TextDecoder().decode(known.s) : '');
  if (text === '') return node;
  const base: AttributeProto = known ?? {
    name,
    type: attributeTypes.string,
    floats: [],
    ints: [],
    strings: [],
  };
  const others = node.attribute.filter((attribute) => attribute !== known);
  return { ...node, attribute: [...others, { ...base, s: new TextEncoder().encode(text) }] };
}

/** Says of a node that cannot be upgraded which one it is; one of its subgraphs may hold it. */
export class MeaningChanged extends Error {
  readonly node: NodeProto;

  constructor(node: NodeProto) {
    super(`${node.opType} means something else`);
    this.node = node;
  }
}

/**
 * A node of one opset of ai.onnx as a model of another opset says it, with all that its subgraphs hold.
 * @throws MeaningChanged where that opset cannot say it.
 */
export function inOpset(node: NodeProto, from: number, to: number): NodeProto {
  if (from === to) return node;
  const whole = mapAttributes(node, (graph) => ({
    ...graph,
    node: graph.node.map((inner) => inOpset(inner, from, to)),
  }));
  if (normalDomain(node.domain) !== '') return whole;
  if (from < 7 || to < from) throw new MeaningChanged(node);
  return Object.entries(upgrades[node.opType ?? ''] ?? {})
    .filter(([opset]) => from < Number(opset) && Number(opset) <= to)
    .reduce((current, [, upgrade]): NodeProto => {
      const upgraded = upgrade(current);
      if (!upgraded) throw new MeaningChanged(node);
      return upgraded;
    }, whole);
}

/** Whether a model of a newer opset can say what a node says. */
export function canBeIn(node: NodeProto, from: number, to: number): boolean {
  try {
    inOpset(node, from, to);
    return true;
  } catch (error) {
    if (error instanceof MeaningChanged) return false;
    throw error;
  }
}
