import type { Node } from '../../ir/graph.ts';
import { floatTensor } from '../../ir/tensor.ts';
import { erf } from '../../kernels/erf.ts';
import type { GraphEditor } from '../graph-editor.ts';
import { editingPass } from '../pass.ts';
import { functionsEndingAt, type PointwiseFunction } from './pointwise-function.ts';

type Real = (x: number) => number;

interface Found {
  op: string;
  attrs: Node['attrs'];
  /** Limits of a Clip. */
  limits?: readonly [number, number];
}

/** Where functions are compared: near zero, around the kinks, where exponentials saturate, and far out. */
const points = [
  ...Array.from({ length: 81 }, (_, i) => -10 + i * 0.25),
  ...[-3.0001, -2.9999, 2.9999, 3.0001, 5.9999, 6.0001, 1e-3, -1e-3],
  ...[15, 30, 88, 1000, 1e6].flatMap((x) => [x, -x]),
];

/** Equal up to what constants in float32 leave open. */
function agree(f: Real, g: Real): boolean {
  return points.every((x) => {
    const [a, b] = [f(x), g(x)];
    return Math.abs(a - b) <= 4e-7 * Math.max(1e-3, Math.abs(a), Math.min(1, Math.abs(x)));
  });
}

const sigmoid: Real = (x) => 1 / (1 + Math.exp(-x));
const hardSigmoid =
  (alpha: number, beta: number): Real =>
  (x) =>
    Math.min(Math.max(alpha * x + beta, 0), 1);
const softplus: Real = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Activations without parameters, and those whose parameters can be read off a few values of the function. */
const candidates: readonly ((f: Real) => (Found & { g: Real }) | undefined)[] = [
  () => ({ op: 'Relu', attrs: {}, g: (x) => Math.max(x, 0) }),
  (f) => {
    const [low, high] = [f(-1e6), f(1e6)];
    if (!(low < high) || Math.abs(low) > 1e4 || Math.abs(high) > 1e4) return undefined;
    return { op: 'Clip', attrs: {}, limits: [low, high], g: (x) => Math.min(Math.max(x, low), high) };
  },
  (f) => {
    const alpha = -f(-1);
    if (!(alpha > 0 && alpha < 1)) return undefined;
    return { op: 'LeakyRelu', attrs: { alpha }, g: (x) => (x < 0 ? alpha * x : x) };
  },
  () => ({ op: 'Sigmoid', attrs: {}, g: sigmoid }),
  () => ({ op: 'HardSwish', attrs: {}, g: (x) => x * hardSigmoid(1 / 6, 0.5)(x) }),
  () => ({ op: 'Swish', attrs: {}, g: (x) => x * sigmoid(x) }),
  () => ({ op: 'Gelu', attrs: { approximate: false }, g: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)) }),
  () => ({
    op: 'Gelu',
    attrs: { approximate: true },
    g: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  }),
  () => ({ op: 'Mish', attrs: {}, g: (x) => x * Math.tanh(softplus(x)) }),
  () => ({ op: 'Softplus', attrs: {}, g: softplus }),
  (f) => {
    const beta = f(0);
    const alpha = (f(0.5) - f(-0.5)) as number;
    if (!(beta > 0 && beta < 1 && alpha > 0)) return undefined;
    return { op: 'HardSigmoid', attrs: { alpha, beta }, g: hardSigmoid(alpha, beta) };
  },
];

function recognized(f: PointwiseFunction): Found | undefined {
  for (const candidate of candidates) {
    const found = candidate(f.evaluate);
    if (found && agree(f.evaluate, found.g)) return found;
  }
  return undefined;
}

function replace(editor: GraphEditor, f: PointwiseFunction, found: Found): void {
  const [root] = f.nodes;
  for (const node of f.nodes) editor.remove(node);
  const limits = (found.limits ?? []).map((limit, i) =>
    editor.constant(`${root.id}/${i === 0 ? 'min' : 'max'}`, floatTensor([], [limit])),
  );
  editor.add({
    op: found.op,
    inputs: [f.x, ...limits],
    attrs: found.attrs,
    name: root.id,
    outputs: root.outputs,
  });
}

/**
 * Finds activations that a file writes out in parts (x × min(max(x + 3, 0), 6) / 6, 0.5 x (1 + erf(x / √2)), …). Runs
 * of pointwise operators are compared as functions, in float64 and at many points, so that the way they are written
 * does not matter: which factor comes first, divided by 6 or multiplied by a sixth.
 */
export const recognizeActivations = editingPass('recognize-activations', (editor, changes) => {
  const nodes = editor.list();
  const order = new Map(nodes.map((node, i) => [node.id, i] as const));
  for (const { id } of nodes.reverse()) {
    const root = editor.current(id);
    if (!root) continue;
    for (const f of functionsEndingAt(editor, root, order)) {
      // One operator is what it says, except Max and Min, which can be a ReLU or a Clip.
      if (f.nodes.length === 1 && root.op !== 'Max' && root.op !== 'Min') continue;
      const found = recognized(f);
      if (!found) continue;
      replace(editor, f, found);
      changes.made(`${f.nodes.map((node) => node.id).join(', ')} are ${found.op}`);
      break;
    }
  }
});
