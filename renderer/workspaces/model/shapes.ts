import type { PortView } from '../../../core/contract/views.ts';

export interface OpenDim {
  input: string;
  axis: number;
  /** What the file calls it: `batch`, `None`, `?`. */
  name: string;
}

/** The open dimensions of all inputs, in order. */
export function openDims(inputs: readonly PortView[]): OpenDim[] {
  return inputs.flatMap(({ name: input, shape }) =>
    shape.flatMap((dim, axis) =>
      typeof dim === 'string' || dim <= 0 ? [{ input, axis, name: String(dim) }] : [],
    ),
  );
}

export function dimKey({ input, axis }: Pick<OpenDim, 'input' | 'axis'>): string {
  return `${input}[${axis}]`;
}

/** The first axis is nearly always the batch, and devices run one sample at a time. */
export function suggestDim({ axis }: OpenDim): string {
  return axis === 0 ? '1' : '';
}

/** A dimension as typed: a whole number from 1, or undefined. */
export function parseDim(text: string): number | undefined {
  const value = Number(text.trim());
  return Number.isInteger(value) && value >= 1 && value <= 2 ** 31 - 1 ? value : undefined;
}

/** What files write where a size has no name of its own. */
const nameless = /^(\?|none|-?\d+|unk__.*|)$/i;

/** The fields as typed after one of them changed: dimensions with one name have one size. */
export function typeDim(
  typed: Readonly<Record<string, string>>,
  dims: readonly OpenDim[],
  changed: OpenDim,
  text: string,
): Record<string, string> {
  const alike = dims.filter(({ name }) => name === changed.name && !nameless.test(name));
  return { ...typed, ...Object.fromEntries([changed, ...alike].map((dim) => [dimKey(dim), text])) };
}

/** Whole shapes of the inputs with open dimensions, or undefined while a value is missing. */
export function settledShapes(
  inputs: readonly PortView[],
  typed: Readonly<Record<string, string>>,
): Record<string, number[]> | undefined {
  const open = openDims(inputs);
  const shapes: Record<string, number[]> = {};
  for (const { name, shape } of inputs) {
    if (!open.some(({ input }) => input === name)) continue;
    const settled = shape.map((dim, axis) =>
      typeof dim === 'number' && dim > 0 ? dim : parseDim(typed[dimKey({ input: name, axis })] ?? ''),
    );
    if (settled.some((dim) => dim === undefined)) return undefined;
    shapes[name] = settled as number[];
  }
  return shapes;
}
