/** The parts of onnx.proto (ONNX IR version 13) that a model for inference uses: field ids and types. */
import type { DType } from '../../ir/dtype.ts';
import { many, one, type Table } from '../protobuf/wire.ts';

export interface StringEntry {
  key?: string;
  value?: string;
}

export interface TensorProto {
  dims: number[];
  dataType?: number;
  /** Little-endian float32 bytes; complex numbers too, which are refused. */
  floatData?: Uint8Array;
  int32Data?: bigint[];
  stringData: Uint8Array[];
  int64Data?: bigint[];
  name?: string;
  rawData?: Uint8Array;
  doubleData?: Uint8Array;
  uint64Data?: bigint[];
  externalData: StringEntry[];
  dataLocation?: number;
}

export interface Dimension {
  dimValue?: number;
  dimParam?: string;
}

export interface TensorShapeProto {
  dim: Dimension[];
}

export interface TensorTypeProto {
  elemType?: number;
  shape?: TensorShapeProto;
}

/** Of types other than tensors only the bytes are kept. */
export interface TypeProto {
  tensorType?: TensorTypeProto;
  sequenceType?: Uint8Array;
  mapType?: Uint8Array;
  sparseTensorType?: Uint8Array;
  optionalType?: Uint8Array;
}

export interface ValueInfoProto {
  name?: string;
  type?: TypeProto;
}

export interface AttributeProto {
  name?: string;
  f?: number;
  i?: number;
  s?: Uint8Array;
  t?: TensorProto;
  g?: GraphProto;
  floats: number[];
  ints: number[];
  strings: Uint8Array[];
  type?: number;
  refAttrName?: string;
  tensors?: TensorProto[];
  graphs?: GraphProto[];
  /** Kinds that no reader looks into. */
  sparseTensor?: Uint8Array;
  sparseTensors?: Uint8Array[];
  typeProto?: Uint8Array;
  typeProtos?: Uint8Array[];
}

export interface NodeProto {
  input: string[];
  output: string[];
  name?: string;
  opType?: string;
  domain?: string;
  overload?: string;
  attribute: AttributeProto[];
}

export interface FunctionProto {
  name?: string;
  input: string[];
  output: string[];
  attributeProto: AttributeProto[];
  node: NodeProto[];
  opsetImport: OperatorSetIdProto[];
  domain?: string;
  overload?: string;
}

export interface GraphProto {
  node: NodeProto[];
  name?: string;
  initializer: TensorProto[];
  sparseInitializer: Uint8Array[];
  input: ValueInfoProto[];
  output: ValueInfoProto[];
  /** Types of inner values. */
  valueInfo?: ValueInfoProto[];
}

export interface OperatorSetIdProto {
  domain?: string;
  version?: number;
}

export interface ModelProto {
  irVersion?: number;
  producerName?: string;
  producerVersion?: string;
  docString?: string;
  opsetImport: OperatorSetIdProto[];
  graph?: GraphProto;
  metadataProps: StringEntry[];
  functions: FunctionProto[];
}

const stringEntry: Table<StringEntry> = { key: one(1, 'string'), value: one(2, 'string') };

const tensor: Table<TensorProto> = {
  dims: many(1, 'int'),
  dataType: one(2, 'int'),
  floatData: one(4, 'fixed32'),
  int32Data: one(5, 'varints'),
  stringData: many(6, 'bytes'),
  int64Data: one(7, 'varints'),
  name: one(8, 'string'),
  rawData: one(9, 'bytes'),
  doubleData: one(10, 'fixed64'),
  uint64Data: one(11, 'varints'),
  externalData: many(13, () => stringEntry),
  dataLocation: one(14, 'int'),
};

