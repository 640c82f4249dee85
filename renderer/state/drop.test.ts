import { describe, expect, it } from 'vitest';
import { describeDrop, planDrop } from './actions/drop.ts';

const file = (name: string, isFolder = false) => ({
  name,
  isFolder,
  files: [{ path: name, file: new File([], name) }],
});

describe('planDrop', () => {
  it('sorts a model, samples and a recipe', () => {
    const plan = planDrop([file('net.h5'), file('x.npz'), file('images', true), file('r.json')], false);
    expect(plan.model?.name).toBe('net.h5');
    expect(plan.data.map(({ name }) => name)).toEqual(['x.npz', 'images']);
    expect(plan.recipe?.name).toBe('r.json');
    expect(plan.refusals).toEqual([]);
  });

  it('tells a model folder from a folder of samples', () => {
    const savedModel = { ...file('export', true), entries: ['saved_model.pb', 'variables'] };
    const plan = planDrop([savedModel, { ...file('photos', true), entries: ['cat', 'dog'] }], false);
    expect(plan.model?.name).toBe('export');
    expect(plan.data.map(({ name }) => name)).toEqual(['photos']);
  });

  it('keeps the shards of a TF.js model with it', () => {
    const plan = planDrop([file('model.json'), file('group1-shard1of1.bin')], false);
    expect(plan.model?.files.map(({ path }) => path)).toEqual(['model.json', 'group1-shard1of1.bin']);
  });

  it('keeps external weights with their model', () => {
    const plan = planDrop([file('net.onnx.data'), file('net.onnx')], false);
    expect(plan.model?.files.map(({ path }) => path)).toEqual(['net.onnx', 'net.onnx.data']);
  });

  it('refuses two models, naming both', () => {
    const plan = planDrop([file('a.h5'), file('b.onnx')], true);
    expect(plan.model).toBeUndefined();
    expect(plan.refusals[0].message).toContain('a.h5, b.onnx');
  });

  it('refuses samples without a model, naming them', () => {
    const plan = planDrop([file('x.npz')], false);
    expect(plan.data).toEqual([]);
    expect(plan.refusals[0].message).toContain('x.npz');
    expect(planDrop([file('x.npz')], true).data).toHaveLength(1);
  });

  it('refuses what it does not know, and says what it does', () => {
    expect(planDrop([file('notes.txt')], true).refusals[0].hint).toContain('.keras');
  });
});

describe('describeDrop', () => {
  const item = (type: string) => ({ kind: 'file', type });
  it.each([
    [[item('')], undefined, 'Drop to open the model.'],
    [[item('image/png'), item('image/png')], 'net.h5', 'Drop to attach these 2 as samples for net.h5.'],
    [[item('application/json')], 'net.h5', 'Drop to apply this recipe to net.h5.'],
    [[item('')], 'net.h5', 'Drop a model to open it, or samples to attach them to net.h5.'],
    [
      [{ kind: 'string', type: 'text/plain' }],
      'net.h5',
      'Nothing here can be opened: drop files or a folder.',
    ],
  ])('%j over %s', (items, name, text) => expect(describeDrop(items, name)).toBe(text));
});
