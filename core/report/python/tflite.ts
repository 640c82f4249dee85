import type { IoType, Precision, Recipe, SourceView } from '../../contract/views.ts';
import { indent } from './literals.ts';

const kerasFormats = new Set(['keras', 'keras-h5']);

/** Whether TensorFlow's converter reads a format. */
export function converterReads(format: string): boolean {
  return kerasFormats.has(format) || format === 'savedmodel';
}

/** Settings of TensorFlow's converter by precision; nothing where it has no such mode. */
function settings(precision: Precision, { pureInteger, io }: Recipe): readonly string[] | undefined {
  const optimized = 'converter.optimizations = [tf.lite.Optimize.DEFAULT]';
  const calibrated = [optimized, 'converter.representative_dataset = representative'];
  const rest = pureInteger ? '' : ', tf.lite.OpsSet.TFLITE_BUILTINS';
  const ports = (type: IoType) =>
    io === type
      ? [`converter.inference_input_type = tf.${type}`, `converter.inference_output_type = tf.${type}`]
      : [];
  switch (precision) {
    case 'float32':
      return [];
    case 'float16':
      return [optimized, 'converter.target_spec.supported_types = [tf.float16]'];
    case 'dynamic-int8':
      return [optimized];
    case 'int8':
      return [
        ...calibrated,
        `converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8${rest}]`,
        ...ports('int8'),
        ...ports('uint8'),
      ];
    case 'int16x8':
      return [
        ...calibrated,
        'converter.target_spec.supported_ops = [',
        `    tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8${rest}`,
        ']',
        ...ports('int16'),
      ];
    default:
      return undefined;
  }
}

export interface Part {
  /** Python, or nothing where no precision of the recipe can be made. */
  readonly text: string;
  readonly notes: readonly string[];
}

/**
 * Python that makes the recipe's .tflite files with TensorFlow's converter.
 * @param stem what file names begin with
 */
export function tflitePart(recipe: Recipe, source: SourceView, stem: string): Part {
  const notes: string[] = [];
  if (!converterReads(source.format)) {
    notes.push(`TensorFlow's converter does not read ${source.format}: no .tflite is made.`);
    return { text: '', notes };
  }
  const made: string[] = [];
  for (const precision of new Set(recipe.precisions)) {
    const lines = settings(precision, recipe);
    if (!lines) {
      notes.push(`TensorFlow's converter has no ${precision}: that .tflite is not made.`);
      continue;
    }
    const settingLines = lines.map((line) => `${line}\n`).join('');
    const file = `${stem}_${precision}.tflite`;
    made.push(`converter = new_converter()\n${settingLines}save(out / "${file}", converter.convert())\n`);
  }
  if (made.length === 0) return { text: '', notes };
  const isKeras = kerasFormats.has(source.format);
  if (recipe.calibration !== 'minmax')
    notes.push(`TensorFlow's converter takes ranges by min-max, not by ${recipe.calibration}.`);
  if (recipe.overrides.length > 0)
    notes.push("TensorFlow's converter gives all operators one precision: overrides are left out.");
  const text = `def make_tflite(model_path, samples_path, out):
    import tensorflow as tf

${indent(isKeras ? kerasConverter(source) : savedModelConverter)}
    def representative():
        for feeds in samples(samples_path):
            yield ${isKeras ? '[feeds[name] for name, _, _ in INPUTS]' : 'feeds'}

${indent(made.join('\n'))}`;
  return { text, notes };
}

function kerasConverter({ version }: SourceView): string {
  // Keras 3 does not read all files of Keras 2; tf_keras is Keras 2 for today's TensorFlow.
  const legacy = version !== undefined && /^(Keras )?[12]\./.test(version);
  return `${legacy ? 'import tf_keras as keras' : 'keras = tf.keras'}

model = keras.models.load_model(model_path, compile=False)
# With a fixed batch, more operators have kernels.
inputs = [keras.Input(batch_shape=shape, dtype=dtype, name=name) for name, shape, dtype in INPUTS]
fixed = keras.Model(inputs, model(inputs[0] if len(inputs) == 1 else inputs))

def new_converter():
    return tf.lite.TFLiteConverter.from_keras_model(fixed)
`;
}

const savedModelConverter = `def new_converter():
    return tf.lite.TFLiteConverter.from_saved_model(str(model_path))
`;
