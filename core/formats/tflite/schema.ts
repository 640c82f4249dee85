import type { DType } from '../../ir/dtype.ts';
import { tensorTypeCodes } from '../../ops/tflite-types.ts';
import { optionsTables } from './options.ts';

/**
 * The TFLite file format (schema version 3) as tables: table → field → [id, kind, default]. Kinds are scalars,
 * `string`, a table's name, `[…]` for a vector, and a name of `unions`, whose table the field `…_type` beside it
 * tells. Only what Whittle reads or must notice is listed; the operators' options
 * are in `options.ts`.
 */
export type Field = readonly [id: number, kind: string, fallback?: number];

export const fileIdentifier = 'TFL3';

export const tables = {
  Model: {
    version: [0, 'u32'],
    operator_codes: [1, '[OperatorCode]'],
    subgraphs: [2, '[SubGraph]'],
    description: [3, 'string'],
    buffers: [4, '[Buffer]'],
    metadata_buffer: [5, '[i32]'],
    metadata: [6, '[Metadata]'],
    signature_defs: [7, '[SignatureDef]'],
  },
  OperatorCode: {
    deprecated_builtin_code: [0, 'i8'],
    custom_code: [1, 'string'],
    version: [2, 'i32', 1],
    builtin_code: [3, 'i32'],
  },
  SubGraph: {
    tensors: [0, '[Tensor]'],
    inputs: [1, '[i32]'],
    outputs: [2, '[i32]'],
    operators: [3, '[Operator]'],
    name: [4, 'string'],
  },
  Tensor: {
    shape: [0, '[i32]'],
    type: [1, 'i8'],
    buffer: [2, 'u32'],
    name: [3, 'string'],
    quantization: [4, 'QuantizationParameters'],
    is_variable: [5, 'bool'],
    sparsity: [6, 'SparsityParameters'],
    shape_signature: [7, '[i32]'],
    has_rank: [8, 'bool'],
    external_buffer: [10, 'u32'],
  },
  QuantizationParameters: {
    min: [0, '[f32]'],
    max: [1, '[f32]'],
    scale: [2, '[f32]'],
    zero_point: [3, '[i64]'],
    details_type: [4, 'u8'],
    quantized_dimension: [6, 'i32'],
  },
  SparsityParameters: {
    traversal_order: [0, '[i32]'],
    block_map: [1, '[i32]'],
    dim_metadata: [2, '[DimensionMetadata]'],
  },
  DimensionMetadata: {
    format: [0, 'i8'],
    dense_size: [1, 'i32'],
    array_segments_type: [2, 'u8'],
    array_segments: [3, 'indices'],
    array_indices_type: [4, 'u8'],
    array_indices: [5, 'indices'],
  },
  Int32Vector: { values: [0, '[i32]'] },
  Uint16Vector: { values: [0, '[u16]'] },
  Uint8Vector: { values: [0, '[u8]'] },
  Operator: {
    opcode_index: [0, 'u32'],
    inputs: [1, '[i32]'],
    outputs: [2, '[i32]'],
    builtin_options_type: [3, 'u8'],
    builtin_options: [4, 'options'],
    custom_options: [5, '[u8]'],
    intermediates: [8, '[i32]'],
    builtin_options_2_type: [11, 'u8'],
  },
  Buffer: { data: [0, '[u8]'], offset: [1, 'u64'], size: [2, 'u64'] },
  Metadata: { name: [0, 'string'], buffer: [1, 'u32'] },
  SignatureDef: {
    inputs: [0, '[TensorMap]'],
    outputs: [1, '[TensorMap]'],
    signature_key: [2, 'string'],
    subgraph_index: [4, 'u32'],
  },
  TensorMap: { name: [0, 'string'], tensor_index: [1, 'u32'] },
  // metadata_schema.fbs, a file of its own in a buffer of the model
  ModelMetadata: {
    name: [0, 'string'],
    description: [1, 'string'],
    version: [2, 'string'],
    subgraph_metadata: [3, '[SubGraphMetadata]'],
    author: [4, 'string'],
    license: [5, 'string'],
  },
  SubGraphMetadata: { input_tensor_metadata: [2, '[TensorMetadata]'] },
  TensorMetadata: { name: [0, 'string'], process_units: [4, '[ProcessUnit]'] },
  ProcessUnit: { options_type: [0, 'u8'], options: [1, 'process'] },
  NormalizationOptions: { mean: [0, '[f32]'], std: [1, '[f32]'] },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Field>>>>;

export type TableName = keyof typeof tables;

/** Kinds of which a neighbouring field says which table stands there, by number. */
export const unions: Readonly<Record<string, readonly string[]>> = {
  options: optionsTables,
  process: ['NONE', 'NormalizationOptions'],
  indices: ['NONE', 'Int32Vector', 'Uint16Vector', 'Uint8Vector'],
};

/** The numbers of an `indices` union, whatever their width. */
export interface Indices {
  readonly values?: ArrayLike<number>;
}
export type Options = Readonly<Record<string, unknown>>;

interface Scalars {
  bool: boolean;
  i8: number;
  u8: number;
  u16: number;
  i32: number;
  u32: number;
  i64: number;
  u64: number;
  f32: number;
}

type FieldsOf<T extends TableName> = (typeof tables)[T];
type KindOf<F> = F extends readonly [number, infer K, ...unknown[]] ? K : never;
type ReadValue<K> = K extends keyof Scalars
  ? Scalars[K]
  : K extends 'string'
    ? string
    : K extends 'options' | 'process'
      ? Options
      : K extends 'indices'
        ? Indices
        : K extends '[u8]'
          ? Uint8Array
          : K extends `[${infer Element}]`
            ? readonly ReadValue<Element>[]
            : K extends TableName
              ? Row<K>
              : never;

/** A table as read: scalars have their defaults, what else is absent in the file is undefined. */
export type Row<T extends TableName> = {
  readonly [F in keyof FieldsOf<T>]: KindOf<FieldsOf<T>[F]> extends keyof Scalars
    ? ReadValue<KindOf<FieldsOf<T>[F]>>
    : ReadValue<KindOf<FieldsOf<T>[F]>> | undefined;
};

type DraftValue<K> = K extends '[u8]'
  ? Uint8Array
  : K extends `[${infer Element}]`
    ? readonly DraftValue<Element>[]
    : K extends TableName
      ? Draft<K>
      : ReadValue<K>;

/** A table to be written: every field may be left out. */
export type Draft<T extends TableName> = {
  readonly [F in keyof FieldsOf<T>]?: DraftValue<KindOf<FieldsOf<T>[F]>> | undefined;
};

const dtypeByCode = new Map<number, DType>(
  Object.entries(tensorTypeCodes).map(([dtype, code]) => [code, dtype as DType]),
);

/** Names of the tensor types that the IR lacks, so that a refusal can name them. */
const foreignTypes: Readonly<Record<number, string>> = {
  8: 'complex64',
  11: 'complex128',
  13: 'resource',
  14: 'variant',
  19: 'int2',
  21: 'float8_e4m3fn',
  22: 'float8_e5m2',
};

/** @returns the IR type of a TensorType number, or undefined for one that the IR lacks. */
export function dtypeOfTensorType(code: number): DType | undefined {
  return dtypeByCode.get(code);
}

export function tensorTypeName(code: number): string {
  return dtypeByCode.get(code) ?? foreignTypes[code] ?? `type ${code}`;
}
