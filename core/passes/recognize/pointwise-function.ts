/** Parts of a graph that compute one number from one number, as functions that can be evaluated. */
import type { Node, ValueId } from '../../ir/graph.ts';
import { elementCount, toNumbers } from '../../ir/tensor.ts';
import { erf } from '../../kernels/erf.ts';
import { activationRange } from '../../ops/elementwise/elementwise.op.ts';
import type { FusedActivation } from '../../ops/vocabulary.ts';
import type { GraphEditor } from '../graph-editor.ts';

type Compute = (inputs: readonly number[], attrs: Node['attrs']) => number;

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** In float64, element by element. */
const computes: Readonly<Record<string, Compute>> = {
  Add: ([a, b]) => a + b,
  Sub: ([a, b]) => a - b,
  Mul: ([a, b]) => a * b,
  Div: ([a, b]) => a / b,
  Max: ([a, b]) => Math.max(a, b),
  Min: ([a, b]) => Math.min(a, b),
  Pow: ([a, b]) => a ** b,
  Neg: ([x]) => -x,
  Abs: ([x]) => Math.abs(x),
  Exp: ([x]) => Math.exp(x),
  Log: ([x]) => Math.log(x),
  Sqrt: ([x]) => Math.sqrt(x),
  Reciprocal: ([x]) => 1 / x,
  Erf: ([x]) => erf(x),
  Tanh: ([x]) => Math.tanh(x),
  Sigmoid: ([x]) => sigmoid(x),
  Relu: ([x]) => Math.max(x, 0),
  Clip: ([x, low, high]) => Math.min(Math.max(x, low), high),
  HardSigmoid: ([x], { alpha, beta }) => Math.min(Math.max((alpha as number) * x + (beta as number), 0), 1),
  // log(1 + exp(x)), arranged so that it does not overflow.
  Softplus: ([x]) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
};

/** Values of inputs that are left out. */
const absent = [Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

export interface PointwiseFunction {
  /** The value that it is a function of. */
  readonly x: ValueId;
  /** Its operators, last first. */
  readonly nodes: readonly Node[];
  evaluate(x: number): number;
}

function scalarOf(editor: GraphEditor, id: ValueId): number | undefined {
  const constant = editor.constantOf(id);
  return constant?.dtype === 'float32' && elementCount(constant.shape) === 1
    ? toNumbers(constant)[0]
    : undefined;
}

/** Whether a node computes each element from the elements at the same place and from scalars. */
function isPointwise(editor: GraphEditor, node: Node, shape: readonly (number | string)[]): boolean {
  if (!(node.op in computes) || node.outputs.length !== 1) return false;
  const output = editor.value(node.outputs[0]).type;
  if (output.dtype !== 'float32' || !sameShape(output.shape, shape)) return false;
  return node.inputs.every((id) => {
    if (id === null || scalarOf(editor, id) !== undefined) return true;
    const value = editor.value(id);
    return !value.constant && sameShape(value.type.shape, shape);
  });
}

function sameShape(a: readonly (number | string)[], b: readonly (number | string)[]): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

function evaluator(editor: GraphEditor, nodes: readonly Node[], x: ValueId): (at: number) => number {
  const forward = [...nodes].reverse();
  const constants = new Map<ValueId, number>();
  for (const node of nodes) {
    for (const id of node.inputs) {
      const scalar = id === null ? undefined : scalarOf(editor, id);
      if (id !== null && scalar !== undefined) constants.set(id, scalar);
    }
  }
  return (at) => {
    const known = new Map(constants).set(x, at);
    let result = at;
    for (const node of forward) {
      const inputs = [0, 1, 2].map((i) => {
        const id = node.inputs[i];
        return id === null || id === undefined ? absent[i] : known.get(id)!;
      });
      const [low, high] = activationRange[(node.attrs.activation as FusedActivation | undefined) ?? 'none'];
      result = Math.min(Math.max(computes[node.op](inputs, node.attrs), low), high);
      known.set(node.outputs[0], result);
    }
    return result;
  };
}

const longest = 14;

/**
 * The functions that end at `root`, by growing length: operators are taken in as long as they are pointwise and only
 * this function reads them; where a single value feeds all of them, that is a function of it.
 * @param order position of each node in the graph, so that later ones are taken in first.
 */
export function* functionsEndingAt(
  editor: GraphEditor,
  root: Node,
  order: ReadonlyMap<string, number>,
): Generator<PointwiseFunction> {
  const { shape } = editor.value(root.outputs[0]).type;
  const nodes: Node[] = [];
  const inside = new Set<string>();
  const frontier = new Set<ValueId>([root.outputs[0]]);
  while (nodes.length < longest) {
    const latest = latestMaker(editor, frontier, order);
    if (!latest || !isPointwise(editor, latest, shape)) return;
    const [output] = latest.outputs;
    const readHere =
      latest === root ||
      (!editor.isOutput(output) && editor.consumers(output).every((n) => inside.has(n.id)));
    if (!readHere) return;
    nodes.push(latest);
    inside.add(latest.id);
    frontier.delete(output);
    for (const id of latest.inputs) if (id !== null && scalarOf(editor, id) === undefined) frontier.add(id);
    if (frontier.size === 1) {
      const [x] = frontier;
      yield { x, nodes: [...nodes], evaluate: evaluator(editor, nodes, x) };
    }
    if (frontier.size === 0) return;
  }
}

/** The node of the frontier that stands last in the graph; undefined when an input of the graph is all that is left. */
function latestMaker(
  editor: GraphEditor,
  frontier: ReadonlySet<ValueId>,
  order: ReadonlyMap<string, number>,
) {
  let latest: Node | undefined;
  for (const id of frontier) {
    const maker = editor.maker(id);
    if (maker && (!latest || (order.get(maker.id) ?? 0) > (order.get(latest.id) ?? 0))) latest = maker;
  }
  return latest;
}
