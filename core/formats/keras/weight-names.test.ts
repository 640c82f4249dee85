import { describe, expect, it } from 'vitest';
import { snakeCase, weightOrder } from './weight-names.ts';

describe('snakeCase', () => {
  it.each([
    ['Dense', 'dense'],
    ['Conv2D', 'conv2d'],
    ['Conv2DTranspose', 'conv2d_transpose'],
    ['GlobalAveragePooling2D', 'global_average_pooling2d'],
    ['LSTM', 'lstm'],
    ['ReLU', 're_lu'],
    ['PReLU', 'p_re_lu'],
    ['MultiHeadAttention', 'multi_head_attention'],
  ])('%s → %s', (className, name) => {
    expect(snakeCase(className)).toBe(name);
  });
});

describe('weightOrder', () => {
  it('leaves out what options switch off', () => {
    expect(weightOrder('Dense', { use_bias: false })).toEqual(['kernel']);
    expect(weightOrder('BatchNormalization', { scale: false })).toEqual([
      'beta',
      'moving_mean',
      'moving_variance',
    ]);
    expect(weightOrder('EinsumDense', { bias_axes: null })).toEqual(['kernel']);
    expect(weightOrder('Attention', { use_scale: true })).toEqual(['scale', 'concat_score_weight']);
    expect(weightOrder('NoSuchLayer', {})).toBeUndefined();
  });
});
