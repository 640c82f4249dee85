import { WhittleError } from '../contract/errors.ts';
import type { QuantParams } from '../ir/graph.ts';
import { type ByteView, fieldAt, follow, int32s, tables, text, uint32, vectorAt } from './flatbuffer.ts';

/**
 * Slots of the TFLite schema (schema.fbs) that a runtime would follow when it loads a file. The whole schema lives
 * with the TFLite format.
 */
const slots = {
  model: { operatorCodes: 1, subgraphs: 2, buffers: 4, metadata: 6, signatures: 7 },
  subgraph: { tensors: 0, inputs: 1, outputs: 2, operators: 3, name: 4 },
  tensor: { shape: 0, buffer: 2, name: 3, quantization: 4, shapeSignature: 7 },
  quantization: { min: 0, max: 1, scale: 2, zeroPoint: 3 },
  operator: {
    code: 0,
    inputs: 1,
    outputs: 2,
    builtinOptions: 4,
    customOptions: 5,
    intermediates: 8,
    moreOptions: 12,
  },
  operatorCode: { customCode: 1 },
  buffer: { data: 0, offset: 1, size: 2 },
  metadata: { name: 0, buffer: 1 },
  signature: { inputs: 0, outputs: 1, key: 2, subgraph: 4 },
  tensorMap: { name: 0, tensor: 1 },
} as const;

