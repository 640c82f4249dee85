/** Files that other tools write and Whittle does not: operators without a writer, subgraphs, sparse constants. */
import { describe, expect, it } from 'vitest';
import { tensorFrom } from '../../ops/fold-helpers.ts';
import { expectClose, runInOrt } from '../../testing/check-op.ts';
import { modelBytes, runOnnx } from '../../testing/onnx-model.ts';
import {
  checkRow,
  type FileRow,
  type RowOperator,
  type RowTensor,
  readRow,
  rowFile,
  wave,
} from '../../testing/tflite-rows.ts';
import { readTfliteBytes } from './reader.ts';
import { denseBytes } from './sparsity.ts';

const ints = (...values: number[]): RowTensor => ({ shape: [values.length], dtype: 'int32', values });
const weights = (shape: number[], seed = 1): RowTensor => ({ shape, values: wave(shape, seed) });
const float = (...shape: number[]): RowTensor => ({ shape });

/** A row of one operator over x and constants. */
function one(
  name: string,
  op: string,
  tensors: Record<string, RowTensor>,
  y: readonly number[],
  options?: RowOperator['options'],
  version?: number,
): FileRow {
  const inputs = Object.keys(tensors);
  return {
    name,
    tensors: { ...tensors, y: { shape: y } },
    operators: [{ op, inputs, outputs: ['y'], options, version }],
    inputs: inputs.filter((input) => tensors[input].values === undefined),
    outputs: ['y'],
  };
}

const strided = (mask: Record<string, number>) => ['StridedSliceOptions', mask] as const;

