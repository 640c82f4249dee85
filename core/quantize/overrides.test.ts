import { describe, expect, it } from 'vitest';
import { Override } from '../contract/views.ts';
import { resolveOverrides } from './overrides.ts';
import { smallNet } from './test-graphs.ts';

const forms = { tflite: smallNet('NHWC'), onnx: smallNet('NCHW') };

function resolve(...overrides: Override[]) {
  const { precisions, observers } = resolveOverrides(forms, overrides);
  return { precisions: Object.fromEntries(precisions), observers: Object.fromEntries(observers) };
}

describe('overrides', () => {
  it('name operators by name, by result, by pattern and by kind', () => {
    expect(resolve({ match: 'conv', precision: 'float32' }).precisions).toEqual({ conv: 'float32' });
    expect(resolve({ match: 'y', precision: 'float16' }).precisions).toEqual({ softmax: 'float16' });
    expect(resolve({ match: '?o*', precision: 'float32' }).precisions).toEqual({
      conv: 'float32',
      pool: 'float32',
      softmax: 'float32',
    });
    expect(resolve({ op: 'FullyConnected', precision: 'dynamic-int8' }).precisions).toEqual({
      dense: 'dynamic-int8',
    });
    expect(resolve({ match: '*o*', op: '*Pool', precision: 'float32' }).precisions).toEqual({
      pool: 'float32',
    });
  });

  it('choose an observer for results, and for inputs of the model', () => {
    expect(resolve({ op: 'Conv', calibration: 'mse' }).observers).toEqual({ conv: 'mse' });
    expect(resolve({ match: 'x', calibration: 'entropy' })).toEqual({
      precisions: {},
      observers: { x: 'entropy' },
    });
    // An operator that only the form for ONNX has.
    expect(resolve({ match: 'nhwc', calibration: 'percentile' }).observers).toEqual({ nhwc: 'percentile' });
  });

  it('let the last choice count, each kind of choice on its own', () => {
    const both = resolve(
      { match: '*', precision: 'float16', calibration: 'mse' },
      { match: 'dense', calibration: 'entropy' },
      { match: 'conv', precision: 'float32' },
    );
    expect(both.precisions).toMatchObject({ conv: 'float32', dense: 'float16' });
    expect(both.observers).toMatchObject({ conv: 'mse', dense: 'entropy' });
  });

  it('are refused together where they name nothing', () => {
    expect(() =>
      resolve(
        { match: 'conv[1]', precision: 'float32' },
        { op: 'LSTM', precision: 'float32' },
        { match: 'x', precision: 'float32' },
        { match: 'dense', precision: 'float32' },
      ),
    ).toThrow('no operator is called conv[1]; no LSTM is in the model; no operator is called x');
  });

  it('have to say which operators, and what', () => {
    expect(Override.safeParse({ precision: 'int8' }).success).toBe(false);
    expect(Override.safeParse({ match: 'conv' }).success).toBe(false);
    expect(Override.safeParse({ match: 'conv', precison: 'int8', calibration: 'mse' }).success).toBe(false);
    expect(Override.safeParse({ op: 'Conv', precision: 'auto' }).success).toBe(false);
  });
});
