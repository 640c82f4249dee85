import { open } from 'node:fs/promises';
import { byteLength } from '../../ir/dtype.ts';
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

  /** Writes the weights, one at a time. @throws what the system says. */
  async writeTo(path: string): Promise<void> {
    const file = await open(path, 'wx');
    try {
      const scratch = new Scratch();
      for (const { tensor, offset } of this.moved) {
        const bytes = scratch.bytesOf(tensor);
        await file.write(bytes, 0, bytes.byteLength, offset);
      }
    } finally {
      await file.close();
    }
  }
}
