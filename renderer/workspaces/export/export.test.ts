import { describe, expect, it } from 'vitest';
import type { ArtifactView, IoType, OutputFormat, Precision } from '../../../core/contract/views.ts';
import { exportFileName } from '../../state/actions/results.ts';
import { bestFor, presets } from './presets.ts';
import { languages, variableName, writeSnippet } from './snippets.ts';

function artifact(
  precision: Precision,
  io: IoType = 'float32',
  format: OutputFormat = 'tflite',
): ArtifactView {
  return {
    id: `${precision}-${io}-${format}`,
    precision,
    io,
    format,
    path: '',
    sizeBytes: 1,
    sha256: '',
    operators: {},
    minRuntime: '2.3',
    status: 'ok',
    gates: [],
    warnings: [],
  };
}

describe('presets', () => {
  const preset = (id: string) => presets.find((one) => one.id === id) ?? presets[0];
  const all = [artifact('float32'), artifact('float16'), artifact('int8'), artifact('int8', 'uint8')];

  it.each([
    ['android-cpu', 'int8-float32-tflite'],
    ['android-gpu', 'float16-float32-tflite'],
    ['edge-tpu', 'int8-uint8-tflite'],
    ['mcu', undefined],
    ['desktop', undefined],
  ])('%s', (id, best) => expect(bestFor(preset(id), all)?.id).toBe(best));

  it('never offers what failed its gates', () => {
    expect(bestFor(preset('android-gpu'), [{ ...artifact('float16'), status: 'failed' }])).toBeUndefined();
  });
});

describe('snippets', () => {
  const facts = { fileName: 'net.int8.tflite', inputs: ['input_1:0'], outputs: ['class/probs', 'box'] };
  for (const format of ['tflite', 'onnx'] as const)
    for (const language of languages)
      it(`${language} for ${format} names the file and every port`, () => {
        const code = writeSnippet(language, { ...facts, fileName: `net.int8.${format}`, format });
        expect(code).toContain('net.int8');
        for (const name of [...facts.inputs, ...facts.outputs]) expect(code).toContain(`"${name}"`);
        expect(code).not.toContain('undefined');
      });

  it.each([
    ['input_1:0', 'input10'],
    ['serving default', 'servingDefault'],
    ['0', 'value0'],
    ['Logits', 'logits'],
  ])('%s becomes %s', (name, variable) => expect(variableName(name)).toBe(variable));
});

it('names exported files as the core did, on every system', () => {
  expect(exportFileName({ ...artifact('int8'), path: '/data/p1/artifacts/net_int8.tflite' })).toBe(
    'net_int8.tflite',
  );
  expect(exportFileName({ ...artifact('int8'), path: 'C:\\data\\net_int8.tflite' })).toBe('net_int8.tflite');
});
