/** Files that must not be read, and what is said about them. */
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import {
  functional,
  hdf5Bytes,
  input,
  kerasArchive,
  kerasHdf5,
  layer,
  readBytes,
  type TestWeight,
} from '../../testing/keras-files.ts';
import { openArchive } from './archive.ts';
import { readKeras } from './reader.ts';

const weight = (shape: number[], value = 1): TestWeight => ({
  shape,
  values: new Array<number>(shape.reduce((product, dim) => product * dim, 1)).fill(value),
});
const dense = { units: 3, activation: 'linear', use_bias: true };
const model = functional([input('x', [null, 2]), layer('Dense', 'd', ['x'], dense)], ['x'], ['d']);
const weights = { d: { 'kernel:0': weight([2, 3]), 'bias:0': weight([3]) } };
const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

async function refusal(bytes: Uint8Array): Promise<unknown> {
  return readBytes(bytes).then(
    () => 'read',
    (error: unknown) => error,
  );
}

describe('damaged files', () => {
  it('names a missing file', async () => {
    await expect(readKeras('/nowhere/model.h5', {})).rejects.toMatchObject({ code: 'file.not-found' });
  });

  it.each([
    ['an empty file', new Uint8Array()],
    ['a text', new TextEncoder().encode('not a model')],
    ['noise behind the signature', Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 9, 9, 9, 9)],
    ['a zip without a directory', Uint8Array.of(0x50, 0x4b, 3, 4, 1, 2, 3, 4)],
    ['another zip', zipSync({ 'readme.txt': new Uint8Array(3) })],
    ['a config that is no JSON', zipSync({ 'config.json': new Uint8Array([123]) })],
    [
      'a config of another form',
      zipSync({ 'config.json': text([1]), 'model.weights.h5': new Uint8Array(9) }),
    ],
    [
      'weights that are no HDF5',
      zipSync({ 'config.json': text(model), 'model.weights.h5': new Uint8Array(99) }),
    ],
  ])('refuses %s', async (_, bytes) => {
    expect(await refusal(bytes)).toMatchObject({ name: 'WhittleError', code: 'format.damaged' });
  });

  it('says how much of a cut .h5 is missing', async () => {
    const bytes = await kerasHdf5(model, weights);
    const error = await refusal(bytes.subarray(0, bytes.length - 100));
    expect(error).toMatchObject({ code: 'format.damaged' });
    expect(String(error)).toContain(`promises ${bytes.length} bytes, there are ${bytes.length - 100}`);
  });

  it('refuses a .keras file cut anywhere', async () => {
    const bytes = await kerasArchive(model, {
      'layers/dense/vars/0': weight([2, 3]),
      'layers/dense/vars/1': weight([3]),
    });
    for (const share of [0.1, 0.5, 0.9, 0.99]) {
      const cut = bytes.subarray(0, Math.floor(bytes.length * share));
      expect(await refusal(cut)).toMatchObject({ code: 'format.damaged' });
    }
  });

  it('never reads a file with flipped bytes as something else than an error or the model', async () => {
    const bytes = await kerasHdf5(model, weights);
    for (let at = 0; at < bytes.length; at += 97) {
      const flipped = bytes.slice();
      flipped[at] ^= 0xff;
      const outcome = await readBytes(flipped).catch((error: unknown) => error);
      const isAnswer = typeof outcome === 'object' && outcome !== null && 'issues' in outcome;
      expect(isAnswer, `byte ${at}: ${outcome}`).toBe(true);
    }
  });

  it('refuses an entry that would inflate beyond reason', async () => {
    const bomb = zipSync({ 'config.json': new Uint8Array(2_000_000) }, { level: 9 });
    // The directory's record of the inflated size: 24 bytes behind its signature.
    const view = new DataView(bomb.buffer, bomb.byteOffset);
    const at = Array.from({ length: bomb.length - 4 }, (_, i) => i).find(
      (i) => view.getUint32(i, true) === 0x02014b50,
    )!;
    view.setUint32(at + 24, 0xf000_0000, true);
    expect(() => openArchive(bomb, 'x.keras').get('config.json')!.read()).toThrow(/would grow/);
    view.setUint32(at + 24, 100, true);
    expect(() => openArchive(bomb, 'x.keras').get('config.json')!.read()).toThrow(
      /cannot be unpacked to the 100/,
    );
  });

  it('gives stored entries as views', () => {
    const archive = zipSync({ a: Uint8Array.of(1, 2, 3) }, { level: 0 });
    const entry = openArchive(archive, 'x.keras').get('a')!.read();
    expect([...entry]).toEqual([1, 2, 3]);
    expect(entry.buffer).toBe(archive.buffer);
  });
});