const rows: FileRow[] = [
  {
    name: 'the magnitude of a spectrum',
    tensors: {
      x: float(2, 3, 1, 16),
      n: ints(1, 16),
      f: { shape: [2, 3, 1, 9], dtype: 'complex64' },
      s: { shape: [6, 9], dtype: 'complex64' },
      shape: ints(6, 9),
      y: float(6, 9),
      z: float(2, 3, 1, 9),
    },
    operators: [
      { op: 'RFFT2D', inputs: ['x', 'n'], outputs: ['f'], options: ['Rfft2dOptions', {}] },
      { op: 'RESHAPE', inputs: ['f', 'shape'], outputs: ['s'] },
      { op: 'COMPLEX_ABS', inputs: ['s'], outputs: ['y'] },
      { op: 'IMAG', inputs: ['f'], outputs: ['z'] },
    ],
    inputs: ['x'],
    outputs: ['y', 'z'],
  },
  {
    name: 'the spectrum of a picture',
    tensors: {
      x: float(2, 6, 10),
      n: ints(4, 8),
      f: { shape: [2, 4, 5], dtype: 'complex64' },
      y: float(2, 4, 5),
    },
    operators: [
      { op: 'RFFT2D', inputs: ['x', 'n'], outputs: ['f'], options: ['Rfft2dOptions', {}] },
      { op: 'COMPLEX_ABS', inputs: ['f'], outputs: ['y'] },
    ],
    inputs: ['x'],
    outputs: ['y'],
    tolerance: 1e-4,
  },
  one('reverse', 'REVERSE_V2', { x: float(2, 3, 4), axes: ints(1) }, [2, 3, 4]),
  one('zeros like', 'ZEROS_LIKE', { x: float(2, 3) }, [2, 3]),
  one('rows of a table', 'EMBEDDING_LOOKUP', { i: ints(2, 0, 1), x: float(3, 4) }, [3, 4]),
  one(
    'gather per batch',
    'GATHER',
    { x: float(2, 4, 3), i: { shape: [2, 2], dtype: 'int32', values: [0, 3, 1, 1] } },
    [2, 2, 3],
    ['GatherOptions', { axis: 1, batch_dims: 1 }],
    5,
  ),
  one(
    'slice with an ellipsis and a new axis',
    'STRIDED_SLICE',
    { x: float(2, 3, 4), b: ints(0, 0, 1), e: ints(0, 0, 3), s: ints(1, 1, 1) },
    [1, 2, 3, 2],
    strided({ new_axis_mask: 1, ellipsis_mask: 2 }),
    6,
  ),
  one(
    'slice that drops an axis behind an ellipsis',
    'STRIDED_SLICE',
    { x: float(2, 3, 4), b: ints(0, -1), e: ints(0, 0), s: ints(1, 1) },
    [2, 3],
    strided({ ellipsis_mask: 1, shrink_axis_mask: 2 }),
    6,
  ),
  one(
    'update in the middle',
    'DYNAMIC_UPDATE_SLICE',
    { x: float(1, 5, 2), u: weights([1, 2, 2]), at: ints(0, 2, 0) },
    [1, 5, 2],
  ),
  one(
    'response over channels',
    'LOCAL_RESPONSE_NORMALIZATION',
    { x: float(1, 2, 3, 7) },
    [1, 2, 3, 7],
    ['LocalResponseNormalizationOptions', { radius: 2, bias: 1, alpha: 0.4, beta: 0.75 }],
  ),
  one(
    'root of the mean of squares',
    'L2_POOL_2D',
    { x: float(1, 4, 4, 3) },
    [1, 2, 2, 3],
    ['Pool2DOptions', { padding: 1, stride_w: 2, stride_h: 2, filter_width: 2, filter_height: 2 }],
  ),
  one(
    'convolution over three axes',
    'CONV_3D',
    { x: float(1, 3, 4, 5, 2), w: weights([2, 3, 3, 2, 4]), b: weights([4], 2) },
    [1, 3, 2, 5, 4],
    ['Conv3DOptions', { padding: 0, stride_d: 1, stride_h: 2, stride_w: 1 }],
  ),
  one(
    'blocks into the batch, cropped and padded',
    'SPACE_TO_BATCH_ND',
    {
      x: float(1, 3, 4, 2),
      block: ints(2, 3),
      pads: { shape: [2, 2], dtype: 'int32', values: [0, 1, 1, 1] },
    },
    [6, 2, 2, 2],
  ),
  {
    name: 'a dilated convolution in parts',
    tensors: {
      x: float(1, 6, 7, 2),
      block: ints(2, 2),
      pads: { shape: [2, 2], dtype: 'int32', values: [2, 2, 2, 3] },
      w: weights([3, 3, 3, 2]),
      b: weights([3], 2),
      crops: { shape: [2, 2], dtype: 'int32', values: [0, 0, 0, 1] },
      spaced: float(4, 5, 6, 2),
      convolved: float(4, 3, 4, 3),
      y: float(1, 6, 7, 3),
    },
    operators: [
      { op: 'SPACE_TO_BATCH_ND', inputs: ['x', 'block', 'pads'], outputs: ['spaced'] },
      {
        op: 'CONV_2D',
        inputs: ['spaced', 'w', 'b'],
        outputs: ['convolved'],
        options: ['Conv2DOptions', { padding: 1, stride_w: 1, stride_h: 1, fused_activation_function: 1 }],
      },
      { op: 'BATCH_TO_SPACE_ND', inputs: ['convolved', 'block', 'crops'], outputs: ['y'] },
    ],
    inputs: ['x'],
    outputs: ['y'],
  },
];
/** Sends x through a dense layer, as often as the counter is below `turns`. */
function loop(turns: number): FileRow {
  const state = { i: { shape: [1], dtype: 'int32' as const }, a: float(1, 4) };
  return {
    name: `a loop of ${turns}`,
    tensors: { zero: ints(0), x: float(1, 4), last: { shape: [1], dtype: 'int32' }, y: float(1, 4) },
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
        tensors: { ...state, turns: ints(turns), goOn: { shape: [1], dtype: 'bool' } },
        operators: [{ op: 'LESS', inputs: ['i', 'turns'], outputs: ['goOn'] }],
        inputs: ['i', 'a'],
        outputs: ['goOn'],
      },
      {
        tensors: {
          ...state,
          one: ints(1),
          next: { shape: [1], dtype: 'int32' },
          sum: float(1, 4),
          w: weights([4, 4]),
          b: weights([4], 3),
        },
        operators: [
          { op: 'ADD', inputs: ['i', 'one'], outputs: ['next'], options: ['AddOptions', {}] },
          {
            op: 'FULLY_CONNECTED',
            inputs: ['a', 'w', 'b'],
            outputs: ['sum'],
            options: ['FullyConnectedOptions', {}],
          },
        ],
        inputs: ['i', 'a'],
        outputs: ['next', 'sum'],
      },
    ],
  };
}

const branch = (op: string) => ({
  tensors: { a: float(2, 3), b: float(2, 3) },
  operators: [{ op, inputs: ['a'], outputs: ['b'] }],
  inputs: ['a'],
  outputs: ['b'],
});
const choice: FileRow = {
  name: 'a branch that depends on x',
  tensors: {
    x: float(2, 3),
    axes: ints(0, 1),
    zero: { shape: [], values: [0] },
    sum: { shape: [] },
    isPositive: { shape: [], dtype: 'bool' },
    y: float(2, 3),
  },
  operators: [
    { op: 'SUM', inputs: ['x', 'axes'], outputs: ['sum'], options: ['ReducerOptions', {}] },
    { op: 'GREATER', inputs: ['sum', 'zero'], outputs: ['isPositive'] },
    {
      op: 'IF',
      inputs: ['isPositive', 'x'],
      outputs: ['y'],
      options: ['IfOptions', { then_subgraph_index: 1, else_subgraph_index: 2 }],
    },
  ],
  inputs: ['x'],
  outputs: ['y'],
  called: [branch('TANH'), branch('EXP')],
};

