const names: Record<string, string> = {
  keras: 'Keras',
  'keras-h5': 'Keras',
  'keras-zip': 'Keras',
  onnx: 'ONNX',
  tflite: 'TensorFlow Lite',
  savedmodel: 'SavedModel',
  graphdef: 'TensorFlow graph',
  tfjs: 'TF.js',
};

/** What a model format is called where people read it. */
export function modelFormatName(format: string): string {
  return names[format] ?? format;
}
