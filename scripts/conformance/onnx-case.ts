/** One ONNX node test: its model, inputs and outputs, and the model with inputs frozen to initializers. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ModelProto, modelTable, type TensorProto } from '../../core/formats/onnx/schema.ts';
import { tensorFromProto } from '../../core/formats/onnx/tensors.ts';
import { decode, type Table } from '../../core/formats/protobuf/wire.ts';
import type { Tensor } from '../../core/ir/tensor.ts';

export interface OnnxCase {
  readonly bytes: Uint8Array;
  readonly model: ModelProto;
  readonly inputs: readonly { readonly name: string; readonly proto: TensorProto; readonly tensor: Tensor }[];
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/** TensorProto's own table, as the model's table nests it. */
function tensorTable(): Table<TensorProto> {
  const { kind } = (modelTable.graph.kind as () => Record<string, { kind: () => object }>)().initializer;
  return kind() as Table<TensorProto>;
}

function readTensors(folder: string, prefix: string): TensorProto[] {
  const count = readdirSync(folder).filter((name) => name.startsWith(`${prefix}_`)).length;
  return Array.from({ length: count }, (_, i) =>
    decode(new Uint8Array(readFileSync(join(folder, `${prefix}_${i}.pb`))), tensorTable()),
  );
}

export function readOnnxCase(folder: string): OnnxCase {
  const bytes = new Uint8Array(readFileSync(join(folder, 'model.onnx')));
  const model = decode(bytes, modelTable);
  const data = join(folder, 'test_data_set_0');
  const names = model.graph!.input.map(({ name }) => name ?? '');
  const inputs = readTensors(data, 'input').map((proto, i) => ({
    name: names[i],
    proto,
    tensor: tensorFromProto(proto),
  }));
  const outputs = Object.fromEntries(
    readTensors(data, 'output').map((proto, i) => [
      model.graph!.output[i].name ?? '',
      tensorFromProto(proto),
    ]),
  );
  return { bytes, model, inputs, outputs };
}

/** The model with the inputs from `from` on as initializers. */
export function frozen({ model, inputs }: OnnxCase, from: number): ModelProto {
  const graph = model.graph!;
  const fixed = inputs.slice(from);
  const names = new Set(fixed.map(({ name }) => name));
  const initializer = [...graph.initializer, ...fixed.map(({ name, proto }) => ({ ...proto, name }))];
  const input = graph.input.filter(({ name }) => !names.has(name ?? ''));
  return { ...model, graph: { ...graph, input, initializer } };
}
