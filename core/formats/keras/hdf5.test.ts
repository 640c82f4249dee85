import { describe, expect, it } from 'vitest';
import { toNumbers } from '../../ir/tensor.ts';
import { hdf5Bytes } from '../../testing/keras-files.ts';
import { openByLibrary, withHdf5 } from './hdf5.ts';
import { NotPlainError, openPlainHdf5 } from './hdf5-views.ts';

const many = Object.fromEntries(
  Array.from({ length: 300 }, (_, i) => [`many/layer_${i}/kernel`, { shape: [2], values: [i, -i] }]),
);
const content = {
  datasets: {
    'a/b/kernel:0': { shape: [2, 3], values: [1, 2, 3, 4, 5, 6] },
    top: { shape: [], values: [7] },
    ...many,
  },
  attributes: {
    '/': { model_config: `{"text": "${'ö'.repeat(70_000)}"}` },
    a: { weight_names: ['b/kernel:0', 'b/bias:0'], backend: 'tensorflow' },
  },
};

describe('the plain reader', () => {
  it('agrees with the library on a file of h5py’s form', async () => {
    const bytes = await hdf5Bytes(content);
    const plain = openPlainHdf5(bytes);
    const library = await openByLibrary(bytes.slice(), 'x.h5');
    for (const group of ['/', 'a', 'a/b', 'many', 'top', 'nowhere', 'a/nowhere/x']) {
      expect([...plain.children(group)].sort()).toEqual([...library.children(group)].sort());
    }
    for (const [path, name] of [
      ['/', 'model_config'],
      ['a', 'weight_names'],
      ['a', 'backend'],
      ['a', 'nothing'],
      ['nowhere', 'x'],
    ]) {
      expect(plain.attribute(path, name)).toEqual(library.attribute(path, name));
    }
    for (const path of [...Object.keys(content.datasets), 'a', 'nowhere']) {
      const tensor = plain.dataset(path);
      expect(tensor?.shape).toEqual(library.dataset(path)?.shape);
      if (tensor) expect(toNumbers(tensor)).toEqual(toNumbers(library.dataset(path)!));
    }
    library.close();
  });

  it('gives datasets as views on the file', async () => {
    const bytes = await hdf5Bytes(content);
    const tensor = openPlainHdf5(bytes).dataset('a/b/kernel:0')!;
    expect(tensor.bytes.buffer).toBe(bytes.buffer);
  });

  it('leaves newer forms to the library', async () => {
    const bytes = await hdf5Bytes({ ...content, form: 'latest' });
    expect(() => openPlainHdf5(bytes)).toThrow(NotPlainError);
    const values = await withHdf5(bytes, 'x.h5', (hdf5) => toNumbers(hdf5.dataset('many/layer_299/kernel')!));
    expect(values).toEqual([299, -299]);
  });
});
