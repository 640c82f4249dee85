type Config = Readonly<Record<string, unknown>>;

/** New names of classes that kept their meaning. */
const classNames: Readonly<Record<string, string>> = {
  Convolution1D: 'Conv1D',
  Convolution2D: 'Conv2D',
  Convolution3D: 'Conv3D',
  AtrousConvolution1D: 'Conv1D',
  AtrousConvolution2D: 'Conv2D',
  SeparableConvolution2D: 'SeparableConv2D',
  TimeDistributedDense: 'Dense',
};

const mergeModes: Readonly<Record<string, string>> = {
  sum: 'Add',
  mul: 'Multiply',
  ave: 'Average',
  max: 'Maximum',
  concat: 'Concatenate',
};

/** New names of options, by which each of them is read everywhere else. */
const optionNames: Readonly<Record<string, string>> = {
  output_dim: 'units',
  nb_filter: 'filters',
  filter_length: 'kernel_size',
  pool_length: 'pool_size',
  stride: 'strides',
  subsample: 'strides',
  subsample_length: 'strides',
  atrous_rate: 'dilation_rate',
  border_mode: 'padding',
  dim_ordering: 'data_format',
  bias: 'use_bias',
  length: 'size',
  concat_axis: 'axis',
};

/** What the new names mean; `th` is left as it is, because kernels are stored in another order and turned there. */
const orderings: Readonly<Record<string, string>> = { tf: 'channels_last', default: 'channels_last' };

/**
 * Brings a layer of Keras 1 to the names of Keras 2 (`keras.legacy.interfaces` lists them). Layers whose weights
 * changed as well (recurrent and transposed ones) keep theirs and are refused for what they lack.
 */
export function fromKeras1(className: string, config: Config): { className: string; config: Config } {
  const renamed: Record<string, unknown> = {};
  for (const [option, value] of Object.entries(config)) {
    const keeps = className === 'Embedding' && option === 'output_dim';
    renamed[keeps ? option : (optionNames[option] ?? option)] = value;
  }
  if (typeof renamed.data_format === 'string') {
    renamed.data_format = orderings[renamed.data_format] ?? renamed.data_format;
  }
  if (typeof config.nb_row === 'number') renamed.kernel_size = [config.nb_row, config.nb_col];
  if (typeof config.kernel_dim1 === 'number') {
    renamed.kernel_size = [config.kernel_dim1, config.kernel_dim2, config.kernel_dim3];
  }
  const merged = className === 'Merge' ? mergeModes[String(config.mode)] : undefined;
  return { className: merged ?? classNames[className] ?? className, config: renamed };
}

/** Last parts of weight names in Keras 1 (`dense_1_W`), by those of Keras 2. */
export const keras1Weights: Readonly<Record<string, string>> = {
  kernel: 'W',
  embeddings: 'W',
  bias: 'b',
  alpha: 'alphas',
  gamma: 'gamma',
  beta: 'beta',
  running_mean: 'running_mean',
  running_std: 'running_std',
  depthwise_kernel: 'depthwise_kernel',
  pointwise_kernel: 'pointwise_kernel',
};
