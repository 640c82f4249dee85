/** Which operators stand in the way of a file that keeps the open dimensions of its source. */
import type { DynamicView } from '../contract/views.ts';
import { readAgain } from '../formats/open-model.ts';
import type { Dim, Graph, Node, TensorType, Value, ValueId } from '../ir/graph.ts';
import { valueNamed } from '../ir/graph.ts';
import { isOpaque } from '../ir/opaque.ts';
import { inferTypes } from '../ops/registry.ts';
import { graphInputs, type SourceModel } from './source-model.ts';

type Stop = DynamicView['stops'][number];

/**
 * Tells which operators need the open dimensions of the file's inputs to be settled; undefined for a file that leaves
 * none open. ONNX is read once more with all of them kept. Where that does not give a whole graph, as in formats that
 * are read with known sizes, shapes are inferred anew with every open dimension twice as large: what does not take
 * that has a size of the source in its constants.
 */
export async function viewDynamic(model: SourceModel): Promise<DynamicView | undefined> {
  const dims = model.declaredInputs.flatMap(({ name, shape }) =>
    shape.flatMap((dim, axis) => (typeof dim === 'string' ? [`${name}[${axis}]: ${dim}`] : [])),
  );
  if (dims.length === 0) return undefined;
  if (model.format === 'onnx') {
    const open = await readAgain(model.path, model.format, { keepOpen: true, fixed: model.fixed });
    const known = new Set(model.issues.map(({ message }) => message));
    const issues = open.issues.filter(({ message }) => !known.has(message));
    const stops = issues.map(
      ({ node, op, message }): Stop => ({ node: node ?? '', op: op ?? '', reason: message }),
    );
    return { dims, stops, isKnown: open.graph !== undefined || stops.length > 0 };
  }
  const isSettled = model.graph && graphInputs(model.graph).every(({ type }) => isFixed(type.shape));
  return { dims, stops: isSettled ? fixedOperators(model.graph!, model) : [], isKnown: isSettled ?? false };
}

function isFixed(shape: readonly Dim[]): shape is readonly number[] {
  return shape.every((dim) => typeof dim === 'number');
}

/** The operators that cannot follow when the open dimensions are twice as large, each branch only up to its first. */
function fixedOperators(graph: Graph, { declaredInputs }: SourceModel): Stop[] {
  const types = new Map<ValueId, TensorType>();
  const declared = new Map(declaredInputs.map(({ name, shape }) => [name, shape]));
  for (const { id, type } of graphInputs(graph)) {
    const shape = type.shape.map((dim, axis) =>
      typeof declared.get(id)?.[axis] === 'string' ? 2 * Number(dim) : dim,
    );
    types.set(id, { ...type, shape });
  }
  const stopped = new Set<ValueId>();
  /** The operators that made values as large as before out of larger ones, where any did. */
  const keepers = new Map<ValueId, Node>();
  const stops = new Map<Node, string>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.filter((id) => id !== null);
    const isBehind = inputs.some((id) => stopped.has(id));
    if (!isBehind && !inputs.some((id) => types.has(id))) continue;
    const found = inferred(graph, node, types);
    const keeper = inputs.map((id) => keepers.get(id)).find((each) => each !== undefined);
    if (typeof found === 'string' && !isBehind) {
      const where = keeper ? `at ${node.id} (${node.op}), ` : '';
      stops.set(keeper ?? node, `with open dimensions twice as large, ${where}${found}.`);
    }
    node.outputs.forEach((id, i) => {
      // What comes after a stop has sizes of both kinds; no fault of its own can be told from that.
      if (isBehind || typeof found === 'string') {
        stopped.add(id);
        return;
      }
      types.set(id, found[i]);
      const isKept = `${found[i].shape}` === `${valueNamed(graph, id).type.shape}`;
      if (isKept) keepers.set(id, keeper ?? node);
    });
  }
  return [...stops].map(([{ id, op }, reason]) => ({ node: id, op, reason }));
}

/** @returns the types of a node's outputs, or why there are none */
function inferred(
  graph: Graph,
  { id, op, inputs, attrs }: Node,
  types: ReadonlyMap<ValueId, TensorType>,
): TensorType[] | string {
  if (isOpaque(op)) return 'it stays as it is in the source, and what it takes is not known';
  const values = inputs.map((name): Value | null => {
    if (name === null) return null;
    const value = valueNamed(graph, name);
    return { ...value, type: types.get(name) ?? value.type };
  });
  try {
    return inferTypes(op, values, attrs, id);
  } catch (error) {
    return (error as Error).message.replace(`${id} (${op}): `, '');
  }
}