/** Rows of [4, 8] in two blocks of [1, 4] each, of which three hold something. */
const sparsity = {
  traversal_order: [0, 1, 2],
  block_map: [1],
  dim_metadata: [
    { format: 0, dense_size: 4 },
    {
      format: 1,
      array_segments_type: 1,
      array_segments: { values: [0, 1, 1, 2, 3] },
      array_indices_type: 3,
      array_indices: { values: Uint8Array.of(1, 0, 1) },
    },
    { format: 0, dense_size: 4 },
  ],
};
const stored = wave([12], 7);
const unfolded = [4, 16, 28].reduce<number[]>(
  (dense, at, block) => dense.map((value, i) => (i >= at && i < at + 4 ? stored[block * 4 + i - at] : value)),
  new Array<number>(32).fill(0),
);
const sparse: FileRow = {
  name: 'weights in blocks',
  tensors: {
    x: float(1, 8),
    w: { shape: [4, 8], values: stored, sparsity },
    dense: float(4, 8),
    b: weights([4], 2),
    y: float(1, 4),
  },
  operators: [
    { op: 'DENSIFY', inputs: ['w'], outputs: ['dense'], options: ['DensifyOptions', {}] },
    {
      op: 'FULLY_CONNECTED',
      inputs: ['x', 'dense', 'b'],
      outputs: ['y'],
      options: ['FullyConnectedOptions', {}],
    },
  ],
  inputs: ['x'],
  outputs: ['y'],
};

describe('what other tools write is read as LiteRT runs it', () => {
  it.each([...rows, loop(0), loop(3), choice, sparse])('$name', checkRow);
});

describe('subgraphs', () => {
  it('are written out as often as they run, over the same weights', () => {
    const { graph, issues } = readTfliteBytes(rowFile(loop(3)), 'loop');
    expect(graph!.nodes.map(({ op }) => op)).toEqual([
      'FullyConnected',
      'FullyConnected',
      'FullyConnected',
      'Identity',
    ]);
    expect(new Set(graph!.nodes.slice(0, 3).map(({ inputs }) => inputs[1])).size).toBe(1);
    expect(issues.map(({ severity, message }) => [severity, message])).toEqual([
      ['warning', 'The loop "last" runs 3 times and is written out, turn by turn.'],
    ]);
  });

  it('are refused when they never end or call themselves', () => {
    const message = (row: FileRow) => readTfliteBytes(rowFile(row), 'loop').issues[0].message;
    expect(message(loop(1e9))).toMatch(
      /WHILE "last": written out, its subgraph "graph" would be more than 50000/,
    );
    const self = {
      ...branch('TANH'),
      operators: [{ ...choice.operators[2], inputs: ['yes', 'a'], outputs: ['b'] }],
    };
    const yes = { shape: [1], dtype: 'bool' as const, values: [1] };
    const endless = { ...choice, called: [{ ...self, tensors: { ...self.tensors, yes } }, branch('EXP')] };
    expect(message(endless)).toMatch(/8 calls deep/);
  });

  it('are refused when the number of turns is computed', () => {
    const row = loop(3);
    const [condition, body] = row.called!;
    const computed = {
      ...condition,
      tensors: {
        ...condition.tensors,
        limit: { shape: [], values: [9] },
        axes: ints(0, 1),
        sum: { shape: [] },
      },
      operators: [
        { op: 'SUM', inputs: ['a', 'axes'], outputs: ['sum'], options: ['ReducerOptions', {}] as const },
        { op: 'LESS', inputs: ['sum', 'limit'], outputs: ['goOn'] },
      ],
    };
    const { issues } = readTfliteBytes(rowFile({ ...row, called: [computed, body] }), 'loop');
    expect(issues[0].message).toMatch(
      /WHILE "last": how often this loop runs is only found while the model runs/,
    );
  });
});

describe('a dilated convolution between blocks', () => {
  it('is one convolution again', () => {
    const [conv, ...others] = readRow(rows.at(-1)!).nodes;
    expect(others).toEqual([]);
    expect(conv.attrs).toMatchObject({ dilations: [2, 2], pads: [2, 2, 2, 2], activation: 'relu' });
  });
});