/** What LiteRT's WASM binding does not tell about a tensor: its quantization, and the shape that is allocated. */
export interface TflitePort {
  readonly shape: readonly number[];
  readonly quant?: QuantParams;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** "TFL3" at byte 4. */
const identifier = 0x334c4654;

/**
 * Walks a .tflite from its root to every tensor, operator and buffer and checks that all of it lies inside the file
 * and that every index has something to point at. LiteRT's own library does not, and crashes on what fails here.
 * @throws WhittleError `format.damaged` saying what points where
 */
export function verifyTflite(file: Uint8Array | ByteView, label: string): void {
  try {
    const view = file instanceof Uint8Array ? viewOf(file) : file;
    if (view.byteLength < 8 || view.getUint32(4, true) !== identifier)
      throw new RangeError('it does not have the identifier TFL3 at byte 4');
    verifyModel(view);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new WhittleError('format.damaged', `${label} is not a whole TFLite file: ${cause.message}`, {
      hint: 'the file may have been cut off while it was copied or downloaded',
      cause,
    });
  }
}

function verifyModel(file: ByteView): void {
  const model = follow(file, 0);
  const buffers = tables(file, model, slots.model.buffers);
  for (const buffer of buffers) verifyBuffer(file, buffer);
  const codes = tables(file, model, slots.model.operatorCodes);
  for (const code of codes) vectorAt(file, code, slots.operatorCode.customCode, 1);
  const subgraphs = tables(file, model, slots.model.subgraphs);
  if (subgraphs.length === 0) throw new RangeError('it has no subgraph');
  const tensorCounts = subgraphs.map((subgraph) =>
    verifySubgraph(file, subgraph, codes.length, buffers.length),
  );
  for (const metadata of tables(file, model, slots.model.metadata)) {
    vectorAt(file, metadata, slots.metadata.name, 1);
    checkIndex('a metadata buffer', uint32(file, metadata, slots.metadata.buffer), buffers.length);
  }
  for (const signature of tables(file, model, slots.model.signatures)) {
    vectorAt(file, signature, slots.signature.key, 1);
    const subgraph = uint32(file, signature, slots.signature.subgraph);
    checkIndex('a signature', subgraph, subgraphs.length);
    for (const slot of [slots.signature.inputs, slots.signature.outputs])
      for (const map of tables(file, signature, slot)) {
        vectorAt(file, map, slots.tensorMap.name, 1);
        checkIndex('a signature', uint32(file, map, slots.tensorMap.tensor), tensorCounts[subgraph]);
      }
  }
}

function verifyBuffer(file: ByteView, buffer: number): void {
  vectorAt(file, buffer, slots.buffer.data, 1);
  // Files above 2 GB keep their data behind the FlatBuffer, at an offset of 64 bits.
  const offset = fieldAt(file, buffer, slots.buffer.offset);
  const size = fieldAt(file, buffer, slots.buffer.size);
  if (offset === undefined || size === undefined) return;
  const end = file.getBigUint64(offset, true) + file.getBigUint64(size, true);
  if (file.getBigUint64(offset, true) > 1n && end > BigInt(file.byteLength))
    throw new RangeError(`a buffer ends at byte ${end} of ${file.byteLength}`);
}

/** @returns the number of tensors */
function verifySubgraph(file: ByteView, subgraph: number, codes: number, buffers: number): number {
  vectorAt(file, subgraph, slots.subgraph.name, 1);
  const tensors = tables(file, subgraph, slots.subgraph.tensors);
  for (const tensor of tensors) {
    int32s(file, tensor, slots.tensor.shape);
    int32s(file, tensor, slots.tensor.shapeSignature);
    vectorAt(file, tensor, slots.tensor.name, 1);
    checkIndex('a tensor', uint32(file, tensor, slots.tensor.buffer), buffers);
    const field = fieldAt(file, tensor, slots.tensor.quantization);
    if (field === undefined) continue;
    const quantization = follow(file, field);
    for (const slot of [slots.quantization.min, slots.quantization.max, slots.quantization.scale])
      vectorAt(file, quantization, slot, 4);
    vectorAt(file, quantization, slots.quantization.zeroPoint, 8);
  }
  for (const slot of [slots.subgraph.inputs, slots.subgraph.outputs])
    for (const index of int32s(file, subgraph, slot)) checkIndex('the graph', index, tensors.length);
  for (const operator of tables(file, subgraph, slots.subgraph.operators)) {
    checkIndex('an operator', uint32(file, operator, slots.operator.code), codes);
    // −1 is an optional input that is left out.
    for (const slot of [slots.operator.inputs, slots.operator.outputs, slots.operator.intermediates])
      for (const index of int32s(file, operator, slot))
        if (index !== -1) checkIndex('an operator', index, tensors.length);
    vectorAt(file, operator, slots.operator.customOptions, 1);
    for (const slot of [slots.operator.builtinOptions, slots.operator.moreOptions]) {
      const options = fieldAt(file, operator, slot);
      if (options !== undefined) fieldAt(file, follow(file, options), 0);
    }
  }
  return tensors.length;
}

function checkIndex(what: string, index: number, count: number): void {
  if (index < 0 || index >= count) throw new RangeError(`${what} points at number ${index} of ${count}`);
}

/**
 * Ports of a .tflite by the names that a runtime gives them: a signature's names where there is one, else tensor names.
 * The file is one that `verifyTflite` has passed.
 */
export function tflitePorts(bytes: Uint8Array, signature: number): Map<string, TflitePort> {
  const file = viewOf(bytes);
  const model = follow(file, 0);
  const entry = tables(file, model, slots.model.signatures)[signature];
  const index = entry === undefined ? 0 : uint32(file, entry, slots.signature.subgraph);
  const subgraph = tables(file, model, slots.model.subgraphs)[index];
  const tensors = tables(file, subgraph, slots.subgraph.tensors);
  const ports = new Map<string, TflitePort>();
  if (entry !== undefined) {
    for (const slot of [slots.signature.inputs, slots.signature.outputs])
      for (const map of tables(file, entry, slot)) {
        const tensor = tensors[uint32(file, map, slots.tensorMap.tensor)];
        ports.set(text(file, map, slots.tensorMap.name), portOf(file, tensor));
      }
    return ports;
  }
  for (const slot of [slots.subgraph.inputs, slots.subgraph.outputs])
    for (const tensor of int32s(file, subgraph, slot))
      ports.set(text(file, tensors[tensor], slots.tensor.name), portOf(file, tensors[tensor]));
  return ports;
}

function portOf(file: DataView, tensor: number): TflitePort {
  const shape = int32s(file, tensor, slots.tensor.shape);
  const field = fieldAt(file, tensor, slots.tensor.quantization);
  if (field === undefined) return { shape };
  const quantization = follow(file, field);
  const scales = vectorAt(file, quantization, slots.quantization.scale, 4);
  const zeroPoints = vectorAt(file, quantization, slots.quantization.zeroPoint, 8);
  if (scales.count !== 1) return { shape };
  return {
    shape,
    quant: {
      scales: [file.getFloat32(scales.start, true)],
      zeroPoints: [zeroPoints.count === 1 ? Number(file.getBigInt64(zeroPoints.start, true)) : 0],
    },
  };
}
