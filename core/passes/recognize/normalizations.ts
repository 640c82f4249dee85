import type { Node, ValueId } from '../../ir/graph.ts';
import { elementCount, floatTensor, type Tensor, toNumbers } from '../../ir/tensor.ts';
import type { GraphEditor } from '../graph-editor.ts';
import { withShape } from '../layout/constants.ts';
import { editingPass } from '../pass.ts';

/** What a pattern consists of so far; `nodes` must be read by one another and by nothing else. */
interface Match {
  readonly nodes: Set<Node>;
}

function made(
  editor: GraphEditor,
  id: ValueId | null | undefined,
  op: string,
  match: Match,
): Node | undefined {
  const node = editor.maker(id);
  if (node?.op !== op || (node.attrs.activation ?? 'none') !== 'none') return undefined;
  match.nodes.add(node);
  return node;
}

/** The axes of a reduction of `x` whose result, reshaped or not, still has them as axes of size 1. */
function keptReduction(
  editor: GraphEditor,
  id: ValueId | null,
  op: string,
  x: ValueId,
  match: Match,
): number[] | undefined {
  if (id === null) return undefined;
  const reshape = editor.maker(id)?.op === 'Reshape' ? made(editor, id, 'Reshape', match) : undefined;
  const node = made(editor, reshape ? reshape.inputs[0] : id, op, match);
  const axesTensor = editor.constantOf(node?.inputs[1]);
  if (!node || node.inputs[0] !== x || !axesTensor) return undefined;
  const { shape } = editor.value(x).type;
  const axes = toNumbers(axesTensor).map((axis) => (axis < 0 ? axis + shape.length : axis));
  const kept = editor.value(id).type.shape;
  const fits =
    kept.length === shape.length && kept.every((dim, i) => dim === (axes.includes(i) ? 1 : shape[i]));
  return fits ? axes.sort((a, b) => a - b) : undefined;
}

/** Whether all that these nodes make, except the root's result, is read by them alone. */
function isClosed(editor: GraphEditor, match: Match, root: Node): boolean {
  return [...match.nodes].every((node) => {
    if (node === root) return true;
    return node.outputs.every(
      (id) => !editor.isOutput(id) && editor.consumers(id).every((n) => match.nodes.has(n)),
    );
  });
}

/** exp(x − max(x)) / Σ exp(x − max(x)); without the maximum it is the same number. */
function matchSoftmax(editor: GraphEditor, root: Node) {
  const match: Match = { nodes: new Set([root]) };
  const [numerator, denominator] = root.inputs;
  const exp = made(editor, numerator, 'Exp', match);
  const sumAxes = exp && keptReduction(editor, denominator, 'ReduceSum', exp.outputs[0], match);
  if (!exp || sumAxes?.length !== 1) return undefined;
  const shifted: Match = { nodes: new Set(match.nodes) };
  const difference = made(editor, exp.inputs[0], 'Sub', shifted);
  const x = difference?.inputs[0];
  const maxAxes = x && keptReduction(editor, difference.inputs[1], 'ReduceMax', x, shifted);
  if (x && maxAxes?.length === 1 && maxAxes[0] === sumAxes[0] && isClosed(editor, shifted, root)) {
    return { x, axis: sumAxes[0], nodes: shifted.nodes };
  }
  return isClosed(editor, match, root)
    ? { x: exp.inputs[0]!, axis: sumAxes[0], nodes: match.nodes }
    : undefined;
}

/** The centred value and its deviation: a / b, or a × (1 / b) either way round. */
function quotients(editor: GraphEditor, root: Node, match: Match): [ValueId, ValueId][] {
  if (root.op === 'Div') return [[root.inputs[0]!, root.inputs[1]!]];
  const found: [ValueId, ValueId][] = [];
  for (const side of [0, 1]) {
    const inverse = editor.maker(root.inputs[side]);
    if (inverse?.op !== 'Reciprocal') continue;
    match.nodes.add(inverse);
    found.push([root.inputs[1 - side]!, inverse.inputs[0]!]);
  }
  return found;
}

function isSquareOf(editor: GraphEditor, node: Node | undefined, x: ValueId): boolean {
  if (node?.inputs[0] !== x) return false;
  if (node.op === 'Mul') return node.inputs[1] === x;
  const power = node.op === 'Pow' ? editor.constantOf(node.inputs[1]) : undefined;
  return power !== undefined && toNumbers(power).every((value) => value === 2);
}

