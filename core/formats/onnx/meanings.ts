/** Opsets in which operators of ai.onnx took on another meaning (onnx, docs/Changelog.md). */
import { normalDomain } from './node-view.ts';
import type { NodeProto } from './schema.ts';

/**
 * From these opsets on the same NodeProto means something else, or nothing: attributes became inputs, defaults changed,
 * the operator was withdrawn. Changes that only allow more are left out. Opsets up to 7 are not listed.
 */
const changed: Readonly<Record<string, readonly number[]>> = {
  BatchNormalization: [9, 14],
  Clip: [11],
  DFT: [20],
  Dropout: [12],
  GridSample: [20],
  GroupNormalization: [21],
  Hardmax: [13],
  LogSoftmax: [13],
  Pad: [11],
  ReduceL1: [18],
  ReduceL2: [18],
  ReduceLogSum: [18],
  ReduceLogSumExp: [18],
  ReduceMax: [18],
  ReduceMean: [18],
  ReduceMin: [18],
  ReduceProd: [18],
  ReduceSum: [13],
  ReduceSumSquare: [18],
  Resize: [11],
  RoiAlign: [16],
  Scan: [9],
  Scatter: [11],
  Slice: [10],
  Softmax: [13],
  Split: [13, 18],
  Squeeze: [13],
  TopK: [10],
  Unsqueeze: [13],
  Upsample: [9, 10],
};

/** Whether a node of one opset of ai.onnx can stand as it is in a model of a newer one. */
export function keepsMeaning(node: NodeProto, from: number, to: number): boolean {
  if (normalDomain(node.domain) !== '' || from === to) return true;
  if (from < 7 || to < from) return false;
  return !(changed[node.opType ?? ''] ?? []).some((opset) => from < opset && opset <= to);
}
