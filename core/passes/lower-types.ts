import type { DType } from '../ir/dtype.ts';
import type { Node } from '../ir/graph.ts';
import { tensorOf, toNumbers } from '../ir/tensor.ts';
import type { GraphEditor } from './graph-editor.ts';
import { editingPass } from './pass.ts';

/** LiteRT's kernels take these for quantized numbers; plain ones are computed in a wider type, which holds every result. */
const narrow: readonly DType[] = ['int8', 'uint8', 'int16', 'uint16'];

/** Operators that compute with their elements, and so must know what the numbers mean. */
const computing = new Set([
  ...['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Pow', 'Mod', 'Abs', 'Neg', 'Sign', 'Clip', 'Relu'],
  ...['Equal', 'Greater', 'Less', 'ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceProd', 'CumSum'],
  ...[
    'ScatterElements',
    'ScatterND',
    'Resize',
    'BitwiseAnd',
    'BitwiseOr',
    'BitwiseXor',
    'BitwiseNot',
    'BitShift',
  ],
]);
/** The largest of truth values is their "or"; the kernels of extrema take none. */
const extrema = new Set(['ReduceMax', 'ReduceMin', 'Max', 'Min']);

function wideType(editor: GraphEditor, node: Node): DType | undefined {
  const values = [...node.inputs, ...node.outputs].flatMap((id) => (id === null ? [] : [editor.value(id)]));
  if (values.some(({ quant }) => quant)) return undefined;
  const { dtype } = values[0].type;
  if (computing.has(node.op) && narrow.includes(dtype)) return 'int32';
  if (computing.has(node.op) && dtype === 'uint32') return 'int64';
  if (extrema.has(node.op) && dtype === 'bool') return 'int32';
  return undefined;
}

/**
 * Computes in int32 what the source computes in narrower integers: operands are cast to int32 and the result back,
 * which wraps around where the narrow type does.
 */
export const lowerNarrowIntegers = editingPass('lower-narrow-integers', (editor, changes) => {
  for (const listed of editor.list()) {
    const node = editor.current(listed.id);
    const wide = node && wideType(editor, node);
    if (!node || !wide) continue;
    const own = editor.input(node, 0)!.type.dtype;
    const inputs = node.inputs.map((id) => {
      if (id === null || editor.value(id).type.dtype !== own) return id;
      return editor.add({ op: 'Cast', inputs: [id], attrs: { to: wide }, name: `${id}/${wide}` }).outputs[0];
    });
    const results = node.outputs.map((id) => editor.value(id).type.dtype);
    editor.remove(node);
    const computed = editor.add({ op: node.op, inputs, attrs: node.attrs, name: node.id });
    node.outputs.forEach((id, i) => {
      const made = editor.value(computed.outputs[i]);
      const op = made.type.dtype === results[i] ? 'Identity' : 'Cast';
      const attrs = op === 'Cast' ? { to: results[i] } : {};
      editor.add({ op, inputs: [made.id], attrs, name: `${id}/${results[i]}`, outputs: [id] });
    });
    changes.made(`${node.id} computes ${own} numbers in ${wide}`);
  }
});

/**
 * Computes in float32 what the source computes in float16: few of LiteRT's kernels take halves. Inputs and outputs
 * stay halves, and so do weights, which the file stores as such.
 */
export const lowerHalves = editingPass('lower-halves', (editor, changes) => {
  const isHalf = (id: string | null) => id !== null && editor.value(id).type.dtype === 'float16';
  const halves = new Set(editor.valueIds().filter(isHalf));
  if (halves.size === 0) return;
  const widened = new Map<string, string>();
  // Borders and weights keep their names and types; everything else changes its type in place.
  const stays = (id: string) =>
    editor.isInput(id) || editor.isOutput(id) || editor.value(id).constant !== undefined;
  for (const node of editor.list()) {
    if (![...node.inputs, ...node.outputs].some((id) => id !== null && halves.has(id))) continue;
    const inputs = node.inputs.map((id) => {
      if (id === null || !halves.has(id) || !stays(id)) return id;
      const known = widened.get(id);
      if (known) return known;
      const wide = editor.freeName(`${id}/float32`);
      if (editor.isOutput(id) && editor.maker(id)) return id;
      editor.add({ op: 'Cast', inputs: [id], attrs: { to: 'float32' }, name: wide, outputs: [wide] });
      widened.set(id, wide);
      return wide;
    });
    const outputs = node.outputs.filter((id) => halves.has(id) && editor.isOutput(id));
    const attrs =
      node.op === 'Cast' && node.attrs.to === 'float16' ? { ...node.attrs, to: 'float32' } : node.attrs;
    if (outputs.length === 0) {
      editor.change(node, { inputs, attrs });
      continue;
    }
    editor.remove(node);
    const computed = editor.add({
      op: node.op,
      inputs,
      attrs,
      name: node.id,
      outputs: node.outputs.map((id) => (outputs.includes(id) ? editor.freeName(`${id}/float32`) : id)),
    });
    node.outputs.forEach((id, i) => {
      if (!outputs.includes(id)) return;
      editor.add({
        op: 'Cast',
        inputs: [computed.outputs[i]],
        attrs: { to: 'float16' },
        name: `${id}/float16`,
        outputs: [id],
      });
      for (const reader of editor.consumers(id)) {
        editor.change(reader, {
          inputs: reader.inputs.map((input) => (input === id ? computed.outputs[i] : input)),
        });
      }
    });
  }
  changes.made(`${halves.size} tensors of halves are float32 while the model runs`);
});

/**
 * Computes in float32 what the source computes in float64, borders included: LiteRT has no kernels for doubles.
 * Integers that only pass through a double lose nothing up to 2²⁴.
 */
export const lowerDoubles = editingPass('lower-doubles', (editor, changes) => {
  const isDouble = (id: string) => editor.value(id).type.dtype === 'float64';
  let found = 0;
  for (const id of editor.valueIds()) {
    if (!isDouble(id)) continue;
    const { constant } = editor.value(id);
    const numbers = constant && tensorOf('float32', constant.shape, Float32Array.from(toNumbers(constant)));
    editor.setType(id, 'float32', numbers);
    found++;
  }
  if (found === 0) return;
  for (const node of editor.list()) {
    if (node.op === 'Cast' && node.attrs.to === 'float64') {
      editor.change(node, { attrs: { ...node.attrs, to: 'float32' } });
    }
    const value = node.attrs.value;
    if (
      node.op === 'ConstantOfShape' &&
      value &&
      typeof value === 'object' &&
      'dtype' in value &&
      value.dtype === 'float64'
    ) {
      const fill = tensorOf('float32', value.shape, Float32Array.from(toNumbers(value)));
      editor.change(node, { attrs: { ...node.attrs, value: fill } });
    }
  }
  changes.made(`${found} tensors of doubles are float32`);
});