/** (x − mean) / sqrt(mean((x − mean)²) + epsilon) over the last axes. */
function matchNormalized(editor: GraphEditor, root: Node) {
  const match: Match = { nodes: new Set([root]) };
  for (const [centred, deviation] of quotients(editor, root, match)) {
    const difference = made(editor, centred, 'Sub', match);
    const x = difference?.inputs[0];
    const axes = x && keptReduction(editor, difference.inputs[1], 'ReduceMean', x, match);
    const root2 = made(editor, deviation, 'Sqrt', match);
    const sum = root2 && made(editor, root2.inputs[0], 'Add', match);
    if (!x || !axes || !sum) continue;
    for (const side of [0, 1]) {
      const epsilon = editor.constantOf(sum.inputs[side]);
      const variance = sum.inputs[1 - side];
      if (!epsilon || elementCount(epsilon.shape) !== 1 || variance === null) continue;
      const reduction = editor.maker(
        editor.maker(variance)?.op === 'Reshape' ? editor.maker(variance)?.inputs[0] : variance,
      );
      const square = editor.maker(reduction?.inputs[0]);
      if (!square || !isSquareOf(editor, square, centred)) continue;
      match.nodes.add(square);
      const squareAxes = keptReduction(editor, variance, 'ReduceMean', square.outputs[0], match);
      const { shape } = editor.value(x).type;
      const isLast = axes.every((axis, i) => axis === shape.length - axes.length + i);
      if (String(squareAxes) !== String(axes) || !isLast || !isClosed(editor, match, root)) continue;
      return { x, axis: axes[0], epsilon: toNumbers(epsilon)[0], nodes: match.nodes };
    }
  }
  return undefined;
}

/** A constant operand that broadcasts against the normalized axes alone, without leading axes of size 1. */
function parameterOf(
  editor: GraphEditor,
  node: Node | undefined,
  op: string,
  x: ValueId,
  rank: number,
): Tensor | undefined {
  if (
    node?.op !== op ||
    editor.value(node.outputs[0]).type.shape.length !== editor.value(x).type.shape.length
  )
    return undefined;
  const constant = editor.constantOf(node.inputs[node.inputs[0] === x ? 1 : 0]);
  if (constant?.dtype !== 'float32') return undefined;
  const own = constant.shape.slice(Math.max(0, constant.shape.length - rank));
  return elementCount(own) === elementCount(constant.shape) ? withShape(constant, own) : undefined;
}

/** Takes in the scale and the offset that follow, as far as there are some. */
function toLayerNormalization(
  editor: GraphEditor,
  root: Node,
  found: NonNullable<ReturnType<typeof matchNormalized>>,
) {
  const shape = editor.value(found.x).type.shape.slice(found.axis) as number[];
  let [output] = root.outputs;
  let last = root;
  const nodes = [...found.nodes];
  const scaling = editor.soleConsumer(output);
  const scale = parameterOf(editor, scaling, 'Mul', output, shape.length);
  if (scaling && scale && scaling.attrs.activation === 'none') {
    nodes.push(scaling);
    last = scaling;
    [output] = scaling.outputs;
  }
  const shifting = editor.soleConsumer(output);
  const offset = parameterOf(editor, shifting, 'Add', output, shape.length);
  if (shifting && offset && shifting.attrs.activation === 'none') {
    nodes.push(shifting);
    last = shifting;
    [output] = shifting.outputs;
  }
  for (const node of nodes) editor.remove(node);
  const ones = () => floatTensor(shape, new Float32Array(elementCount(shape)).fill(1));
  editor.add({
    op: 'LayerNormalization',
    inputs: [
      found.x,
      editor.constant(`${last.id}/scale`, scale ?? ones()),
      offset ? editor.constant(`${last.id}/offset`, offset) : null,
    ],
    attrs: { axis: found.axis, epsilon: found.epsilon },
    name: last.id,
    outputs: [output],
  });
}

/** Finds softmax and layer normalization that a file writes out in parts. */
export const recognizeNormalizations = editingPass('recognize-normalizations', (editor, changes) => {
  for (const listed of editor.list()) {
    const root = editor.current(listed.id);
    if (!root || (root.op !== 'Div' && root.op !== 'Mul') || root.attrs.activation !== 'none') continue;
    if (editor.value(root.outputs[0]).type.shape.some((dim) => typeof dim !== 'number')) continue;
    const softmax = root.op === 'Div' ? matchSoftmax(editor, root) : undefined;
    const normalized = softmax ? undefined : matchNormalized(editor, root);
    if (softmax) {
      for (const node of softmax.nodes) editor.remove(node);
      const { x, axis } = softmax;
      editor.add({ op: 'Softmax', inputs: [x], attrs: { axis }, name: root.id, outputs: root.outputs });
      changes.made(`${root.id} is a softmax over axis ${axis}`);
    } else if (normalized) {
      toLayerNormalization(editor, root, normalized);
      changes.made(`${root.id} is a layer normalization from axis ${normalized.axis}`);
    }
  }
});
