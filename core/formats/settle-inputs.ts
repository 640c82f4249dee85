/** Settles the open dimensions of a model's inputs, whatever the format. */
import type { Issue } from '../contract/errors.ts';
import { type DType, dtypes } from '../ir/dtype.ts';
import type { Dim, TensorType } from '../ir/graph.ts';
import type { Tensor } from '../ir/tensor.ts';
import { fixedShape, fixInputs } from './fix-inputs.ts';
import type { DeclaredInput, ReadOptions } from './model-file.ts';

export interface SettledInputs {
  readonly types: ReadonlyMap<string, TensorType>;
  /** Constants in the place of inputs. */
  readonly fixed: ReadonlyMap<string, Tensor>;
  readonly declared: DeclaredInput[];
  readonly issues: Issue[];
}

/** One input as the file has it. */
export interface InputDeclaration {
  readonly name: string;
  /** An element type of the IR, or what else the file says that the input is: "no tensor", "DT_STRING". */
  readonly kind: string;
  /** A number, a name that makes equal dimensions equal, or undefined where the size is open; absent: rank unknown. */
  readonly dims?: readonly (Dim | undefined)[];
}

interface OpenInput {
  readonly name: string;
  readonly dtype: TensorType['dtype'];
  readonly dims: Dim[];
}

/**
 * A leading open dimension is the batch and becomes 1; others take what `options.shapes` says. Dimensions of one name
 * are one size. What stays open is one issue `model.dynamic-dims` for the whole model.
 */
export function settleInputs(inputs: readonly InputDeclaration[], options: ReadOptions): SettledInputs {
  const issues: Issue[] = [];
  const declared: DeclaredInput[] = [];
  const open: OpenInput[] = [];
  const values = options.fixed ?? {};
  const ofFixed = inputs.flatMap(({ name, dims }): [string, number[]][] =>
    Object.hasOwn(values, name) ? [[name, fixedShape(dims, values[name])]] : [],
  );
  const given = { ...Object.fromEntries(ofFixed), ...options.shapes };
  for (const { name, kind, dims: listed } of inputs) {
    if (!isNumeric(kind)) {
      issues.push(
        inputIssue(
          'model.invalid',
          name,
          `The input "${name}" is ${kind}; Whittle takes tensors of numbers.`,
        ),
      );
      declared.push({ name, dtype: kind, shape: [] });
      continue;
    }
    const dims = listed?.map((dim, axis): Dim => dim ?? `${name}.${axis}`);
    declared.push({ name, dtype: kind, shape: dims ?? [] });
    if (dims) open.push({ name, dtype: kind, dims });
    else if (Object.hasOwn(given, name)) open.push({ name, dtype: kind, dims: [...given[name]] });
    else {
      issues.push(
        inputIssue(
          'model.dynamic-dims',
          name,
          `The input "${name}" is declared without a shape.`,
          shapeHint(name),
        ),
      );
    }
  }
  const sizes = bindSizes(open, { ...options, shapes: given }, issues);
  const types = new Map<string, TensorType>();
  for (const { name, dtype, dims } of open) {
    types.set(name, {
      dtype,
      shape: dims.map((dim) => (typeof dim === 'string' ? (sizes.get(dim) ?? dim) : dim)),
    });
  }
  const names = new Set(inputs.map(({ name }) => name));
  for (const name of Object.keys(given)) {
    if (names.has(name)) continue;
    const list = [...names].map((known) => `"${known}"`).join(', ');
    issues.push(inputIssue('usage', name, `A shape is given for "${name}"; the model's inputs are ${list}.`));
  }
  const still = options.keepOpen ? undefined : openIssue(types);
  if (still) issues.push(still);
  const { fixed, issues: misfits } = fixInputs(types, values);
  issues.push(...misfits);
  return { types, fixed, declared: declared.map(readable), issues };
}

function bindSizes(
  inputs: readonly OpenInput[],
  { shapes: given = {}, keepOpen }: ReadOptions,
  issues: Issue[],
): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { name, dims } of inputs) {
    if (!Object.hasOwn(given, name)) continue;
    const wanted = given[name];
    const conflict = (why: string) =>
      issues.push(
        inputIssue('usage', name, `The shape ${wanted.join('x')} given for "${name}" does not fit: ${why}.`),
      );
    if (wanted.length !== dims.length) {
      conflict(`the model declares ${dims.length} dimensions, [${dims.join(', ')}]`);
      continue;
    }
    dims.forEach((dim, axis) => {
      const size = wanted[axis];
      const before = typeof dim === 'number' ? dim : sizes.get(dim);
      if (!Number.isInteger(size) || size < 0) conflict(`axis ${axis} is ${size}`);
      else if (before !== undefined && before !== size) conflict(`axis ${axis} is ${before} in the model`);
      else if (typeof dim === 'string') sizes.set(dim, size);
    });
  }
  if (keepOpen) return sizes;
  for (const { dims } of inputs) {
    const [batch] = dims;
    if (typeof batch === 'string' && !sizes.has(batch)) sizes.set(batch, 1);
  }
  return sizes;
}

function openIssue(types: ReadonlyMap<string, TensorType>): Issue | undefined {
  const open = [...types].filter(([, { shape }]) => shape.some((dim) => typeof dim === 'string'));
  if (open.length === 0) return undefined;
  const list = open.map(([name, { shape }]) => {
    const axes = shape.flatMap((dim, axis) => (typeof dim === 'string' ? [axis] : []));
    const text = shape
      .map((dim) => (typeof dim === 'string' && dim.startsWith(`${name}.`) ? '?' : dim))
      .join(', ');
    return `"${name}" [${text}] (${axes.length > 1 ? 'axes' : 'axis'} ${axes.join(', ')})`;
  });
  const [first, { shape }] = open[0];
  return {
    code: 'model.dynamic-dims',
    severity: 'error',
    message: `The model leaves dimensions of its inputs open: ${list.join('; ')}.`,
    node: first,
    hint: `Say how large they are, for example --shape ${first}=${shape.map((dim) => (typeof dim === 'string' ? 'N' : dim)).join('x')} with numbers in place of N.`,
  };
}

function readable(input: DeclaredInput): DeclaredInput {
  return {
    ...input,
    shape: input.shape.map((dim) =>
      typeof dim === 'string' && dim.startsWith(`${input.name}.`) ? '?' : dim,
    ),
  };
}

function shapeHint(name: string): string {
  return `Give it one with --shape ${name}=1x….`;
}

function inputIssue(code: Issue['code'], node: string, message: string, hint?: string): Issue {
  return { code, severity: 'error', node, message, hint };
}

function isNumeric(kind: string): kind is DType {
  return kind !== 'string' && (dtypes as readonly string[]).includes(kind);
}