describe('models that do not fit', () => {
  it('refuses weights only', async () => {
    const bytes = await hdf5Bytes({ datasets: { 'd/d/kernel:0': weight([2, 3]) } });
    expect(await refusal(bytes)).toMatchObject({ code: 'format.unsupported' });
  });

  it('names layers with missing weights and with weights of another shape, all at once', async () => {
    const two = functional(
      [input('x', [null, 2]), layer('Dense', 'a', ['x'], dense), layer('Dense', 'b', ['x'], dense)],
      ['x'],
      ['a', 'b'],
    );
    const { graph, issues } = await readBytes(
      await kerasHdf5(two, { a: { 'kernel:0': weight([2, 4]), 'bias:0': weight([3]) } }),
    );
    expect(graph).toBeUndefined();
    expect(issues.map(({ code, node }) => [code, node])).toEqual([
      ['model.invalid', 'a'],
      ['model.invalid', 'b'],
    ]);
    expect(issues[0].message).toContain('kernel has the shape [2, 4]; [2, 3] is expected');
    expect(issues[1].message).toContain('kernel is not in the file');
  });

  it('lists every unknown layer, inner and wrapped ones too', async () => {
    const inner = functional([input('i', [null, 2]), layer('Package>Twist', 't', ['i'])], ['i'], ['t']) as {
      config: object;
    };
    const config = functional(
      [
        input('x', [null, 2]),
        layer('Lambda', 'l', ['x'], { function: ['4wEAAA==', null, null] }),
        {
          ...inner,
          name: 'inner',
          config: { ...inner.config, name: 'inner' },
          inbound_nodes: [[['l', 0, 0, {}]]],
        },
        { ...layer('TFOpLambda', 'f', [], { function: 'math.lgamma' }), inbound_nodes: [['x', 0, 0, {}]] },
      ],
      ['x'],
      ['inner'],
    );
    const { graph, issues } = await readBytes(await kerasHdf5(config, {}));
    expect(graph).toBeUndefined();
    expect(issues.map(({ code, node, op }) => [code, node, op])).toEqual([
      ['model.unsupported-layer', 'l', 'Lambda'],
      ['model.unsupported-layer', 'inner/t', 'Twist'],
      ['model.unsupported-layer', 'f', 'TFOpLambda'],
    ]);
    for (const issue of issues) expect(issue.hint).toBeTruthy();
  });

  it('names a model class of its own', async () => {
    const bytes = await kerasArchive({ class_name: 'MyNet', config: { name: 'net' } }, {});
    const error = await refusal(bytes);
    expect(error).toMatchObject({ code: 'model.unsupported-layer' });
    expect(String(error)).toContain('MyNet');
  });

  it('refuses options that it does not read, with the layer', async () => {
    const config = functional(
      [
        input('x', [null, 4, 4, 1]),
        layer('UpSampling2D', 'u', ['x'], { size: [2, 2], interpolation: 'lanczos3' }),
        layer('Activation', 'a', ['x'], { activation: 'my_own' }),
      ],
      ['x'],
      ['u', 'a'],
    );
    const { issues } = await readBytes(await kerasHdf5(config, {}));
    expect(issues.map(({ node }) => node)).toEqual(['u', 'a']);
    expect(issues[0].message).toContain('lanczos3');
  });

  it('refuses a call for training before Keras 3', async () => {
    const called = { ...layer('Dropout', 'drop', []), inbound_nodes: [[['x', 0, 0, { training: true }]]] };
    const config = functional([input('x', [null, 2]), called], ['x'], ['drop']);
    const { issues } = await readBytes(await kerasHdf5(config, {}));
    expect(issues[0].message).toContain('training=True');
    const newer = await readBytes(await kerasHdf5(config, {}, { version: '3.9.2' }));
    expect(newer.issues).toEqual([]);
  });

  it('refuses inputs of texts', async () => {
    const config = functional([input('x', [null, 1], 'string'), layer('Flatten', 'f', ['x'])], ['x'], ['f']);
    const { issues } = await readBytes(await kerasHdf5(config, {}));
    expect(issues).toMatchObject([{ code: 'model.unsupported-option', node: 'x' }]);
  });
});
