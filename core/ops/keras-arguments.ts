/** Arguments of calls of keras.ops and TensorFlow functions, which may stand in several places. */
import type { GraphBuilder } from '../ir/builder.ts';
import type { DType } from '../ir/dtype.ts';
import type { Value } from '../ir/graph.ts';
import type { KerasLayerView } from './facets.ts';
import { tensorFrom } from './fold-helpers.ts';

/** A parameter by position or name; keras.ops keeps some in the configuration of the operation itself. */
export function argumentOf(layer: KerasLayerView, index: number, ...names: readonly string[]): unknown {
  if (index < layer.args.length) return layer.args[index];
  for (const name of names) {
    const value = layer.kwargs[name] ?? layer.config[name];
    if (value !== undefined && value !== null) return value;
  }
  return undefined;
}

export function isTensor(item: unknown): item is Value {
  return typeof item === 'object' && item !== null && 'id' in item && 'type' in item;
}

/** A tensor parameter. @throws through `layer` when it is none. */
export function tensorArgument(layer: KerasLayerView, index: number, ...names: readonly string[]): Value {
  const value = argumentOf(layer, index, ...names);
  return isTensor(value) ? value : layer.refuse(`argument ${names[0]} is no tensor`);
}

/** A whole-number parameter. */
export function intArgument(layer: KerasLayerView, value: unknown, name: string): number {
  return Number.isSafeInteger(value)
    ? (value as number)
    : layer.refuse(`argument ${name} is ${shown(value)}`);
}

/** A parameter of one or several whole numbers. */
export function intsArgument(layer: KerasLayerView, value: unknown, name: string): number[] {
  const items = Array.isArray(value) ? value : [value];
  return items.map((item) => intArgument(layer, item, name));
}

function shown(value: unknown): string {
  return isTensor(value) ? `the tensor ${value.id}` : JSON.stringify(value ?? null);
}

/** An operand that may be a tensor, a number or nested lists of numbers; numbers take the other operand's type. */
export function operand(
  layer: KerasLayerView,
  builder: GraphBuilder,
  value: unknown,
  dtype: DType,
  name: string,
): Value {
  if (isTensor(value)) return value;
  const shape: number[] = [];
  for (let level: unknown = value; Array.isArray(level); level = level[0]) shape.push(level.length);
  const numbers = flatNumbers(value);
  const count = shape.reduce((product, size) => product * size, 1);
  if (numbers.length !== count || numbers.some((item) => Number.isNaN(item))) {
    return layer.refuse(`argument ${name} is ${shown(value)}; numbers are expected`);
  }
  if (!dtype.startsWith('float') && numbers.some((item) => !Number.isSafeInteger(item))) {
    return layer.refuse(`argument ${name} is ${shown(value)} beside a tensor of ${dtype}`);
  }
  return builder.constant(`${layer.name}/${name}`, tensorFrom(dtype, shape, numbers));
}

function flatNumbers(value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap(flatNumbers);
  return [typeof value === 'number' || typeof value === 'boolean' ? Number(value) : Number.NaN];
}

/** Element type of the first tensor among operands. */
export function dtypeAmong(...operands: readonly unknown[]): DType {
  return operands.find(isTensor)?.type.dtype ?? 'float32';
}
