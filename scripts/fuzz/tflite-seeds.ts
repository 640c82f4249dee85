/** TFLite files of the forms that the small net has not: a loop over sparse weights, data behind the tables. */
import { writeTflite } from '../../core/formats/tflite/writer.ts';
import { GraphKit } from '../../core/testing/graph-kit.ts';
import { rowFile, wave } from '../../core/testing/tflite-rows.ts';

const counter = { i: { shape: [1], dtype: 'int32' as const }, a: { shape: [1, 4] } };

/** A loop of two turns through a dense layer whose weights are stored in two blocks of four. */
export function loopFile(): Uint8Array {
  const sparsity = {
    traversal_order: [0, 1, 2],
    block_map: [1],
    dim_metadata: [
      { format: 0, dense_size: 4 },
      {
        format: 1,
        array_segments_type: 1,
        array_segments: { values: [0, 1, 1, 2, 2] },
        array_indices_type: 3,
        array_indices: { values: Uint8Array.of(0, 0) },
      },
      { format: 0, dense_size: 4 },
    ],
  };
  const number = (value: number) => ({ shape: [1], dtype: 'int32' as const, values: [value] });
  return rowFile({
    name: 'loop',
    tensors: { zero: number(0), x: { shape: [1, 4] }, last: counter.i, y: { shape: [1, 4] } },
    operators: [
      {
        op: 'WHILE',
        inputs: ['zero', 'x'],
        outputs: ['last', 'y'],
        options: ['WhileOptions', { cond_subgraph_index: 1, body_subgraph_index: 2 }],
      },
    ],
    inputs: ['x'],
    outputs: ['y'],
    called: [
      {
        tensors: { ...counter, turns: number(2), goOn: { shape: [1], dtype: 'bool' } },
        operators: [{ op: 'LESS', inputs: ['i', 'turns'], outputs: ['goOn'] }],
        inputs: ['i', 'a'],
        outputs: ['goOn'],
      },
      {
        tensors: {
          ...counter,
          one: number(1),
          next: counter.i,
          w: { shape: [4, 4], values: wave([8], 3), sparsity },
          dense: { shape: [4, 4] },
          sum: { shape: [1, 4] },
        },
        operators: [
          { op: 'ADD', inputs: ['i', 'one'], outputs: ['next'], options: ['AddOptions', {}] },
          { op: 'DENSIFY', inputs: ['w'], outputs: ['dense'], options: ['DensifyOptions', {}] },
          {
            op: 'FULLY_CONNECTED',
            inputs: ['a', 'dense'],
            outputs: ['sum'],
            options: ['FullyConnectedOptions', {}],
          },
        ],
        inputs: ['i', 'a'],
        outputs: ['next', 'sum'],
      },
    ],
  });
}

/** The form of files above 2 GiB. */
export function largeFormFile(): Uint8Array {
  const kit = new GraphKit(5, 'NHWC');
  const graph = kit.finish(kit.conv(kit.conv(kit.input(1, 4, 4, 3), 32, 3), 4, 1));
  return writeTflite(graph, { large: true }).bytes;
}
