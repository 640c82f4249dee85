/** TensorProto to tensors and back. */
import { type Issue, WhittleError } from '../../contract/errors.ts';
import { byteLength, type DType } from '../../ir/dtype.ts';
import { contiguous, elementCount, type Tensor, tensorOf } from '../../ir/tensor.ts';
import { tensorFrom } from '../../ops/fold-helpers.ts';
import { dataTypeNames, dataTypeOf, dataTypes, type TensorProto } from './schema.ts';

/** Bytes of tensors that are stored outside of the model file. */
export type ExternalBytes = ReadonlyMap<TensorProto, Uint8Array>;

function invalid(name: string, message: string): WhittleError {
  return new WhittleError('model.invalid', message, { issues: [invalidIssue(name, message)] });
}

function invalidIssue(node: string, message: string): Issue {
  return { code: 'model.invalid', severity: 'error', node, message };
}

/** Whether a tensor is of a type that the IR holds. */
export function holdsTensor({ dataType = 0 }: TensorProto): boolean {
  return dataTypes[dataType] !== undefined && dataTypes[dataType] !== 'string';
}

/** What is said of a tensor that the IR does not hold. */
export function unheldTensor(proto: TensorProto, name = proto.name ?? 'tensor'): Issue {
  const typeName = dataTypeNames[proto.dataType ?? 0] ?? `type ${proto.dataType ?? 0}`;
  return invalidIssue(name, `The tensor "${name}" is of type ${typeName}, which Whittle does not handle.`);
}

/**
 * A tensor on the file's own bytes where it stores raw data; typed fields are converted.
 * @throws WhittleError `model.invalid` naming the tensor: a type that cannot be held, a size that does not match.
 */
export function tensorFromProto(
  proto: TensorProto,
  external?: ExternalBytes,
  fallbackName = 'tensor',
): Tensor {
  const name = proto.name || fallbackName;
  const dtype = dataTypes[proto.dataType ?? 0];
  if (!holdsTensor(proto)) throw invalid(name, unheldTensor(proto, name).message);
  const shape = proto.dims;
  if (shape.some((dim) => dim < 0) || elementCount(shape) > Number.MAX_SAFE_INTEGER) {
    throw invalid(name, `The tensor "${name}" has the impossible shape [${shape.join(', ')}].`);
  }
  const bytes = external?.get(proto) ?? proto.rawData;
  const needed = byteLength(dtype, elementCount(shape));
  if (bytes) {
    if (bytes.byteLength !== needed) throw sizeMismatch(name, dtype, shape, bytes.byteLength, needed);
    return { dtype, shape, bytes };
  }
  return typedFields(proto, name, dtype, shape, needed);
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

/** onnx.proto, TensorProto: which typed field holds which element types. */
function typedFields(
  proto: TensorProto,
  name: string,
  dtype: DType,
  shape: readonly number[],
  needed: number,
): Tensor {
  if (dtype === 'float32' || dtype === 'float64') {
    const bytes = (dtype === 'float32' ? proto.floatData : proto.doubleData) ?? new Uint8Array(0);
    if (bytes.byteLength !== needed) throw sizeMismatch(name, dtype, shape, bytes.byteLength, needed);
    return { dtype, shape, bytes };
  }
  const values =
    (dtype === 'int64'
      ? proto.int64Data
      : dtype === 'uint64' || dtype === 'uint32'
        ? proto.uint64Data
        : proto.int32Data) ?? [];
  const packed = dtype === 'int4' || dtype === 'uint4';
  const count = packed ? needed : elementCount(shape);
  if (values.length !== count) {
    throw invalid(
      name,
      `The tensor "${name}" of shape [${shape.join(', ')}] needs ${count} elements; the file has ${values.length}.`,
    );
  }
  if (packed) return { dtype, shape, bytes: Uint8Array.from(values, Number) };
  if (dtype === 'float16' || dtype === 'bfloat16') {
    return tensorOf(dtype, shape, Uint16Array.from(values, Number));
  }
  return tensorFrom(dtype, shape, values);
}

/** A TensorProto with raw data in row-major order; permuted views are written out here. */
export function tensorToProto(name: string, tensor: Tensor): TensorProto {
  return {
    dims: [...tensor.shape],
    dataType: dataTypeOf(tensor.dtype),
    stringData: [],
    name,
    rawData: contiguous(tensor).bytes,
    externalData: [],
  };
}
