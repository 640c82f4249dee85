/** Inputs that are given a value once and for all: they become constants before anything is read. */
import type { Issue } from '../contract/errors.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import type { Dim, TensorType, Value } from '../ir/graph.ts';
import { elementCount, type Tensor } from '../ir/tensor.ts';
import { tensorFrom } from '../ops/fold-helpers.ts';

/** Elements in row-major order by input name; a single number stands for all elements. */
export type FixedValues = Readonly<Record<string, number | readonly number[]>>;

/**
 * Sizes for the open dimensions of a fixed input: one follows from the number of its elements, further ones are 1.
 * @param dims undefined where the rank is unknown: it is a list then, or a single number
 */
export function fixedShape(
  dims: readonly (Dim | undefined)[] | undefined,
  value: number | readonly number[],
): number[] {
  const count = typeof value === 'number' ? 1 : value.length;
  if (!dims) return typeof value === 'number' ? [] : [count];
  let left = dims.reduce<number>((rest, dim) => (typeof dim === 'number' ? rest / dim : rest), count);
  return dims.map((dim) => {
    if (typeof dim === 'number') return dim;
    const size = Number.isInteger(left) && left > 0 ? left : 1;
    left = 1;
    return size;
  });
}

const integerRange: Readonly<Record<string, readonly [number, number]>> = {
  bool: [0, 1],
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint64: [0, Number.MAX_SAFE_INTEGER],
};

/** @throws Error saying why the value is none of that type. */
export function fixedTensor({ dtype, shape }: TensorType, value: number | readonly number[]): Tensor {
  const sizes = shape.map((dim) => {
    if (typeof dim === 'number') return dim;
    throw new Error(`its dimension ${dim} is open`);
  });
  const count = elementCount(sizes);
  const values = typeof value === 'number' ? new Array<number>(count).fill(value) : value;
  if (values.length !== count) {
    throw new Error(`[${sizes.join(', ')}] takes ${count} numbers, not ${values.length}`);
  }
  const range = integerRange[dtype];
  const odd =
    range && values.find((number) => !Number.isInteger(number) || number < range[0] || number > range[1]);
  if (odd !== undefined) throw new Error(`${odd} is no ${dtype}`);
  if (!range && dtype !== 'float32' && dtype !== 'float64')
    throw new Error(`inputs of ${dtype} are not fixed`);
  return tensorFrom(dtype, sizes, values);
}

/** The constants that take the place of inputs; what cannot be is an issue. @param types of all inputs */
export function fixInputs(
  types: ReadonlyMap<string, TensorType>,
  values: FixedValues = {},
): { readonly fixed: ReadonlyMap<string, Tensor>; readonly issues: Issue[] } {
  const fixed = new Map<string, Tensor>();
  const issues: Issue[] = [];
  const refuse = (node: string, message: string) =>
    issues.push({ code: 'usage', severity: 'error', node, message });
  for (const [name, value] of Object.entries(values)) {
    const type = types.get(name);
    if (!type) {
      const list = [...types.keys()].map((known) => `"${known}"`).join(', ');
      refuse(name, `A value is given for "${name}"; the model's inputs are ${list}.`);
      continue;
    }
    try {
      fixed.set(name, fixedTensor(type, value));
    } catch (error) {
      refuse(name, `The value given for "${name}" does not fit: ${(error as Error).message}.`);
    }
  }
  if (fixed.size > 0 && fixed.size === types.size) {
    refuse(
      [...fixed.keys()][0],
      'Every input is given a value; one at least must be left to run the model on.',
    );
  }
  return { fixed, issues };
}

/** Inputs with more elements are data, not settings. */
const mostSettings = 16;

/** What a user can do about a choice that is made while the model runs: fix the inputs that it depends on. */
export function fixHint(builder: GraphBuilder, choice: Value): string | undefined {
  const inputs = builder.inputsOf(choice);
  const isSetting = ({ type: { shape } }: Value) =>
    shape.every((dim) => typeof dim === 'number') && elementCount(shape as number[]) <= mostSettings;
  if (inputs.length === 0 || !inputs.every(isSetting)) return undefined;
  const options = inputs.map(({ id }) => `--fix ${id}=VALUE`).join(' ');
  const names = inputs.map(({ id }) => `"${id}"`).join(', ');
  return `It depends on the input ${names} alone: give it its value for good, with ${options} or in the recipe.`;
}
