import type { Node, ValueId } from '../ir/graph.ts';
import { elementCount, floatTensor, permute, type Tensor, tensorOf, toFloat32 } from '../ir/tensor.ts';
import type { GemmAttrs } from '../ops/vocabulary.ts';
import type { GraphEditor } from './graph-editor.ts';
import { type Changes, editingPass } from './pass.ts';

function scaled(tensor: Tensor, factor: number): Tensor {
  if (factor === 1) return tensor;
  return floatTensor(
    tensor.shape,
    Float32Array.from(toFloat32(tensor), (value) => value * factor),
  );
}

/** A Gemm's C as a bias `[n]`, when it is the same for every row. */
function biasVector(c: Tensor, n: number, beta: number): Tensor | undefined {
  const perRow = c.shape.length === 2 && c.shape[0] !== 1;
  if (perRow || c.dtype !== 'float32') return undefined;
  const values = toFloat32(c);
  const wide = elementCount(c.shape) === 1 ? new Float32Array(n).fill(values[0]) : values;
  return scaled(tensorOf('float32', [n], wide), beta);
}

/** x × constant matrix. The weights become `[N, K]` by a permuted view. */
function fromMatMul(editor: GraphEditor, node: Node, changes: Changes): void {
  const weights = editor.constantOf(node.inputs[1]);
  const x = editor.input(node, 0);
  if (weights?.shape.length !== 2 || !x || x.constant || x.type.shape.length < 2) return;
  const matrix = editor.constant(`${node.inputs[1]}/transposed`, permute(weights, [1, 0]));
  editor.change(node, {
    op: 'FullyConnected',
    inputs: [node.inputs[0], matrix, null],
    attrs: { activation: 'none' },
  });
  changes.made();
}

function transposed(editor: GraphEditor, input: ValueId): ValueId {
  const name = `${input}/transposed`;
  return editor.add({ op: 'Transpose', inputs: [input], attrs: { perm: [1, 0] }, name }).outputs[0];
}

/** Scales a value that is computed, or known. */
function scaledValue(editor: GraphEditor, node: Node, id: ValueId, factor: number, name: string): ValueId {
  if (factor === 1) return id;
  const by = editor.constant(`${node.id}/${name}`, floatTensor([], [factor]));
  const attrs = { activation: 'none' };
  return editor.add({ op: 'Mul', inputs: [id, by], attrs, name: `${id}/${name}` }).outputs[0];
}

/** alpha × A × B + beta × C as FullyConnected or MatMul, and an Add for a C that is not a bias. */
function fromGemm(editor: GraphEditor, node: Node, changes: Changes): void {
  const { alpha, beta, transA, transB } = node.attrs as unknown as GemmAttrs;
  const [a, b, c] = node.inputs as [ValueId, ValueId, ValueId | null | undefined];
  const [, n] = editor.value(node.outputs[0]).type.shape;
  if (typeof n !== 'number' || (editor.value(a).type.dtype !== 'float32' && alpha * beta !== 1)) return;
  const weights = editor.constantOf(b);
  const constantC = editor.constantOf(c);
  const bias = weights && constantC ? biasVector(constantC, n, beta) : undefined;
  const rest = c && !bias ? c : undefined;
  editor.remove(node);
  const left = transA ? transposed(editor, a) : a;
  const product = rest === undefined ? node.outputs[0] : editor.freeName(`${node.outputs[0]}/product`);
  if (weights) {
    const matrix = transB ? weights : permute(weights, [1, 0]);
    const matrixId = transB && alpha === 1 ? b : editor.constant(`${b}/transposed`, scaled(matrix, alpha));
    const biasId = bias && (bias === constantC ? c! : editor.constant(`${c}/scaled`, bias));
    editor.add({
      op: 'FullyConnected',
      inputs: [left, matrixId, biasId ?? null],
      attrs: { activation: 'none' },
      name: node.id,
      outputs: [product],
    });
  } else {
    const right = transB ? transposed(editor, b) : b;
    const factor = scaledValue(editor, node, left, alpha, 'alpha');
    editor.add({ op: 'MatMul', inputs: [factor, right], name: node.id, outputs: [product] });
  }
  if (rest !== undefined) {
    const added = scaledValue(editor, node, rest, beta, 'beta');
    editor.add({
      op: 'Add',
      inputs: [product, added],
      attrs: { activation: 'none' },
      name: `${node.id}/add`,
      outputs: node.outputs,
    });
  }
  changes.made();
}

/** MatMul with a constant right side and Gemm become FullyConnected; other Gemms become MatMul and Add. */
export const toFullyConnected = editingPass('to-fully-connected', (editor, changes) => {
  for (const node of editor.list()) {
    if (node.op === 'MatMul') fromMatMul(editor, node, changes);
    else if (node.op === 'Gemm') fromGemm(editor, node, changes);
  }
});
