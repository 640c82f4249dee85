type Config = Readonly<Record<string, unknown>>;

const kernelAndBias = ['kernel', 'bias'];
const recurrent = ['kernel', 'recurrent_kernel', 'bias'];
const separable = ['depthwise_kernel', 'pointwise_kernel', 'bias'];

/**
 * Names of a layer's variables in the order in which Keras 3 numbers them in a `.keras` file
 * (`Layer.save_own_variables`: trainable ones in the order of creation, then the rest).
 */
const orders: Readonly<Record<string, readonly string[]>> = {
  Dense: kernelAndBias,
  EinsumDense: kernelAndBias,
  Conv1D: kernelAndBias,
  Conv2D: kernelAndBias,
  Conv3D: kernelAndBias,
  Conv1DTranspose: kernelAndBias,
  Conv2DTranspose: kernelAndBias,
  Conv3DTranspose: kernelAndBias,
  DepthwiseConv1D: kernelAndBias,
  DepthwiseConv2D: kernelAndBias,
  LocallyConnected1D: kernelAndBias,
  LocallyConnected2D: kernelAndBias,
  SeparableConv1D: separable,
  SeparableConv2D: separable,
  BatchNormalization: ['gamma', 'beta', 'moving_mean', 'moving_variance'],
  LayerNormalization: ['gamma', 'beta'],
  GroupNormalization: ['gamma', 'beta'],
  RMSNormalization: ['scale'],
  Normalization: ['mean', 'variance', 'count'],
  SpectralNormalization: ['vector_u'],
  LayerScale: ['gamma'],
  PReLU: ['alpha'],
  Embedding: ['embeddings'],
  ReversibleEmbedding: ['embeddings', 'reverse_embeddings'],
  Attention: ['scale', 'concat_score_weight'],
  AdditiveAttention: ['scale'],
  SimpleRNNCell: recurrent,
  LSTMCell: recurrent,
  GRUCell: recurrent,
  ConvLSTM1D: recurrent,
  ConvLSTM2D: recurrent,
  ConvLSTM3D: recurrent,
  ConvLSTMCell: recurrent,
  STFTSpectrogram: ['real_kernel', 'imag_kernel'],
};

/** Options that switch a variable off, by the variable's name. */
const switches: Readonly<Record<string, string>> = {
  bias: 'use_bias',
  gamma: 'scale',
  beta: 'center',
  scale: 'use_scale',
};

/** Variables that a layer of this class and configuration has, in order; `undefined` for a class without any known. */
export function weightOrder(className: string, config: Config): readonly string[] | undefined {
  if (className === 'EinsumDense' && 'bias_axes' in config && config.bias_axes === null) return ['kernel'];
  if (className === 'STFTSpectrogram' && config.mode === 'imag') return ['imag_kernel'];
  return orders[className]?.filter((name) => {
    const option = switches[name];
    return option === undefined || config[option] !== false;
  });
}

/** Keras' `to_snake_case`, which names layers inside a `.keras` file. */
export function snakeCase(className: string): string {
  return className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}
