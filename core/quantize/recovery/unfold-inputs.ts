import type { GraphExtension } from '../../calibrate/graph-extension.ts';
import { type Graph, staticShape, type ValueId, valueNamed } from '../../ir/graph.ts';
import { floatTensor, int64Tensor, type Tensor } from '../../ir/tensor.ts';
import type { WeightedNode } from './weighted-nodes.ts';

/** Of one sample at most so many positions of a feature map are looked at, evenly spread. */
export const mostPositions = 1024;

/** Columns of numbers by output position, in a graph. */
export interface Columns {
  readonly group: number;
  /** In each group. */
  readonly columns: number;
  readonly positions: number;
  /** `[group, columns, positions]` */
  readonly value: ValueId;
}

/**
 * Adds what the weights of an operator meet at each output position: the runtime unfolds convolutions by the operator
 * itself, with filters that pick one tap of one channel.
 * @param graph what the extension started from
 * @param x the operator's input, or a value of the same shape in its place
 */
export function addUnfolded(
  extension: GraphExtension,
  graph: Graph,
  { node, weights, group, columns }: WeightedNode,
  x: ValueId,
): Columns {
  if (weights.shape.length === 2) return addRows(extension, `moments/${node.id}/rows`, x, columns);
  const [batch, channels] = staticShape(valueNamed(graph, node.inputs[0]!));
  const spatial = staticShape(valueNamed(graph, node.outputs[0])).slice(2);
  const picked = channels * (columns / weights.shape[1]);
  const filters = extension.constant(
    `moments/${node.id}/pick`,
    pickingFilters(channels, weights.shape.slice(2)),
  );
  const attrs = { ...node.attrs, group: channels, activation: 'none' };
  const shape = [batch, picked, ...spatial];
  const patches = extension.addReals(node.op, `moments/${node.id}/patches`, [x, filters], attrs, shape);
  return addChannelsFirst(extension, `moments/${node.id}/unfolded`, patches, shape, group);
}

/**
 * Adds what an operator makes of another value in its input's place, before bias and activation.
 * @returns its output channels as columns
 */
export function addResponse(
  extension: GraphExtension,
  graph: Graph,
  { node, weightsId, weights, group }: WeightedNode,
  x: ValueId,
): Columns {
  const shape = staticShape(valueNamed(graph, node.outputs[0]));
  const attrs = { ...node.attrs, activation: 'none' };
  const name = `response/${node.id}`;
  const made = extension.addReals(node.op, name, [x, weightsId, null], attrs, shape);
  if (weights.shape.length === 2) return addRows(extension, `${name}/rows`, made, weights.shape[0]);
  return addChannelsFirst(extension, `${name}/channels`, made, shape, group);
}

/** Sums over positions, `[group, columns]`. */
export function addSums(extension: GraphExtension, { value, group, columns }: Columns): ValueId {
  const axes = extension.constant(`${value}/axes`, int64Tensor([1], [2]));
  return extension.addReals('ReduceSum', `${value}/sums`, [value, axes], { keepDims: false }, [
    group,
    columns,
  ]);
}

/** Products summed over positions, `[group, columns of one, columns of the other]`. */
export function addProducts(extension: GraphExtension, one: Columns, other: Columns): ValueId {
  const { group, columns, positions, value } = other;
  const turned = addTransposed(extension, `${value}/across`, value, [0, 2, 1], [group, positions, columns]);
  const shape = [group, one.columns, columns];
  return extension.addReals('MatMul', `${one.value}/products`, [one.value, turned], {}, shape);
}

/** Columns that lie along the last axis. */
function addRows(extension: GraphExtension, name: string, value: ValueId, columns: number): Columns {
  const positions = product(extension.typeOf(value).shape.map(Number)) / columns;
  const rows = addReshaped(extension, name, value, [1, positions, columns]);
  const turned = addTransposed(extension, `${name}/turned`, rows, [0, 2, 1], [1, columns, positions]);
  return addPart(extension, { group: 1, columns, positions, value: turned });
}

/** Columns that are channels of `[batch, channels, …spatial]`. */
function addChannelsFirst(
  extension: GraphExtension,
  name: string,
  value: ValueId,
  [batch, channels, ...spatial]: readonly number[],
  group: number,
): Columns {
  const count = product(spatial);
  let columns = value;
  if (batch > 1) {
    const flat = addReshaped(extension, `${name}/flat`, value, [batch, channels, count]);
    columns = addTransposed(extension, `${name}/batched`, flat, [1, 0, 2], [channels, batch, count]);
  }
  const shape = [group, channels / group, batch * count] as const;
  const grouped = addReshaped(extension, name, columns, shape);
  return addPart(extension, { group, columns: shape[1], positions: shape[2], value: grouped });
}

/** The same at `mostPositions` positions at most. */
function addPart(extension: GraphExtension, all: Columns): Columns {
  const { group, columns, positions, value } = all;
  if (positions <= mostPositions) return all;
  const places = Array.from({ length: mostPositions }, (_, i) => Math.floor((i * positions) / mostPositions));
  const taken = extension.constant(`${value}/places`, int64Tensor([mostPositions], places));
  const shape = [group, columns, mostPositions];
  const part = extension.addReals('Gather', `${value}/part`, [value, taken], { axis: 2 }, shape);
  return { group, columns, positions: mostPositions, value: part };
}

function addReshaped(
  extension: GraphExtension,
  name: string,
  value: ValueId,
  shape: readonly number[],
): ValueId {
  const wanted = extension.constant(`${name}/shape`, int64Tensor([shape.length], shape));
  return extension.addReals('Reshape', name, [value, wanted], {}, shape);
}

function addTransposed(
  extension: GraphExtension,
  name: string,
  value: ValueId,
  perm: readonly number[],
  shape: readonly number[],
): ValueId {
  return extension.addReals('Transpose', name, [value], { perm }, shape);
}

/** Filters of a convolution with one group per channel, each of which hands on one tap: `[channels · taps, 1, …taps]`. */
function pickingFilters(channels: number, kernel: readonly number[]): Tensor {
  const taps = product(kernel);
  const data = new Float32Array(channels * taps * taps);
  for (let i = 0; i < channels * taps; i++) data[i * taps + (i % taps)] = 1;
  return floatTensor([channels * taps, 1, ...kernel], data);
}

function product(shape: readonly number[]): number {
  return shape.reduce((total, dim) => total * dim, 1);
}
