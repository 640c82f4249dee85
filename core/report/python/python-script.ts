import { WhittleError } from '../../contract/errors.ts';
import type { PythonScript, Recipe, SourceView } from '../../contract/views.ts';
import { indent } from './literals.ts';
import { onnxPart } from './onnx.ts';
import { inputsSection, samplesSection } from './samples.ts';
import { type Part, tflitePart } from './tflite.ts';

const calibrated = new Set<string>(['int8', 'int16x8']);

/**
 * A recipe as a Python script that needs nothing of Whittle: TensorFlow's converter makes the .tflite files,
 * onnxruntime's quantizer the ONNX ones, from the same samples. What these tools cannot do stands in the notes and at
 * the head of the script.
 * @param source the model that the script will be run on: its format, inputs and file name
 * @throws WhittleError `precision.unsupported` when they can make nothing of the recipe; `model.dynamic-dims`
 */
export function writePythonScript(recipe: Recipe, source: SourceView): PythonScript {
  const open = source.inputs.filter(({ shape }) => shape.some((dim) => typeof dim === 'string'));
  if (open.length > 0) {
    const list = open.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join('; ');
    throw new WhittleError('model.dynamic-dims', `${source.name} leaves dimensions open: ${list}.`, {
      hint: 'Settle them first: the script names the shapes of its samples.',
    });
  }
  const fixed = Object.keys(recipe.fixed);
  if (fixed.length > 0) {
    const message = `The usual tools give no input a value for good, as the recipe does to ${fixed.join(', ')}.`;
    throw new WhittleError('precision.unsupported', message);
  }
  const stem = source.name.replace(/\.(h5|hdf5|keras|onnx|tflite)$/i, '').replaceAll(/[^\w.-]/g, '_');
  const none: Part = { text: '', notes: [] };
  const tflite = recipe.formats.includes('tflite') ? tflitePart(recipe, source, stem) : none;
  const onnx = recipe.formats.includes('onnx') ? onnxPart(recipe, source, stem) : none;
  const notes = [...tflite.notes, ...onnx.notes];
  if (tflite.text === '' && onnx.text === '') {
    throw new WhittleError(
      'precision.unsupported',
      `The usual tools make no file of this recipe from ${source.name}.`,
      {
        hint: notes.join(' '),
      },
    );
  }
  const needsSamples = recipe.precisions.some((precision) => calibrated.has(precision));
  const asksForOnnx = onnx.text !== '' && source.format !== 'onnx';
  const calls = [
    tflite.text && 'make_tflite(options.model, options.samples, options.out)',
    onnx.text && `make_onnx(options.${asksForOnnx ? 'onnx' : 'model'}, options.samples, options.out)`,
  ].filter((call) => call !== '');
  const sections = [
    head(source, notes, { samples: needsSamples, tflite: tflite.text !== '', onnx: onnx.text !== '' }),
    `${needsSamples ? samplesSection(recipe, source) : `${inputsSection(source)}\n`}`,
    saving,
    tflite.text,
    onnx.text,
    main(calls, needsSamples, asksForOnnx),
  ];
  const text = sections.filter((section) => section !== '').join('\n\n');
  return { fileName: `quantize_${stem.replaceAll(/\W/g, '_')}.py`, text, notes };
}

function head(
  source: SourceView,
  notes: readonly string[],
  parts: { samples: boolean; tflite: boolean; onnx: boolean },
): string {
  const packages = [
    'numpy',
    ...(parts.tflite ? ['tensorflow'] : []),
    ...(parts.onnx ? ['onnx', 'onnxruntime'] : []),
  ];
  const shown = source.name.replaceAll(/["\\]/g, '_');
  const list =
    notes.length === 0
      ? ''
      : `\nNot as in the recipe:\n${notes.map((note) => `- ${note.replaceAll('\\', '/').replaceAll('"', "'")}\n`).join('')}`;
  return `"""Quantizes ${shown} with the usual tools. Ranges, rounding and so the files are theirs.

Needs: pip install ${packages.join(' ')}
${list}"""
import argparse
${parts.onnx ? 'from fnmatch import fnmatchcase\n' : ''}from pathlib import Path
${parts.samples ? '\nimport numpy as np\n' : ''}`;
}

const saving = `def save(path, data):
    path.write_bytes(data)
    print(f"{path}: {len(data)} bytes")
`;

function main(calls: readonly string[], needsSamples: boolean, asksForOnnx: boolean): string {
  const samples = needsSamples
    ? 'parser.add_argument("samples", type=Path, help="calibration samples")\n'
    : 'parser.set_defaults(samples=None)\n';
  const onnx = asksForOnnx
    ? 'parser.add_argument("--onnx", type=Path, required=True, help="the model as ONNX")\n'
    : '';
  return `def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
${indent(`${samples}${onnx}`)}    parser.add_argument("--out", type=Path, default=Path("."))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
${indent(calls.map((call) => `${call}\n`).join(''))}

if __name__ == "__main__":
    main()
`;
}