const dimension: Table<Dimension> = { dimValue: one(1, 'int'), dimParam: one(2, 'string') };
const tensorShape: Table<TensorShapeProto> = { dim: many(1, () => dimension) };
const tensorType: Table<TensorTypeProto> = { elemType: one(1, 'int'), shape: one(2, () => tensorShape) };
const type: Table<TypeProto> = {
  tensorType: one(1, () => tensorType),
  sequenceType: one(4, 'bytes'),
  mapType: one(5, 'bytes'),
  sparseTensorType: one(8, 'bytes'),
  optionalType: one(9, 'bytes'),
};
const valueInfo: Table<ValueInfoProto> = { name: one(1, 'string'), type: one(2, () => type) };

const attribute: Table<AttributeProto> = {
  name: one(1, 'string'),
  f: one(2, 'float'),
  i: one(3, 'int'),
  s: one(4, 'bytes'),
  t: one(5, () => tensor),
  g: one(6, () => graph),
  floats: many(7, 'float'),
  ints: many(8, 'int'),
  strings: many(9, 'bytes'),
  type: one(20, 'int'),
  refAttrName: one(21, 'string'),
  tensors: many(10, () => tensor),
  graphs: many(11, () => graph),
  sparseTensor: one(22, 'bytes'),
  sparseTensors: many(23, 'bytes'),
  typeProto: one(14, 'bytes'),
  typeProtos: many(15, 'bytes'),
};

const node: Table<NodeProto> = {
  input: many(1, 'string'),
  output: many(2, 'string'),
  name: one(3, 'string'),
  opType: one(4, 'string'),
  domain: one(7, 'string'),
  overload: one(8, 'string'),
  attribute: many(5, () => attribute),
};

const graph: Table<GraphProto> = {
  node: many(1, () => node),
  name: one(2, 'string'),
  initializer: many(5, () => tensor),
  sparseInitializer: many(15, 'bytes'),
  input: many(11, () => valueInfo),
  output: many(12, () => valueInfo),
  valueInfo: many(13, () => valueInfo),
};

const operatorSet: Table<OperatorSetIdProto> = { domain: one(1, 'string'), version: one(2, 'int') };

const functionTable: Table<FunctionProto> = {
  name: one(1, 'string'),
  input: many(4, 'string'),
  output: many(5, 'string'),
  attributeProto: many(11, () => attribute),
  node: many(7, () => node),
  opsetImport: many(9, () => operatorSet),
  domain: one(10, 'string'),
  overload: one(13, 'string'),
};

export const modelTable: Table<ModelProto> = {
  irVersion: one(1, 'int'),
  opsetImport: many(8, () => operatorSet),
  producerName: one(2, 'string'),
  producerVersion: one(3, 'string'),
  docString: one(6, 'string'),
  graph: one(7, () => graph),
  metadataProps: many(14, () => stringEntry),
  functions: many(25, () => functionTable),
};

/** TensorProto.DataType; the types that Whittle does not hold are missing. */
export const dataTypes: Readonly<Record<number, DType>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
  16: 'bfloat16',
  21: 'uint4',
  22: 'int4',
};

/** Names of the types above for messages, the ones that are refused included. */
export const dataTypeNames: Readonly<Record<number, string>> = {
  ...dataTypes,
  14: 'complex64',
  15: 'complex128',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  23: 'float4e2m1',
  24: 'float8e8m0',
  25: 'uint2',
  26: 'int2',
};

export function dataTypeOf(dtype: DType): number {
  return Number(Object.keys(dataTypes).find((id) => dataTypes[Number(id)] === dtype));
}

/** AttributeProto.AttributeType. */
export const attributeTypes = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;

/** The ONNX IR version that came with each opset (onnx, docs/Versioning.md). */
export function irVersionFor(opset: number): number {
  if (opset <= 14) return 7;
  if (opset <= 18) return 8;
  if (opset <= 20) return 9;
  if (opset <= 22) return 10;
  if (opset === 23) return 11;
  return opset === 24 ? 12 : 13;
}

export const oldestOpset = 7;
/** Operators of the IR are written in this opset or a newer one: the first with scales per channel. */
export const oldestWritten = 13;
/** The newest opset whose operators have been checked against the readers' tables. */
export const newestOpset = 26;
