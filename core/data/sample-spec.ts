import type { Issue } from '../contract/errors.ts';
import { WhittleError } from '../contract/errors.ts';
import type { DType } from '../ir/dtype.ts';

/** One input of the model that samples are for. Its shape is concrete. */
export interface InputSpec {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** `float32 [1, 28, 28, 1]` */
export function describeType(dtype: string, shape: readonly (number | string)[]): string {
  return `${dtype} [${shape.join(', ')}]`;
}

/**
 * The shape that one sample is fed with: as it is when it already is the input's whole shape, else with a batch axis of
 * 1. @returns undefined when neither fits.
 */
export function fedShape(sample: readonly number[], input: readonly number[]): readonly number[] | undefined {
  if (sameShape(sample, input)) return input;
  return sameShape([1, ...sample], input) ? input : undefined;
}

/** `serving_default_input_1:0`, `input_1:0` and `input_1` name the same tensor in TensorFlow's files. */
function bareName(name: string): string {
  return name.replace(/^serving_default_/, '').replace(/:0$/, '');
}

/** The array for an input: of its name, or the one called `x` where there is no other input. */
export function arrayFor<T extends { readonly name: string }>(
  input: string,
  arrays: readonly T[],
  isOnly: boolean,
): T | undefined {
  return (
    arrays.find(({ name }) => name === input) ??
    arrays.find(({ name }) => bareName(name) === bareName(input)) ??
    (isOnly ? arrays.find(({ name }) => name === 'x') : undefined)
  );
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** The one error for samples that do not fit the model; it states both sides and every mismatch. */
export function mismatch(path: string, issues: Issue[], hint?: string): WhittleError {
  const text = issues.map((issue) => issue.message).join(' ');
  return new WhittleError('data.mismatch', `The samples in ${path} do not fit the model. ${text}`, {
    issues,
    hint: hint ?? issues.find((issue) => issue.hint)?.hint,
  });
}

export function mismatchIssue(message: string, node?: string, hint?: string): Issue {
  return { code: 'data.mismatch', severity: 'error', message, node, hint };
}