describe('sparse constants', () => {
  const table = readTfliteBytes(rowFile(sparse), 'sparse').graph!.values.get('w')!.constant!;
  it('are unfolded', () => {
    expect([...new Float32Array(table.bytes.slice().buffer)]).toEqual([...Float32Array.from(unfolded)]);
  });

  it('are refused when the tables do not fit', () => {
    const bytes = tensorFrom('float32', [12], stored).bytes;
    const changed = (level: number, change: object) => ({
      ...sparsity,
      dim_metadata: sparsity.dim_metadata.map((entry, i) => (i === level ? { ...entry, ...change } : entry)),
    });
    const read = (tables: object, shape = [4, 8]) =>
      denseBytes(bytes, tables as Parameters<typeof denseBytes>[1], shape, 4);
    expect(() => read(changed(1, { array_indices: { values: [1, 0, 2] } }))).toThrow(
      'the index 2 after -1, of 2',
    );
    expect(() => read(changed(1, { array_segments: { values: [0, 1, 1, 2, 9] } }))).toThrow(
      'segment 2 to 9 of 3',
    );
    expect(() => read(changed(1, { array_segments: { values: [0, 1, 1, 2, 2] } }))).toThrow(
      'stores 12 elements and lists 8',
    );
    expect(() => read(changed(2, { dense_size: 3 }))).toThrow('blocks of 3 do not fit axis 1');
    expect(() => read({ ...sparsity, traversal_order: [0, 0, 1] })).toThrow('do not fit');
    expect(() => read(sparsity, [2 ** 20, 2 ** 20])).toThrow('more than 512 MiB');
  });
});

describe('a fused LSTM', () => {
  it('computes as ONNX LSTM does', async () => {
    const [steps, size, hidden] = [4, 3, 2];
    const gates = { i: 0, f: 1, c: 2, o: 3 };
    const part = (kind: number, gate: number, shape: number[]) => weights(shape, 10 * kind + gate);
    const tensors: Record<string, RowTensor> = { x: float(1, steps, size) };
    for (const [kind, shape] of [
      [1, [hidden, size]],
      [2, [hidden, hidden]],
      [3, [hidden]],
    ] as const) {
      for (const [gate, place] of Object.entries(gates))
        tensors[`${gate}${kind}`] = part(kind, place, [...shape]);
    }
    const list = (kind: number, order: string) => [...order].map((gate) => `${gate}${kind}`);
    const zeros: RowTensor = { shape: [1, hidden], values: new Array<number>(hidden).fill(0) };
    const row: FileRow = {
      name: 'lstm',
      tensors: { ...tensors, h: zeros, c: zeros, y: float(1, steps, hidden) },
      operators: [
        {
          op: 'UNIDIRECTIONAL_SEQUENCE_LSTM',
          inputs: [
            'x',
            ...list(1, 'ifco'),
            ...list(2, 'ifco'),
            '',
            '',
            '',
            ...list(3, 'ifco'),
            '',
            '',
            'h',
            'c',
          ],
          outputs: ['y'],
          options: ['UnidirectionalSequenceLSTMOptions', { fused_activation_function: 4, cell_clip: 3 }],
        },
      ],
      inputs: ['x'],
      outputs: ['y'],
    };
    const joined = (kind: number) => list(kind, 'iofc').flatMap((name) => tensors[name].values!);
    const constant = (shape: number[], values: readonly number[]) => tensorFrom('float32', shape, values);
    const feeds = { x: constant([1, steps, size], wave([steps * size], 9)) };
    const { Y } = await runOnnx(
      modelBytes({
        opset: 14,
        inputs: { x: { shape: [steps, 1, size] } },
        constants: {
          w: constant([1, 4 * hidden, size], joined(1)),
          r: constant([1, 4 * hidden, hidden], joined(2)),
          b: constant([1, 8 * hidden], [...joined(3), ...new Array<number>(4 * hidden).fill(0)]),
        },
        nodes: [
          {
            op: 'LSTM',
            inputs: ['x', 'w', 'r', 'b'],
            outputs: ['Y'],
            attrs: { hidden_size: { int: hidden } },
          },
        ],
        outputs: { Y: 'float32' },
      }),
      { x: { ...feeds.x, shape: [steps, 1, size] } },
    );
    const graph = readRow(row);
    const { y } = await runInOrt(graph, feeds);
    expectClose(y, { ...Y, shape: y.shape }, 1e-6);
    // From zero the state grows by less than one a step: within four steps only the last can pass ± 3.
    expect(graph.nodes.filter(({ op }) => op === 'Clip')).toHaveLength(1);
  });
});
