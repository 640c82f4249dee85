import { describe, expect, it } from 'vitest';
import {
  functional,
  input,
  kerasArchive,
  kerasHdf5,
  layer,
  readBytes,
  run,
  type TestWeight,
} from '../../testing/keras-files.ts';

const weight = (shape: number[], ...values: number[]): TestWeight => ({ shape, values });
const dense = { units: 2, activation: 'linear', use_bias: true };
const denseWeights = { 'kernel:0': weight([2, 2], 1, 2, 3, 4), 'bias:0': weight([2], 10, 20) };

describe('readKeras', () => {
  it('reads a Functional .h5 and names values after layers', async () => {
    const config = functional(
      [
        input('x', [null, 2]),
        layer('Dense', 'd', ['x'], { ...dense, activation: 'relu' }),
        layer('Dropout', 'drop', ['d']),
      ],
      ['x'],
      ['drop'],
    );
    const result = await readBytes(await kerasHdf5(config, { d: denseWeights }));
    expect(result.issues).toEqual([]);
    expect(result.parameters).toBe(6);
    expect(result.declaredInputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['batch', 2] }]);
    expect(result.graph!.nodes.map(({ op }) => op)).toEqual(['FullyConnected', 'Relu']);
    expect(result.graph!.outputs).toEqual(['drop']);
    expect(result.graph!.source).toMatchObject({ format: 'keras', version: 'Keras 2.15.0' });
    // [1, −20] · [[1, 2], [3, 4]] + [10, 20] = [−49, −58]; with [1, 1] it is [14, 26].
    expect(await run(result.graph!, { x: [1, -20] })).toEqual({ drop: [0, 0] });
    expect(await run(result.graph!, { x: [1, 1] })).toEqual({ drop: [14, 26] });
  });

  it('reads a Sequential .keras, stored or deflated, by class name and count', async () => {
    const sequential = {
      class_name: 'Sequential',
      config: {
        name: 's',
        layers: [
          { class_name: 'InputLayer', config: { name: 'x', batch_shape: [null, 2] } },
          { class_name: 'Dense', config: { name: 'first', ...dense, use_bias: false } },
          { class_name: 'Dense', config: { name: 'second', ...dense } },
        ],
      },
    };
    const weights = {
      'layers/dense/vars/0': weight([2, 2], 1, 1, 1, -1),
      'layers/dense_1/vars/0': weight([2, 2], 2, 0, 0, 3),
      'layers/dense_1/vars/1': weight([2], 0.5, 0.25),
    };
    for (const level of [0, 6] as const) {
      const { graph } = await readBytes(await kerasArchive(sequential, weights, { level }));
      expect(await run(graph!, { x: [5, 3] })).toEqual({ second: [16.5, 6.25] });
    }
  });

  it('tells keras.ops and variables without a name apart in an .h5 of Keras 3', async () => {
    const tensor = (source: string) => ({
      class_name: '__keras_tensor__',
      config: { shape: [null, 2], dtype: 'float32', keras_history: [source, 0, 0] },
    });
    const called = (config: object, ...args: unknown[]) => ({
      ...config,
      inbound_nodes: [{ args, kwargs: {} }],
    });
    const scale = (name: string) => layer('LayerScale', name, [], { projection_dim: 2, dtype: 'float32' });
    const scaling = {
      class_name: 'Rescaling',
      config: { name: 'half', scale: 0.5, offset: 0, dtype: 'float32' },
    };
    const config = functional(
      [
        input('x', [null, 2]),
        called(scale('s'), tensor('x')),
        called(scale('s2'), tensor('s')),
        called(layer('Add', 'plus', []), tensor('s2'), 3),
        called(layer('Add', 'sum', [], { dtype: 'float32' }), [tensor('plus'), tensor('x')]),
        // Without a type of its own as well, but a layer.
        called(layer('Pipeline', 'chain', [], { layers: [scaling] }), tensor('sum')),
      ],
      ['x'],
      ['chain'],
    );
    const weights = { s: { variable: weight([2], 10, 100) }, s2: { variable_1: weight([2], 2, 3) } };
    const { graph, issues } = await readBytes(await kerasHdf5(config, weights, { version: '3.9.2' }));
    expect(issues).toEqual([]);
    expect(await run(graph!, { x: [1, 2] })).toEqual({ chain: [12, 302.5] });
  });

  it('shares the weights of a layer that is called twice', async () => {
    const config = functional(
      [
        input('a', [null, 2]),
        input('b', [null, 2]),
        { ...layer('Dense', 'd', [], dense), inbound_nodes: [[['a', 0, 0, {}]], [['b', 0, 0, {}]]] },
        {
          ...layer('Subtract', 'out', []),
          inbound_nodes: [
            [
              ['d', 0, 0, {}],
              ['d', 1, 0, {}],
            ],
          ],
        },
      ],
      ['a', 'b'],
      ['out'],
    );
    const { graph, parameters } = await readBytes(await kerasHdf5(config, { d: denseWeights }));
    expect(parameters).toBe(6);
    expect([...graph!.values.values()].filter(({ constant }) => constant)).toHaveLength(2);
    expect(await run(graph!, { a: [1, 0], b: [0, 1] })).toEqual({ out: [-2, -2] });
  });

  it('reads inner models, whose calls Keras 2 counts from 1, and keeps their names apart', async () => {
    const inner = functional([input('i', [null, 2]), layer('Dense', 'd', ['i'], dense)], ['i'], ['d']) as {
      config: object;
    };
    const config = functional(
      [
        input('x', [null, 2]),
        {
          ...inner,
          name: 'inner',
          config: { ...inner.config, name: 'inner' },
          inbound_nodes: [[['x', 0, 0, {}]]],
        },
        { ...layer('Dense', 'd', [], dense), inbound_nodes: [[['inner', 1, 0, {}]]] },
      ],
      ['x'],
      ['d'],
    );
    const bytes = await kerasHdf5(config, {
      inner: { 'd/kernel:0': weight([2, 2], 1, 0, 0, 1), 'd/bias:0': weight([2], 1, 1) },
      d: denseWeights,
    });
    const { graph } = await readBytes(bytes);
    expect(graph!.nodes.map(({ id }) => id)).toEqual(['inner/d', 'd']);
    expect(await run(graph!, { x: [0, 0] })).toEqual({ d: [14, 26] });
  });

  it('takes an input as an output, and an input that nothing reads', async () => {
    const config = functional(
      [input('x', [null, 2]), input('unused', [null, 3]), layer('Dense', 'd', ['x'], dense)],
      ['x', 'unused'],
      ['x', 'd'],
    );
    const { graph } = await readBytes(await kerasHdf5(config, { d: denseWeights }));
    expect(graph!.inputs).toEqual(['x', 'unused']);
    expect(graph!.outputs).toEqual(['x:output', 'd']);
    expect(graph!.nodes.map(({ op }) => op)).toEqual(['FullyConnected', 'Identity']);
  });

  it('reports open dimensions by input, and takes shapes for them', async () => {
    const config = functional(
      [
        input('x', [null, null, null, 1]),
        layer('MaxPooling2D', 'p', ['x'], { pool_size: [2, 2], strides: [2, 2], padding: 'same' }),
      ],
      ['x'],
      ['p'],
    );
    const bytes = await kerasHdf5(config, {});
    const open = await readBytes(bytes);
    expect(open.graph).toBeUndefined();
    expect(open.issues).toMatchObject([{ code: 'model.dynamic-dims', node: 'x', severity: 'error' }]);
    expect(open.declaredInputs[0].shape).toEqual(['batch', 'x:1', 'x:2', 1]);
    const { graph } = await readBytes(bytes, { shapes: { x: [2, 5, 4, 1] } });
    expect(graph!.values.get('p')!.type.shape).toEqual([2, 3, 2, 1]);
    const wrong = await readBytes(bytes, { shapes: { x: [1, 5, 4, 3], y: [1] } });
    expect(wrong.issues.map(({ code }) => code)).toEqual(['usage', 'usage']);
  });

  it('means different things by hard_sigmoid in Keras 2 and 3', async () => {
    const config = functional(
      [input('x', [null, 3]), layer('Activation', 'y', ['x'], { activation: 'hard_sigmoid' })],
      ['x'],
      ['y'],
    );
    const values = async (version: string) => {
      const { graph } = await readBytes(await kerasHdf5(config, {}, { version }));
      const { y } = await run(graph!, { x: [-2.75, 0, 1.5] });
      return y.map((value) => Number(value.toFixed(6)));
    };
    // clip(0.2 x + 0.5, 0, 1) against relu6(x + 3) / 6.
    expect(await values('2.15.0')).toEqual([0, 0.5, 0.8]);
    expect(await values('3.9.2')).toEqual([0.041667, 0.5, 0.75]);
  });

  it('pads SAME as TensorFlow does: the odd element goes to the end', async () => {
    const conv = { filters: 1, kernel_size: [3, 2], strides: [2, 2], padding: 'same', use_bias: false };
    const config = functional([input('x', [null, 4, 3, 1]), layer('Conv2D', 'c', ['x'], conv)], ['x'], ['c']);
    const kernel = weight([3, 2, 1, 1], 1, 10, 100, 1000, 10_000, 100_000);
    const { graph } = await readBytes(await kerasHdf5(config, { c: { 'kernel:0': kernel } }));
    expect(graph!.nodes[0].attrs.pads).toEqual([0, 0, 1, 1]);
    const x = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 1, 1];
    expect((await run(graph!, { x })).c).toEqual([875421, 90603, 1187, 109]);
  });

  it('carries masks along unseen, and refuses a layer that would need one and does not read it', async () => {
    const rnn = { units: 1, activation: 'linear', use_bias: false, return_sequences: false };
    const conv1d = { filters: 1, kernel_size: [1], use_bias: false };
    const weights = {
      r: {
        'simple_rnn_cell/kernel:0': weight([1, 1], 1),
        'simple_rnn_cell/recurrent_kernel:0': weight([1, 1], 2),
      },
    };
    const layers = [input('x', [null, 4, 1]), layer('Masking', 'm', ['x'], { mask_value: 0 })];
    const masked = functional([...layers, layer('SimpleRNN', 'r', ['m'], rnn)], ['x'], ['r']);
    const { graph } = await readBytes(await kerasHdf5(masked, weights));
    // The step with 0 is passed over: ((1 × 2) + 3) × 2 + 5.
    expect(await run(graph!, { x: [1, 3, 0, 5] })).toEqual({ r: [15] });
    const pooled = functional([...layers, layer('GlobalAveragePooling1D', 'g', ['m'])], ['x'], ['g']);
    const mean = await readBytes(await kerasHdf5(pooled, {}));
    expect(await run(mean.graph!, { x: [1, 3, 0, 5] })).toEqual({ g: [3] });
    const soft = functional([...layers, layer('Softmax', 's', ['m'], { axis: 1 })], ['x'], ['s']);
    const refused = await readBytes(await kerasHdf5(soft, {}));
    expect(refused.graph).toBeUndefined();
    expect(refused.issues).toMatchObject([{ code: 'model.unsupported-option', node: 's' }]);
    const lost = functional(
      [...layers, layer('Conv1D', 'c', ['m'], conv1d), layer('SimpleRNN', 'r', ['c'], rnn)],
      ['x'],
      ['r'],
    );
    const unclear = await readBytes(
      await kerasHdf5(lost, { ...weights, c: { 'kernel:0': weight([1, 1, 1], 1) } }),
    );
    expect(unclear.issues[0].message).toContain('may or may not hand it on');
  });

  it('reads the options and weight names of Keras 1', async () => {
    const sequential = {
      class_name: 'Sequential',
      config: [
        {
          class_name: 'Convolution2D',
          config: {
            name: 'convolution2d_1',
            nb_filter: 1,
            nb_row: 1,
            nb_col: 2,
            subsample: [1, 1],
            border_mode: 'same',
            dim_ordering: 'tf',
            bias: true,
            activation: 'relu',
            batch_input_shape: [null, 1, 3, 1],
          },
        },
        { class_name: 'Flatten', config: { name: 'flatten_1' } },
        {
          class_name: 'Dense',
          config: { name: 'dense_1', output_dim: 1, bias: false, activation: 'linear' },
        },
      ],
    };
    const weights = {
      convolution2d_1: {
        convolution2d_1_W: weight([1, 2, 1, 1], 1, 10),
        convolution2d_1_b: weight([1], -15),
      },
      dense_1: { dense_1_W: weight([3, 1], 1, 100, 10_000) },
    };
    const { graph, issues } = await readBytes(await kerasHdf5(sequential, weights, { version: '1.2.2' }));
    expect(issues).toEqual([]);
    expect(graph!.inputs).toEqual(['convolution2d_1_input']);
    // [1 + 20, 2 + 30, 3 + 0] − 15 = [6, 17, −12 → 0].
    expect(await run(graph!, { convolution2d_1_input: [1, 2, 3] })).toEqual({ dense_1: [1706] });
    const theano = structuredClone(sequential);
    theano.config[0].config.dim_ordering = 'th';
    const refused = await readBytes(await kerasHdf5(theano, weights, { version: '1.2.2' }));
    expect(refused.issues[0].message).toContain('"th"');
  });
});
