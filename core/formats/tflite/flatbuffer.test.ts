import { describe, expect, it } from 'vitest';
import { WhittleError } from '../../contract/errors.ts';
import { mulberry32 } from '../../kernels/random.ts';
import { smallFile } from '../../testing/tflite-files.ts';
import { dumpTflite } from './dump.ts';
import { decodeModel, encodeModel } from './flatbuffer.ts';
import { optionsTables } from './options.ts';
import { readTfliteBytes } from './reader.ts';
import type { Draft } from './schema.ts';

const draft: Draft<'Model'> = {
  version: 3,
  description: 'ünï',
  operator_codes: [{ deprecated_builtin_code: 3, builtin_code: 3, version: 5 }],
  buffers: [{}, { data: Uint8Array.of(1, 2, 3) }, { data: new Uint8Array(33).fill(7) }],
  subgraphs: [
    {
      name: 'main',
      inputs: [0],
      outputs: [1],
      tensors: [
        { name: 'x', shape: [1, 2], type: 9, buffer: 1, shape_signature: [-1, 2] },
        {
          name: 'y',
          shape: [],
          type: 0,
          quantization: { scale: [0.5, 0.25], zero_point: [0, -128], quantized_dimension: 3 },
        },
      ],
      operators: [
        {
          opcode_index: 0,
          inputs: [0, -1],
          outputs: [1],
          builtin_options_type: optionsTables.indexOf('Conv2DOptions'),
          builtin_options: { stride_h: 2, fused_activation_function: 3 },
        },
      ],
    },
  ],
};

function codeOf(action: () => unknown): string {
  try {
    action();
    return 'none';
  } catch (error) {
    return error instanceof WhittleError ? error.code : `crash: ${error}`;
  }
}

describe('the TFLite container', () => {
  it('reads back what it writes', () => {
    const model = decodeModel(encodeModel(draft));
    expect(model.description).toBe('ünï');
    expect(model.operator_codes).toEqual([
      { deprecated_builtin_code: 3, custom_code: undefined, version: 5, builtin_code: 3 },
    ]);
    const subgraph = model.subgraphs![0];
    expect(subgraph.tensors![0]).toMatchObject({
      name: 'x',
      shape: [1, 2],
      type: 9,
      shape_signature: [-1, 2],
    });
    expect(subgraph.tensors![1].quantization).toMatchObject({
      scale: [0.5, 0.25],
      zero_point: [0, -128],
      quantized_dimension: 3,
    });
    expect(subgraph.operators![0].inputs).toEqual([0, -1]);
    expect([...model.buffers![2].data!]).toEqual([...new Uint8Array(33).fill(7)]);
  });

  it('fills in the defaults of the schema', () => {
    const [operator] = decodeModel(encodeModel(draft)).subgraphs![0].operators!;
    expect(operator.builtin_options).toEqual({
      padding: 0,
      stride_w: 0,
      stride_h: 2,
      fused_activation_function: 3,
      dilation_w_factor: 1,
      dilation_h_factor: 1,
      quantized_bias_type: 0,
    });
  });

  it('starts the data of buffers at multiples of 16', () => {
    const bytes = encodeModel(draft);
    const buffers = decodeModel(bytes).buffers!;
    expect(buffers.flatMap(({ data }) => (data ? [(data.byteOffset - bytes.byteOffset) % 16] : []))).toEqual([
      0, 0,
    ]);
  });

  it('writes equal vectors, tables and texts once', () => {
    const tensor = (name: string, scale: number) => ({
      name,
      shape: [64, 3, 3, 1],
      quantization: { scale: [scale], zero_point: new Array<number>(64).fill(0) },
    });
    const sizeOf = (tensors: Draft<'Tensor'>[]) =>
      encodeModel({ ...draft, subgraphs: [{ tensors }] }).byteLength;
    const first = tensor('a', 0.5);
    const added = sizeOf([first, tensor('b', 0.25)]) - sizeOf([first]);
    // A place in the list, two tables, one scale and one name; the lengths of tables are multiples of 16.
    expect(added).toBeLessThanOrEqual(4 + 16 + 16 + 8 + 8 + 16);
    const { tensors } = decodeModel(
      encodeModel({ ...draft, subgraphs: [{ tensors: [first, tensor('b', 0.25)] }] }),
    ).subgraphs![0];
    expect(
      tensors!.map(({ name, quantization }) => [name, quantization!.scale, quantization!.zero_point!.length]),
    ).toEqual([
      ['a', [0.5], 64],
      ['b', [0.25], 64],
    ]);
  });

  it('gives the same bytes for the same model', () => {
    expect(encodeModel(draft)).toEqual(encodeModel(structuredClone(draft)));
  });
});

describe('a damaged TFLite file', () => {
  const whole = encodeModel(draft);

  it('is refused when it ends anywhere before its tables do', () => {
    // The file's last bytes are the data of buffer 1, which the length in front of it promises.
    for (let length = 0; length < whole.byteLength - 16; length++) {
      expect(
        codeOf(() => decodeModel(whole.subarray(0, length))),
        `${length} bytes`,
      ).toBe('format.damaged');
    }
  });

  it.each([
    ['another identifier', 4, [0x58]],
    ['a root outside of the file', 0, [0xff, 0xff, 0xff, 0x7f]],
    ['a root on itself', 0, [0, 0, 0, 0]],
  ])('is refused with %s', (_, at, values) => {
    const bytes = whole.slice();
    bytes.set(values, at);
    expect(codeOf(() => decodeModel(bytes))).toBe('format.damaged');
  });

  it('is refused when it repeats one vector to inflate itself', () => {
    // 20,000 tensors that share one shape of 20,000 dimensions would be 400 million numbers.
    const shape = new Array<number>(20_000).fill(1);
    const tensors = Array.from({ length: 20_000 }, () => ({ shape: [1] }));
    const bytes = encodeModel({ ...draft, subgraphs: [{ tensors: [{ shape }, ...tensors] }] });
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    redirectShapes(view, tensors.length);
    const start = performance.now();
    expect(codeOf(() => decodeModel(bytes))).toBe('format.damaged');
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('never crashes a reader, whatever bytes are changed', () => {
    const next = mulberry32(7);
    const source = smallFile();
    for (let round = 0; round < 600; round++) {
      const bytes = source.slice(0, next() < 0.2 ? Math.floor(next() * source.length) : source.length);
      for (let i = 0; i < 1 + next() * 6; i++) {
        bytes[Math.floor(next() * bytes.length)] = [0, 0x7f, 0x80, 0xff][Math.floor(next() * 4)];
      }
      expect(codeOf(() => readTfliteBytes(bytes, 'file'))).not.toMatch(/^crash/);
      expect(codeOf(() => dumpTflite(bytes))).not.toMatch(/^crash/);
    }
  });
});

/** Points the shape of every tensor but the first at the shape of the first. */
function redirectShapes(view: DataView, count: number): void {
  const follow = (at: number) => at + view.getUint32(at, true);
  const field = (table: number, id: number) => {
    const vtable = table - view.getInt32(table, true);
    return table + view.getUint16(vtable + 4 + 2 * id, true);
  };
  const subgraph = follow(follow(field(follow(0), 2)) + 4);
  const tensors = follow(field(subgraph, 0));
  const shapeOf = (i: number) => field(follow(tensors + 4 + 4 * i), 0);
  const target = follow(shapeOf(0));
  for (let i = 1; i <= count; i++) {
    const at = shapeOf(i);
    if (target > at) view.setUint32(at, target - at, true);
  }
}
