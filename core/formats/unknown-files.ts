/** Names files that are no model, or a model of a kind that is not read, by their first bytes. */
import type { OtherKind } from './detect-format.ts';

interface Signature extends OtherKind {
  readonly offset?: number;
  /** As Latin-1 characters. */
  readonly bytes: string;
}

const onnxExport = 'Export the model from PyTorch with torch.onnx.export and open the .onnx file.';
const asSamples = 'Pictures are samples, not models: give a folder of them with --data.';

const signatures: readonly Signature[] = [
  {
    bytes: 'GGUF',
    what: 'a GGUF language model',
    hint: 'Such models are already quantized; Whittle is for Keras and ONNX.',
  },
  {
    bytes: '\x93NUMPY',
    what: 'a NumPy array, which holds data and no model',
    hint: 'Use it as samples, with --data.',
  },
  { bytes: '\x80\x02', what: 'a Python pickle, probably a PyTorch checkpoint', hint: onnxExport },
  { bytes: '\x80\x03', what: 'a Python pickle', hint: onnxExport },
  { bytes: '\x80\x04', what: 'a Python pickle', hint: onnxExport },
  { bytes: '\x80\x05', what: 'a Python pickle', hint: onnxExport },
  { bytes: '\x89PNG', what: 'a PNG image', hint: asSamples },
  { bytes: '\xff\xd8\xff', what: 'a JPEG image', hint: asSamples },
  { bytes: 'GIF8', what: 'a GIF image', hint: asSamples },
  { bytes: 'WEBP', offset: 8, what: 'a WebP image', hint: asSamples },
  { bytes: 'WAVE', offset: 8, what: 'a sound file' },
  { bytes: '%PDF', what: 'a PDF document' },
  { bytes: '\x1f\x8b', what: 'a gzip archive', hint: 'Unpack it and open the model inside.' },
  { bytes: '7z\xbc\xaf', what: 'a 7-Zip archive', hint: 'Unpack it and open the model inside.' },
  { bytes: 'ustar', offset: 257, what: 'a tar archive', hint: 'Unpack it and open the model inside.' },
  {
    bytes: 'ptrt',
    what: 'a TensorRT engine',
    hint: 'Engines are built for one GPU; open the ONNX model it was built from.',
  },
  {
    bytes: 'ftrt',
    what: 'a TensorRT engine',
    hint: 'Engines are built for one GPU; open the ONNX model it was built from.',
  },
  { bytes: 'ORTM', offset: 4, what: 'an ORT-format model', hint: 'Open the .onnx model it was made from.' },
  { bytes: '7767517', what: 'an ncnn model', hint: 'Open the ONNX model it was made from.' },
];

function latin1(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) out += String.fromCharCode(byte);
  return out;
}

/** safetensors: a 64-bit header length, then JSON. */
function isSafetensors(head: Uint8Array): boolean {
  if (head.length < 10) return false;
  const length = new DataView(head.buffer, head.byteOffset).getBigUint64(0, true);
  return length > 1n && length < 100_000_000n && head[8] === 0x7b && (head[9] === 0x22 || head[9] === 0x7d);
}

/** @param head the first bytes of a file, a few hundred at least where there are as many. */
export function describeUnknown(head: Uint8Array): OtherKind {
  const start = latin1(head);
  const known = signatures.find(({ bytes, offset = 0 }) => start.startsWith(bytes, offset));
  if (known) return { what: known.what, hint: known.hint };
  if (isSafetensors(head)) {
    return { what: 'a safetensors file, which holds weights without the network', hint: onnxExport };
  }
  if (!isText(head)) return { what: 'a file of unknown kind' };
  if (start.startsWith('version https://git-lfs')) {
    return {
      what: 'a Git LFS pointer in place of the model',
      hint: 'Fetch the model itself with "git lfs pull".',
    };
  }
  if (/^\s*<(!doctype html|html)/i.test(start)) {
    return { what: 'a web page', hint: 'The download went wrong; fetch the file itself.' };
  }
  if (/<net\s/.test(start))
    return { what: 'an OpenVINO model', hint: 'Open the ONNX or Keras model it was made from.' };
  if (/^\s*[{[]/.test(start)) return { what: 'a JSON file without a model in it' };
  return { what: 'a text file' };
}

function isText(head: Uint8Array): boolean {
  try {
    // A character may be cut in two at the end of what was read.
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
  } catch {
    return false;
  }
  return head.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d);
}
