import { WhittleError } from '../../contract/errors.ts';
import type { DType } from '../../ir/dtype.ts';
import type { QuantParams } from '../../ir/graph.ts';
import { decodeModel } from './flatbuffer.ts';
import { builtinOperators, optionsTables } from './options.ts';
import { dtypeOfTensorType, type Options, type Row, tensorTypeName } from './schema.ts';

export interface TensorView {
  readonly name: string;
  /** Undefined for a type that the IR lacks; `typeName` names it. */
  readonly dtype: DType | undefined;
  readonly typeName: string;
  /** As the runtime allocates it; open dimensions are 1 here and −1 in `signature`. */
  readonly shape: readonly number[];
  readonly signature?: readonly number[];
  readonly quant?: QuantParams;
  /** The stored bytes of a constant. */
  readonly data?: Uint8Array;
  readonly isVariable: boolean;
  /** How a sparse constant's bytes stand for the elements of `shape`. */
  readonly sparsity?: Row<'SparsityParameters'>;
  /** Quantized in blocks or by a scheme of its own. */
  readonly hasQuantDetails: boolean;
}

export interface OperatorView {
  readonly builtin: string;
  /** Name of a custom operator. */
  readonly custom?: string;
  readonly version: number;
  /** Tensor indices; −1 for an input that is left out. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly optionsTable?: string;
  readonly options: Options;
}

export interface SubgraphView {
  readonly name: string;
  readonly tensors: readonly TensorView[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly operators: readonly OperatorView[];
}

export interface SignatureView {
  readonly key: string;
  readonly subgraph: number;
  readonly inputs: readonly { readonly name: string; readonly tensor: number }[];
  readonly outputs: readonly { readonly name: string; readonly tensor: number }[];
}

/** A TFLite file with all indices resolved and checked. */
export interface TfliteModelView {
  readonly version: number;
  readonly description: string;
  readonly subgraphs: readonly SubgraphView[];
  readonly signatures: readonly SignatureView[];
  readonly metadata: readonly { readonly name: string; readonly data: Uint8Array }[];
}

function damaged(detail: string): WhittleError {
  return new WhittleError('format.damaged', `The TFLite file is damaged: ${detail}.`, {
    hint: 'Copy or download the file again.',
  });
}

/**
 * Decodes a TFLite file and checks every index in it: operator codes, tensors, buffers, signatures. Data are views on
 * `bytes`. @throws WhittleError `format.damaged`.
 */
export function viewModel(bytes: Uint8Array): TfliteModelView {
  const model = decodeModel(bytes);
  if (model.version !== 3) throw damaged(`it has schema version ${model.version}, not 3`);
  const buffers = (model.buffers ?? []).map((buffer, i) => bufferData(bytes, buffer, i));
  const at = <T>(list: readonly T[], index: number, what: string): T => {
    if (index < 0 || index >= list.length)
      throw damaged(`${what} ${index} does not exist (there are ${list.length})`);
    return list[index];
  };
  const subgraphs = (model.subgraphs ?? []).map((subgraph, i) =>
    viewSubgraph(model, subgraph, i, buffers, at),
  );
  return {
    version: model.version,
    description: model.description ?? '',
    subgraphs,
    signatures: (model.signature_defs ?? []).map((signature): SignatureView => {
      const { tensors } = at(subgraphs, signature.subgraph_index, 'subgraph');
      const ports = (maps: readonly Row<'TensorMap'>[] | undefined) =>
        (maps ?? []).map((map) => {
          at(tensors, map.tensor_index, 'tensor');
          return { name: map.name ?? '', tensor: map.tensor_index };
        });
      return {
        key: signature.signature_key ?? '',
        subgraph: signature.subgraph_index,
        inputs: ports(signature.inputs),
        outputs: ports(signature.outputs),
      };
    }),
    metadata: (model.metadata ?? []).map((entry) => ({
      name: entry.name ?? '',
      data: at(buffers, entry.buffer, 'buffer'),
    })),
  };
}

/** Large models keep data behind the tables, named by position and length in the file. */
function bufferData(bytes: Uint8Array, buffer: Row<'Buffer'>, index: number): Uint8Array {
  if (buffer.offset <= 1) return buffer.data ?? new Uint8Array(0);
  if (buffer.offset + buffer.size > bytes.byteLength) {
    throw damaged(`buffer ${index} lies outside of the ${bytes.byteLength} bytes of the file`);
  }
  return bytes.subarray(buffer.offset, buffer.offset + buffer.size);
}

type At = <T>(list: readonly T[], index: number, what: string) => T;

function viewSubgraph(
  model: Row<'Model'>,
  subgraph: Row<'SubGraph'>,
  index: number,
  buffers: readonly Uint8Array[],
  at: At,
): SubgraphView {
  const tensors = (subgraph.tensors ?? []).map((tensor, i) => viewTensor(tensor, i, buffers, at));
  const check = (indices: readonly number[] | undefined, optional = false) => {
    for (const i of indices ?? []) if (!(optional && i === -1)) at(tensors, i, 'tensor');
    return indices ?? [];
  };
  return {
    name: subgraph.name ?? `subgraph ${index}`,
    tensors,
    inputs: check(subgraph.inputs),
    outputs: check(subgraph.outputs),
    operators: (subgraph.operators ?? []).map((operator): OperatorView => {
      const code = at(model.operator_codes ?? [], operator.opcode_index, 'operator code');
      const number = Math.max(code.deprecated_builtin_code, code.builtin_code);
      const builtin = builtinOperators[number] ?? `operator ${number}`;
      const table = optionsTables[operator.builtin_options_type];
      return {
        builtin,
        custom: builtin === 'CUSTOM' ? (code.custom_code ?? '') : undefined,
        version: code.version,
        inputs: check(operator.inputs, true),
        outputs: check(operator.outputs),
        optionsTable: operator.builtin_options_type > 0 ? table : undefined,
        options: operator.builtin_options ?? {},
      };
    }),
  };
}

function viewTensor(
  tensor: Row<'Tensor'>,
  index: number,
  buffers: readonly Uint8Array[],
  at: At,
): TensorView {
  const name = tensor.name ?? `tensor ${index}`;
  const shape = tensor.shape ?? [];
  if (shape.some((dim) => dim < 0)) throw damaged(`the tensor ${name} has the shape [${shape.join(', ')}]`);
  const data =
    buffers.length > 0 || tensor.buffer > 0 ? at(buffers, tensor.buffer, 'buffer') : new Uint8Array(0);
  return {
    name,
    dtype: dtypeOfTensorType(tensor.type),
    typeName: tensorTypeName(tensor.type),
    shape,
    signature: tensor.shape_signature,
    quant: viewQuant(tensor.quantization, name, shape),
    data: data.byteLength > 0 ? data : undefined,
    isVariable: tensor.is_variable,
    sparsity: tensor.sparsity,
    hasQuantDetails: (tensor.quantization?.details_type ?? 0) > 0,
  };
}

function viewQuant(
  quantization: Row<'QuantizationParameters'> | undefined,
  name: string,
  shape: readonly number[],
): QuantParams | undefined {
  const scales = quantization?.scale ?? [];
  if (!quantization || scales.length === 0) return undefined;
  const zeroPoints = quantization.zero_point ?? scales.map(() => 0);
  if (zeroPoints.length !== scales.length && zeroPoints.length !== 1) {
    throw damaged(`the tensor ${name} has ${scales.length} scales and ${zeroPoints.length} zero points`);
  }
  const axis = quantization.quantized_dimension;
  if (scales.length > 1 && shape[axis] !== scales.length) {
    throw damaged(`the tensor ${name} has ${scales.length} scales for axis ${axis} of [${shape.join(', ')}]`);
  }
  const points = scales.map((_, i) => zeroPoints[i] ?? zeroPoints[0]);
  return scales.length > 1 ? { scales, zeroPoints: points, axis } : { scales, zeroPoints: points };
}
