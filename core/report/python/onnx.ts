import type { Calibration, OnnxForm, Override, Precision, Recipe, SourceView } from '../../contract/views.ts';
import { indent, pyBoolean, pyList, pyString } from './literals.ts';
import type { Part } from './tflite.ts';

const methods: Partial<Record<Calibration, string>> = {
  minmax: 'MinMax',
  'moving-average': 'MinMax',
  percentile: 'Percentile',
  entropy: 'Entropy',
};

interface QdqForm {
  readonly activation: 'QInt8' | 'QUInt8';
  readonly reduceRange: boolean;
  readonly tensorrt: boolean;
}

const forms: Record<OnnxForm, QdqForm> = {
  auto: { activation: 'QInt8', reduceRange: false, tensorrt: false },
  s8s8: { activation: 'QInt8', reduceRange: false, tensorrt: false },
  u8s8: { activation: 'QUInt8', reduceRange: false, tensorrt: false },
  'u8s8-reduced': { activation: 'QUInt8', reduceRange: true, tensorrt: false },
  tensorrt: { activation: 'QInt8', reduceRange: false, tensorrt: true },
};

function staticCall(precision: 'int8' | 'int16x8', recipe: Recipe, file: string): string {
  const form = forms[recipe.onnxForm];
  const wide = precision === 'int16x8';
  const extra = ['"WeightSymmetric": True'];
  if (form.tensorrt || wide) extra.push('"ActivationSymmetric": True');
  if (form.tensorrt && !wide) {
    extra.push('"DedicatedQDQPair": True');
    extra.push('"OpTypesToExcludeOutputQuantization": ["Conv", "ConvTranspose", "Gemm", "MatMul"]');
  }
  if (recipe.calibration === 'moving-average') extra.push('"CalibMovingAverage": True');
  return `quantization.quantize_static(
    prepared,
    out / "${file}",
    Samples(samples_path),
    quant_format=quantization.QuantFormat.QDQ,
    activation_type=quantization.QuantType.${wide ? 'QInt16' : form.activation},
    weight_type=quantization.QuantType.QInt8,
    per_channel=True,
    reduce_range=${pyBoolean(form.reduceRange && !wide)},
    calibrate_method=quantization.CalibrationMethod.${methods[recipe.calibration] ?? 'MinMax'},
    nodes_to_exclude=nodes_named(prepared, KEPT_IN_FLOAT),
    extra_options={${extra.join(', ')}},
)
`;
}

/** Python that makes one file; nothing where onnxruntime's quantizer has no such mode. */
function callFor(precision: Precision, recipe: Recipe, file: string): string | undefined {
  switch (precision) {
    case 'float32':
      return `save(out / "${file}", prepared.read_bytes())\n`;
    case 'float16':
      return `onnx.save(convert_float_to_float16(onnx.load(prepared), keep_io_types=True), out / "${file}")\n`;
    case 'dynamic-int8':
      return `quantization.quantize_dynamic(
    prepared,
    out / "${file}",
    weight_type=quantization.QuantType.QInt8,
    per_channel=True,
    nodes_to_exclude=nodes_named(prepared, KEPT_IN_FLOAT),
)
`;
    case 'int8':
    case 'int16x8':
      return staticCall(precision, recipe, file);
    default:
      return undefined;
  }
}

/** Python that makes the recipe's ONNX files with onnxruntime's quantizer, from an ONNX form of the source. */
export function onnxPart(recipe: Recipe, source: SourceView, stem: string): Part {
  const notes: string[] = [];
  const made: string[] = [];
  for (const precision of new Set(recipe.precisions)) {
    const text = callFor(precision, recipe, `${stem}_${precision}.onnx`);
    if (text) made.push(text);
    else notes.push(`onnxruntime's quantizer has no ${precision}: that ONNX file is not made.`);
  }
  if (made.length === 0) return { text: '', notes };
  if (source.format !== 'onnx')
    notes.push(
      `onnxruntime reads ONNX only: give an ONNX form of ${source.name} with --onnx (tf2onnx makes one).`,
    );
  if (!methods[recipe.calibration])
    notes.push(`onnxruntime has no ${recipe.calibration} calibration: min-max is taken.`);
  if (recipe.io !== 'float32')
    notes.push(`onnxruntime's quantizer keeps float32 inputs and outputs, not ${recipe.io}.`);
  const kept = recipe.overrides.filter(({ precision }) => precision === 'float32');
  if (kept.length < recipe.overrides.length)
    notes.push('Of the overrides only those that keep an operator in float32 are carried out for ONNX.');
  const halves = recipe.precisions.includes('float16');
  const calibrated = made.some((call) => call.includes('quantize_static'));
  const text = `${keptSection(kept)}

def nodes_named(path, patterns):
    """Names of the nodes that any of the (name, operator) patterns describes."""
    import onnx

    nodes = onnx.load(path, load_external_data=False).graph.node
    found = set()
    for name, op in patterns:
        named = [
            node.name
            for node in nodes
            if any(fnmatchcase(each, name) for each in [node.name, *node.output]) and fnmatchcase(node.op_type, op)
        ]
        if not named:
            raise SystemExit(f"no {op} node is called {name}")
        found.update(named)
    return sorted(found)


def make_onnx(model_path, samples_path, out):
    import onnx
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process
    from onnxruntime.tools.onnx_model_utils import make_input_shape_fixed
${halves ? '    from onnxruntime.transformers.float16 import convert_float_to_float16\n' : ''}${calibrated ? `\n${indent(reader)}` : ''}
    prepared = out / "${stem}_prepared.onnx"
    model = onnx.load(model_path)
    for name, shape, _ in INPUTS:
        make_input_shape_fixed(model.graph, name, shape)
    onnx.save(model, prepared)
    quant_pre_process(prepared, prepared, skip_symbolic_shape=True)

${indent(made.join('\n'))}`;
  return { text, notes };
}

const reader = `class Samples(quantization.CalibrationDataReader):
    def __init__(self, path):
        self.feeds = samples(path)

    def get_next(self):
        return next(self.feeds, None)
`;

function keptSection(kept: readonly Override[]): string {
  const patterns = kept.map(
    ({ match, op }) => `(${pyString(escapeBrackets(match ?? '*'))}, ${pyString(escapeBrackets(op ?? '*'))})`,
  );
  return `KEPT_IN_FLOAT = ${pyList(patterns)}\n`;
}

/** Brackets are a set of characters to Python's patterns, and themselves in a recipe. */
function escapeBrackets(pattern: string): string {
  return pattern.replaceAll('[', '[[]');
}
