import { type Graph, type Node, type ValueId, valueNamed } from '../ir/graph.ts';
import { toNumbers } from '../ir/tensor.ts';

/** Where the channels of a value lie: along which axis, and from which of a group's channels on how many. */
export interface Lane {
  readonly axis: number;
  readonly first: number;
  readonly count: number;
}

/** The axis that an operator with weights or a normalization takes for its channels. */
export function channelAxis(graph: Graph, node: Node, id: ValueId): number {
  return node.attrs.layout === 'NCHW' ? 1 : valueNamed(graph, id).type.shape.length - 1;
}

/**
 * Operators with `f(a · x) = a · f(x)` for every channel and `a > 0`, all operands scaled alike, pass a factor per
 * channel on: the lanes that all operands and the result then have, one of them being given. `count` is not filled in.
 * @returns undefined where the operator passes none on
 */
export function lanesAround(
  graph: Graph,
  node: Node,
  id: ValueId,
  lane: Lane,
): [ValueId, Lane][] | undefined {
  const operands = node.inputs.filter((input): input is ValueId => input !== null);
  const [x] = operands;
  const [y] = node.outputs;
  if (node.outputs.length !== 1) return undefined;
  const shapeOf = (value: ValueId) => valueNamed(graph, value).type.shape;
  const alike = (values: readonly ValueId[], first = lane): [ValueId, Lane][] =>
    values.map((value) => [value, first]);
  /** One operand and the result, whose axes are told by where each axis of the operand goes. */
  const moved = (goesTo: readonly (number | undefined)[]): [ValueId, Lane][] | undefined => {
    const from = id === x ? lane.axis : goesTo.indexOf(lane.axis);
    const to = goesTo[from];
    if (to === undefined) return undefined;
    return [...alike([x], { ...lane, axis: from }), ...alike([y], { ...lane, axis: to })];
  };
  switch (node.op) {
    case 'Relu':
    case 'LeakyRelu':
    case 'PRelu':
      return alike([x, y]);
    case 'MaxPool':
    case 'AveragePool':
      return lane.axis === 1 && node.attrs.layout !== 'NHWC' ? alike([x, y]) : undefined;
    case 'Resize': {
      // A frame beyond the input would be filled with a constant.
      const hasFrame = node.attrs.coordinateTransformation === 'tf_crop_and_resize';
      const keeps = shapeOf(x)[lane.axis] === shapeOf(y)[lane.axis];
      return keeps && !hasFrame ? alike([x, y]) : undefined;
    }
    case 'Add':
    case 'Sub': {
      const same = operands.every((value) => String(shapeOf(value)) === String(shapeOf(y)));
      return same ? alike([...operands, y]) : undefined;
    }
    case 'Concat': {
      const rank = shapeOf(y).length;
      if ((Number(node.attrs.axis) + rank) % rank !== lane.axis) return alike([...operands, y]);
      if (new Set(operands).size < operands.length) return undefined;
      const starts: number[] = [];
      let total = 0;
      for (const operand of operands) {
        starts.push(total);
        total += Number(shapeOf(operand)[lane.axis]);
      }
      const first = id === y ? lane.first : lane.first - starts[operands.indexOf(id)];
      const parts = operands.map((operand, i): [ValueId, Lane] => [
        operand,
        { ...lane, first: first + starts[i] },
      ]);
      return [...parts, ...alike([y], { ...lane, first })];
    }
    case 'Transpose': {
      const perm = node.attrs.perm as readonly number[];
      return moved(shapeOf(x).map((_, axis) => perm.indexOf(axis)));
    }
    case 'Reshape': {
      // Only axes of size 1 come and go: [1, C, 1, 1] ↔ [1, C].
      const places = (value: ValueId) =>
        [...shapeOf(value).keys()].filter((axis) => shapeOf(value)[axis] !== 1);
      const [before, after] = [places(x), places(y)];
      const longs = (value: ValueId, axes: number[]) => String(axes.map((axis) => shapeOf(value)[axis]));
      if (longs(x, before) !== longs(y, after)) return undefined;
      return moved(shapeOf(x).map((_, axis) => after[before.indexOf(axis)]));
    }
    case 'ReduceMean':
    case 'ReduceMax': {
      const given = operands[1] ? valueNamed(graph, operands[1]).constant : undefined;
      const rank = shapeOf(x).length;
      const reduced = given && new Set(toNumbers(given).map((axis) => (axis + rank) % rank));
      if (!reduced || reduced.size === 0) return undefined;
      let next = 0;
      return moved(
        shapeOf(x).map((_, axis) => {
          if (reduced.has(axis)) {
            if (node.attrs.keepDims) next++;
            return undefined;
          }
          return next++;
        }),
      );
    }
    default:
      return undefined;
  }
}
