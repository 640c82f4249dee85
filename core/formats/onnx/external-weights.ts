import { byteLength } from '../../ir/dtype.ts';
import type { Graph } from '../../ir/graph.ts';
import { elementCount, Scratch, type Tensor } from '../../ir/tensor.ts';
import { dataTypeOf, type TensorProto } from './schema.ts';

/** Smaller ones stay in the model's file. */
const leastBytes = 1024;
/** Runtimes map the file page by page. */
const alignment = 4096;
const external = 1;

/** Weights of a model that is being written, for a file of their own beside it (onnx, docs/ExternalData.md). */
export class ExternalWeights {
  readonly location: string;
  private readonly moved: { readonly tensor: Tensor; readonly offset: number }[] = [];
  private end = 0;

  /** @param location the file's name, in the model's folder */
  constructor(location: string) {
    this.location = location;
  }

  /** @returns what stands for the tensor in the model's file, or undefined when it belongs there itself */
  move(name: string, tensor: Tensor): TensorProto | undefined {
    const length = byteLength(tensor.dtype, elementCount(tensor.shape));
    if (length < leastBytes) return undefined;
    const offset = Math.ceil(this.end / alignment) * alignment;
    this.end = offset + length;
    this.moved.push({ tensor, offset });
    const entries = Object.entries({ location: this.location, offset, length });
    return {
      name,
      dims: [...tensor.shape],
      dataType: dataTypeOf(tensor.dtype),
      stringData: [],
      externalData: entries.map(([key, value]) => ({ key, value: `${value}` })),
      dataLocation: external,
    };
  }

  get sizeBytes(): number {
    return this.end;
  }

  /** The file's content, weight by weight; a part is only valid until the next one is asked for. */
  *parts(): Generator<Uint8Array> {
    const scratch = new Scratch();
    let at = 0;
    for (const { tensor, offset } of this.moved) {
      if (offset > at) yield new Uint8Array(offset - at);
      const bytes = scratch.bytesOf(tensor);
      yield bytes;
      at = offset + bytes.byteLength;
    }
  }
}

/** Where a model of two files has its weights: beside it, named after it. */
export function dataPathOf(modelPath: string): string {
  return `${modelPath}.data`;
}

/** Bytes of all constants of a graph. */
export function weightBytes(graph: Graph): number {
  let bytes = 0;
  for (const { constant } of graph.values.values())
    if (constant) bytes += byteLength(constant.dtype, elementCount(constant.shape));
  return bytes;
}
