/** The parts of TensorFlow's graph.proto, function.proto, tensor.proto and op_def.proto that a graph for inference uses. */
import type { DType } from '../../ir/dtype.ts';
import { many, one, type Table } from '../protobuf/wire.ts';

export interface DimProto {
  size?: number;
}

export interface ShapeProto {
  dim: DimProto[];
  unknownRank?: number;
}

export interface TensorProto {
  dtype?: number;
  tensorShape?: ShapeProto;
  tensorContent?: Uint8Array;
  halfVal?: bigint[];
  /** Little-endian bytes. */
  floatVal?: Uint8Array;
  doubleVal?: Uint8Array;
  intVal?: bigint[];
  stringVal: Uint8Array[];
  /** Real and imaginary parts in turn. */
  scomplexVal?: Uint8Array;
  int64Val?: bigint[];
  boolVal?: bigint[];
  uint32Val?: bigint[];
  uint64Val?: bigint[];
}

export interface ListValue {
  s: Uint8Array[];
  i: number[];
  f: number[];
  type: number[];
}

export interface FunctionName {
  name?: string;
}

export interface AttrValue {
  list?: ListValue;
  s?: Uint8Array;
  i?: number;
  f?: number;
  b?: number;
  type?: number;
  shape?: ShapeProto;
  tensor?: TensorProto;
  func?: FunctionName;
}

export interface AttrEntry {
  key?: string;
  value?: AttrValue;
}

export interface NodeDef {
  name?: string;
  op?: string;
  input: string[];
  attr: AttrEntry[];
}

export interface ArgDef {
  name?: string;
  type?: number;
}

export interface OpDef {
  name?: string;
  inputArg: ArgDef[];
  outputArg: ArgDef[];
}

export interface StringEntry {
  key?: string;
  value?: string;
}

export interface FunctionDef {
  signature?: OpDef;
  nodeDef: NodeDef[];
  ret: StringEntry[];
}

export interface FunctionLibrary {
  function: FunctionDef[];
}

export interface Versions {
  producer?: number;
}

export interface GraphDef {
  node: NodeDef[];
  library?: FunctionLibrary;
  versions?: Versions;
}

const shape: Table<ShapeProto> = {
  dim: many(2, (): Table<DimProto> => ({ size: one(1, 'int') })),
  unknownRank: one(3, 'int'),
};

export const shapeTable = shape;

const tensor: Table<TensorProto> = {
  dtype: one(1, 'int'),
  tensorShape: one(2, () => shape),
  tensorContent: one(4, 'bytes'),
  floatVal: one(5, 'fixed32'),
  doubleVal: one(6, 'fixed64'),
  intVal: one(7, 'varints'),
  stringVal: many(8, 'bytes'),
  scomplexVal: one(9, 'fixed32'),
  int64Val: one(10, 'varints'),
  boolVal: one(11, 'varints'),
  halfVal: one(13, 'varints'),
  uint32Val: one(16, 'varints'),
  uint64Val: one(17, 'varints'),
};

const list: Table<ListValue> = {
  s: many(2, 'bytes'),
  i: many(3, 'int'),
  f: many(4, 'float'),
  type: many(6, 'int'),
};

const functionName: Table<FunctionName> = { name: one(1, 'string') };

const attr: Table<AttrValue> = {
  list: one(1, () => list),
  s: one(2, 'bytes'),
  i: one(3, 'int'),
  f: one(4, 'float'),
  b: one(5, 'int'),
  type: one(6, 'int'),
  shape: one(7, () => shape),
  tensor: one(8, () => tensor),
  func: one(10, () => functionName),
};

const attrEntry: Table<AttrEntry> = { key: one(1, 'string'), value: one(2, () => attr) };

const node: Table<NodeDef> = {
  name: one(1, 'string'),
  op: one(2, 'string'),
  input: many(3, 'string'),
  attr: many(5, () => attrEntry),
};

const arg: Table<ArgDef> = { name: one(1, 'string'), type: one(3, 'int') };

const opDef: Table<OpDef> = {
  name: one(1, 'string'),
  inputArg: many(2, () => arg),
  outputArg: many(3, () => arg),
};

const stringEntry: Table<StringEntry> = { key: one(1, 'string'), value: one(2, 'string') };

const functionDef: Table<FunctionDef> = {
  signature: one(1, () => opDef),
  nodeDef: many(3, () => node),
  ret: many(4, () => stringEntry),
};

const library: Table<FunctionLibrary> = { function: many(1, () => functionDef) };
const versions: Table<Versions> = { producer: one(1, 'int') };

export const graphTable: Table<GraphDef> = {
  node: many(1, () => node),
  library: one(2, () => library),
  versions: one(4, () => versions),
};

/** types.proto, DataType: those that tensors of the IR can have. */
export const dataTypes: Readonly<Record<number, DType>> = {
  1: 'float32',
  2: 'float64',
  3: 'int32',
  4: 'uint8',
  5: 'int16',
  6: 'int8',
  7: 'string',
  9: 'int64',
  10: 'bool',
  14: 'bfloat16',
  17: 'uint16',
  19: 'float16',
  22: 'uint32',
  23: 'uint64',
};

/** types.proto, DataType: every name that a refusal may have to say. */
export const dataTypeNames: Readonly<Record<number, string>> = {
  1: 'DT_FLOAT',
  2: 'DT_DOUBLE',
  3: 'DT_INT32',
  4: 'DT_UINT8',
  5: 'DT_INT16',
  6: 'DT_INT8',
  7: 'DT_STRING',
  8: 'DT_COMPLEX64',
  9: 'DT_INT64',
  10: 'DT_BOOL',
  11: 'DT_QINT8',
  12: 'DT_QUINT8',
  13: 'DT_QINT32',
  14: 'DT_BFLOAT16',
  15: 'DT_QINT16',
  16: 'DT_QUINT16',
  17: 'DT_UINT16',
  18: 'DT_COMPLEX128',
  19: 'DT_HALF',
  20: 'DT_RESOURCE',
  21: 'DT_VARIANT',
  22: 'DT_UINT32',
  23: 'DT_UINT64',
};

/** The same by name, for the JSON form. */
export const dataTypeNumbers: Readonly<Record<string, number>> = Object.fromEntries(
  Object.entries(dataTypeNames).map(([id, name]) => [name, Number(id)]),
);
