import { describe, expect, it } from 'vitest';
import type { ModelView } from '../../../core/contract/views.ts';
import { fixedValues, parseValue, settingInputs, valueText } from './fixed-values.ts';

const port = (name: string, ...shape: (number | string)[]) => ({ name, dtype: 'int64', shape });
const view = (inputs: ModelView['source']['inputs'], fixed?: ModelView['source']['inputs']) =>
  ({ source: { inputs, fixed } }) as Pick<ModelView, 'source'>;

describe('fixed inputs', () => {
  it('are those with few elements, and those that have a value', () => {
    const found = settingInputs(view([port('audio', 1, 'n'), port('rate')], [port('mode', 1)]));
    expect(found.map(({ name }) => name)).toEqual(['mode', 'rate']);
  });

  it('leave one input to run the model on', () => {
    expect(settingInputs(view([port('a', 4)]))).toEqual([]);
    expect(settingInputs(view([port('a', 4), port('b', 2)]))).toEqual([]);
  });

  it.each([
    ['16000', 16000],
    [' 1, 0 2.5 ', [1, 0, 2.5]],
    ['true', 1],
    ['-1e-3', -0.001],
    ['1,,2', undefined],
    ['fast', undefined],
  ])('"%s"', (text, value) => expect(parseValue(text)).toEqual(value));

  it('are taken from the fields that are filled in', () => {
    expect(fixedValues({ rate: '8000', mode: ' ' })).toEqual({ rate: 8000 });
    expect(fixedValues({ rate: '8 kHz' })).toBeUndefined();
    expect(valueText([1, 2])).toBe('1, 2');
  });
});
