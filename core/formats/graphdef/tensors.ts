/** TensorFlow's TensorProto and raw bytes as tensors of the IR. */
import { WhittleError } from '../../contract/errors.ts';
import { byteLength, type DType, dtypeBits, storageArray, type TypedArray } from '../../ir/dtype.ts';
import { elementCount, type Tensor, tensorOf } from '../../ir/tensor.ts';
import { tensorFrom } from '../../ops/fold-helpers.ts';
import { dataTypeNames, dataTypes, type ShapeProto, type TensorProto } from './schema.ts';

/** A constant that a few bytes of the file blow up to more than this is refused. */
const largestFill = 2 ** 28;

export function invalid(name: string, message: string): WhittleError {
  return new WhittleError('model.invalid', message, {
    issues: [{ code: 'model.invalid', severity: 'error', node: name, message }],
  });
}

/** The IR's element type. @throws WhittleError naming the tensor and its type. */
export function dtypeOf(name: string, type: number | undefined): DType {
  const dtype = dataTypes[type ?? 0];
  if (dtype && dtype !== 'string') return dtype;
  const typeName = dataTypeNames[type ?? 0] ?? `type ${type ?? 0}`;
  throw invalid(name, `The tensor "${name}" is of type ${typeName}, which Whittle does not handle.`);
}

/** A shape of which every dimension is known. */
export function closedShape(name: string, shape: ShapeProto | undefined): number[] {
  const dims = (shape?.dim ?? []).map(({ size }) => size ?? 0);
  if (shape?.unknownRank || dims.some((dim) => dim < 0) || !Number.isSafeInteger(elementCount(dims))) {
    throw invalid(name, `The tensor "${name}" has the impossible shape [${dims.join(', ')}].`);
  }
  return dims;
}

/**
 * A constant: a view on `tensor_content` where the file has it, else from the typed fields, of which the last element
 * stands for all that follow (tensor.proto).
 * @throws WhittleError `model.invalid` naming the tensor.
 */
export function tensorFromProto(proto: TensorProto, name: string): Tensor {
  const dtype = dtypeOf(name, proto.dtype);
  const shape = closedShape(name, proto.tensorShape);
  const count = elementCount(shape);
  const needed = byteLength(dtype, count);
  const content = proto.tensorContent;
  if (content && content.byteLength > 0) {
    if (content.byteLength !== needed) throw sizeMismatch(name, dtype, shape, content.byteLength, needed);
    return { dtype, shape, bytes: content };
  }
  const stored = storedElements(proto, dtype);
  if (stored.length > count) {
    throw invalid(
      name,
      `The tensor "${name}" of shape [${shape.join(', ')}] lists ${stored.length} elements.`,
    );
  }
  if (stored.length < count && needed > largestFill) {
    throw invalid(name, `The tensor "${name}" repeats one value ${count} times, which is not read.`);
  }
  return spread(stored, dtype, shape, count);
}

function sizeMismatch(
  name: string,
  dtype: DType,
  shape: readonly number[],
  has: number,
  needed: number,
): WhittleError {
  return invalid(
    name,
    `The tensor "${name}" of type ${dtype} and shape [${shape.join(', ')}] needs ${needed} bytes; the file has ${has}.`,
  );
}

/** tensor.proto: which field holds which element types. */
function storedElements(proto: TensorProto, dtype: DType): TypedArray {
  switch (dtype) {
    case 'float32':
    case 'float64': {
      const bytes = (dtype === 'float32' ? proto.floatVal : proto.doubleVal) ?? new Uint8Array(0);
      return new storageArray[dtype](new Uint8Array(bytes).buffer);
    }
    case 'float16':
    case 'bfloat16':
      return Uint16Array.from(proto.halfVal ?? [], Number);
    case 'int64':
      return BigInt64Array.from(proto.int64Val ?? []);
    case 'uint64':
      return BigUint64Array.from(proto.uint64Val ?? [], (value) => BigInt.asUintN(64, value));
    default: {
      const values = { bool: proto.boolVal, uint32: proto.uint32Val }[dtype as 'bool'] ?? proto.intVal ?? [];
      const tensor = tensorFrom(dtype, [values.length], values);
      return new storageArray[dtype as 'int32'](tensor.bytes.buffer as ArrayBuffer);
    }
  }
}

function spread(stored: TypedArray, dtype: DType, shape: readonly number[], count: number): Tensor {
  if (stored.length === count) return tensorOf(dtype, shape, stored);
  const array = storageArray[dtype as keyof typeof storageArray] as new (n: number) => TypedArray;
  const data = new array(count);
  data.set(stored as never);
  if (stored.length > 0) data.fill(stored[stored.length - 1] as never, stored.length);
  return tensorOf(dtype, shape, data);
}

/** A tensor on bytes that lie elsewhere. @throws WhittleError when they are not as many as the shape needs. */
export function tensorOnBytes(
  name: string,
  dtype: DType,
  shape: readonly number[],
  bytes: Uint8Array,
): Tensor {
  const needed = Math.ceil((elementCount(shape) * dtypeBits[dtype]) / 8);
  if (bytes.byteLength !== needed) throw sizeMismatch(name, dtype, shape, bytes.byteLength, needed);
  return { dtype, shape, bytes };
}
