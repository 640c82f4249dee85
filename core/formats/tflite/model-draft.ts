import type { QuantParams } from '../../ir/graph.ts';
import { tensorTypeCode } from '../../ops/tflite-types.ts';
import { builtinCode, optionsTables } from './options.ts';
import type { Draft } from './schema.ts';
import type { SignatureTensor } from './versions.ts';

/** What one tensor of the file is; the draft of its table is made at the end. */
export interface FileTensor extends SignatureTensor {
  readonly name: string;
  readonly quant?: QuantParams;
  readonly buffer: number;
}

export interface FileOperator {
  readonly builtin: string;
  readonly version: number;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options?: { readonly table: string; readonly fields: Readonly<Record<string, unknown>> };
}

/** What a file holds, by index. */
export interface FileParts {
  readonly tensors: readonly FileTensor[];
  readonly operators: readonly FileOperator[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** The model's table with one subgraph, without its buffers; equal operators in equal versions share their code. */
export function draftModel(parts: FileParts): Draft<'Model'> {
  const codes: Draft<'OperatorCode'>[] = [];
  const codeIndex = new Map<string, number>();
  const codeOf = ({ builtin, version }: FileOperator): number => {
    const key = `${builtin} ${version}`;
    const known = codeIndex.get(key);
    if (known !== undefined) return known;
    codeIndex.set(key, codes.length);
    const code = builtinCode(builtin);
    // Readers from before 2021 know only the one-byte field; 127 there says "look at the wide one".
    codes.push({ deprecated_builtin_code: Math.min(code, 127), builtin_code: code, version });
    return codes.length - 1;
  };
  const operators = parts.operators.map(
    (operator): Draft<'Operator'> => ({
      opcode_index: codeOf(operator),
      inputs: operator.inputs,
      outputs: operator.outputs,
      builtin_options_type: operator.options ? optionsTables.indexOf(operator.options.table) : undefined,
      builtin_options: operator.options?.fields,
    }),
  );
  const { inputs, outputs } = parts;
  return {
    version: 3,
    operator_codes: codes,
    subgraphs: [{ name: 'main', tensors: parts.tensors.map(draftTensor), inputs, outputs, operators }],
  };
}

function draftTensor(tensor: FileTensor): Draft<'Tensor'> {
  return {
    name: tensor.name,
    shape: tensor.shape,
    type: tensorTypeCode(tensor.dtype),
    buffer: tensor.buffer,
    quantization: tensor.quant && {
      scale: tensor.quant.scales,
      zero_point: tensor.quant.zeroPoints,
      quantized_dimension: tensor.quant.axis ?? 0,
    },
  };
}
