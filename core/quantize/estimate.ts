import type { Precision } from '../contract/views.ts';
import { dtypeBits } from '../ir/dtype.ts';
import { type Graph, valueNamed } from '../ir/graph.ts';
import { opaqueOf } from '../ir/opaque.ts';
import type { Tensor } from '../ir/tensor.ts';
import { sizeOf } from './constants.ts';
import { halfConstants } from './float16.ts';
import { floatOperands, ruleOf } from './rules.ts';
import { paramsBytes, storedType, type WeightPrecision, wideningBytes } from './stored-weights.ts';

/** What a TFLite file spends around its data, from files measured: fixed parts, one operator, one tensor. */
const fileBytes = 300;
const operatorBytes = 90;
const tensorBytes = 70;
/** The table of parameters of one quantized activation. */
const quantizedTensorBytes = 100;

/** How one constant counts: elements, channels of its quantized axis, and the slot it is in. */
interface Stored {
  readonly elements: number;
  readonly channels: number;
  readonly kind: 'weight' | 'bias' | 'activation' | 'other';
  readonly hybrid: boolean;
  readonly half: boolean;
  readonly rawBytes: number;
}

/**
 * Expected size of the .tflite file in bytes for each precision: constants by the rules of their slots, plus what
 * tables cost. An estimate, made without calibration and without reading more than a few bytes of a weight.
 */
export function estimateSizes(graph: Graph): Record<Precision, number> {
  const stored = storedConstants(graph);
  const computed = [...graph.values.values()].filter((value) => !value.constant).length;
  const opaque = graph.nodes.reduce((sum, node) => sum + (opaqueOf(node)?.storedBytes ?? 0), 0);
  const base =
    opaque + fileBytes + graph.nodes.length * operatorBytes + (computed + stored.length) * tensorBytes;
  const sum = (bytes: (constant: Stored) => number) =>
    Math.round(base + stored.reduce((total, constant) => total + bytes(constant), 0));
  const full = (constant: Stored, biasBytes: number) => {
    if (constant.kind === 'weight') return constant.elements + constant.channels * paramsBytes;
    if (constant.kind === 'bias') return constant.elements * (biasBytes + paramsBytes);
    return constant.kind === 'activation' ? constant.elements + paramsBytes : constant.rawBytes;
  };
  const integer = (biasBytes: number) =>
    sum((constant) => full(constant, biasBytes)) + computed * quantizedTensorBytes + 2 * wideningBytes;
  const weights = (precision: WeightPrecision) =>
    sum(({ kind, hybrid, half, elements, channels, rawBytes }) => {
      if (kind !== 'weight' || (precision === 'dynamic-int8' && !hybrid)) return rawBytes;
      const type = storedType(elements, channels, precision);
      if (!type) return half ? rawBytes / 2 + wideningBytes : rawBytes;
      const widening = precision === 'dynamic-int8' ? 0 : wideningBytes;
      return (elements * dtypeBits[type]) / 8 + channels * paramsBytes + widening;
    });
  const int8 = integer(4);
  return {
    float32: sum(({ rawBytes }) => rawBytes),
    float16: sum(({ half, rawBytes }) => (half ? rawBytes / 2 + wideningBytes : rawBytes)),
    'dynamic-int8': weights('dynamic-int8'),
    'weights-int8': weights('weights-int8'),
    'weights-int4': weights('weights-int4'),
    int8,
    int16x8: integer(8),
    auto: int8,
  };
}

function storedConstants(graph: Graph): Stored[] {
  const halves = halfConstants(graph);
  const stored = new Map<string, Stored>();
  const seen = new Set<string>();
  for (const node of graph.nodes) {
    const rule = ruleOf(node);
    const operands = rule ? floatOperands(graph, node, rule) : [];
    for (const id of node.inputs) {
      if (id === null || seen.has(id)) continue;
      seen.add(id);
      const value = valueNamed(graph, id);
      if (!value.constant) continue;
      const content = fingerprint(value.constant);
      if (stored.has(content)) continue;
      const slot = operands.find((operand) => operand.value.id === id)?.rule;
      const axis = slot?.kind === 'weight' ? slot.axis : null;
      stored.set(content, {
        elements: sizeOf(value.constant),
        channels: axis === null ? 1 : value.constant.shape[axis],
        kind: slot && slot.kind !== 'plain' ? slot.kind : 'other',
        hybrid: rule?.tflite.dynamicInt8 ?? false,
        half: halves.has(id),
        rawBytes: value.constant.bytes.byteLength,
      });
    }
  }
  return [...stored.values()];
}

/**
 * Tells constants apart by type, shape and a spread of their bytes: enough for an estimate. Whole words of eight bytes are
 * taken, since a byte at the same place in every number may be zero in all of them, as in reals that once were float16.
 */
function fingerprint({ dtype, shape, strides, bytes }: Tensor): string {
  const words = Math.ceil(bytes.byteLength / 8);
  const step = Math.max(1, words / 32);
  let spread = '';
  for (let word = 0; word < words; word += step) {
    const at = Math.floor(word) * 8;
    spread += String.fromCharCode(...bytes.subarray(at, at + 8));
  }
  return `${dtype} ${shape} ${strides ?? ''} ${spread}`;
}
