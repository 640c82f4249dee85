/** The fixed lists that a user chooses from; apart from the schemas, so that a menu or a help text costs nothing. */

export const precisions = [
  'float32',
  'float16',
  'dynamic-int8',
  'weights-int8',
  'weights-int4',
  'int8',
  'int16x8',
  'auto',
] as const;

export const ioTypes = ['float32', 'int8', 'uint8', 'int16'] as const;

export const outputFormats = ['tflite', 'onnx'] as const;

export const calibrations = ['minmax', 'moving-average', 'percentile', 'entropy', 'mse', 'auto'] as const;

/**
 * Forms of an integer ONNX file. `s8s8` and `u8s8`: signed or unsigned activations with signed weights;
 * `u8s8-reduced`: weights of 7 bits, for CPUs that add products in 16 bits (x86 without VNNI); `tensorrt`: symmetric,
 * borders where TensorRT fuses across them; `auto`: what onnxruntime runs best on this machine (`s8s8` on ARM; on x86
 * `u8s8`, and `u8s8-reduced` where it saturates).
 */
export const onnxForms = ['auto', 's8s8', 'u8s8', 'u8s8-reduced', 'tensorrt'] as const;

/**
 * What wins quality back: nothing; what the statistics of calibration tell and weights fitted to samples where that is
 * cheap, unmeasured; or every step that is found to gain on samples that it did not see.
 */
export const recoveries = ['off', 'fast', 'auto'] as const;

/** What a search for mixed precision makes least. */
export const objectives = ['smallest', 'fastest'] as const;
