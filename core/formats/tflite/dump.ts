import { createHash } from 'node:crypto';
import type { QuantParams } from '../../ir/graph.ts';
import { type SubgraphView, type TensorView, viewModel } from './model-view.ts';

export interface TfliteDump {
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly signatures: readonly {
    readonly key: string;
    readonly inputs: Readonly<Record<string, string>>;
    readonly outputs: Readonly<Record<string, string>>;
  }[];
  readonly subgraphs: readonly {
    readonly name: string;
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
    readonly tensors: readonly DumpedTensor[];
    readonly operators: readonly DumpedOperator[];
  }[];
}

export interface DumpedTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly signature?: readonly number[];
  readonly quant?: QuantParams;
  /** Length and the first 12 digits of the SHA-256 of a constant's bytes. */
  readonly data?: string;
}

export interface DumpedOperator {
  readonly op: string;
  readonly version: number;
  /** Tensor names; null for an input that is left out. */
  readonly inputs: readonly (string | null)[];
  readonly outputs: readonly string[];
  readonly options?: Readonly<Record<string, unknown>>;
}

/**
 * What a TFLite file says, as plain JSON with sorted keys: for tests, for comparing two files, and for reading with
 * one's own eyes. Constants appear as length and digest. @throws WhittleError `format.damaged`.
 */
export function dumpTflite(bytes: Uint8Array): TfliteDump {
  const model = viewModel(bytes);
  return {
    description: model.description,
    metadata: Object.fromEntries(model.metadata.map(({ name, data }) => [name, metadataText(data)])),
    signatures: model.signatures.map((signature) => {
      const { tensors } = model.subgraphs[signature.subgraph];
      const ports = (list: typeof signature.inputs) =>
        Object.fromEntries(list.map(({ name, tensor }) => [name, tensors[tensor].name]));
      return { key: signature.key, inputs: ports(signature.inputs), outputs: ports(signature.outputs) };
    }),
    subgraphs: model.subgraphs.map(dumpSubgraph),
  };
}

function dumpSubgraph(subgraph: SubgraphView): TfliteDump['subgraphs'][number] {
  const nameOf = (index: number) => subgraph.tensors[index].name;
  return {
    name: subgraph.name,
    inputs: subgraph.inputs.map(nameOf),
    outputs: subgraph.outputs.map(nameOf),
    tensors: subgraph.tensors.map(dumpTensor),
    operators: subgraph.operators.map((operator) => ({
      op: operator.custom ?? operator.builtin,
      version: operator.version,
      inputs: operator.inputs.map((index) => (index < 0 ? null : nameOf(index))),
      outputs: operator.outputs.map(nameOf),
      ...(Object.keys(operator.options).length > 0 ? { options: sorted(operator.options) } : {}),
    })),
  };
}

function dumpTensor(tensor: TensorView): DumpedTensor {
  return {
    name: tensor.name,
    dtype: tensor.typeName,
    shape: tensor.shape,
    ...(tensor.signature ? { signature: tensor.signature } : {}),
    ...(tensor.quant ? { quant: tensor.quant } : {}),
    ...(tensor.data ? { data: digest(tensor.data) } : {}),
  };
}

function digest(data: Uint8Array): string {
  return `${data.byteLength} bytes ${createHash('sha256').update(data).digest('hex').slice(0, 12)}`;
}

/** Short metadata is text filled up with zeros (`min_runtime_version`); other data are shown by digest. */
function metadataText(data: Uint8Array): string {
  const end = data.indexOf(0);
  const text = data.subarray(0, end < 0 ? data.length : end);
  const isText =
    text.every((byte) => byte >= 32 && byte < 127) && data.subarray(text.length).every((b) => b === 0);
  return isText ? new TextDecoder().decode(text) : digest(data);
}

function sorted(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key, value instanceof Uint8Array ? digest(value) : value]),
  );
}
