import type { Issue } from '../contract/errors.ts';
import { WhittleError } from '../contract/errors.ts';
import type { Tensor } from '../ir/tensor.ts';
import type { ArraySource } from './array-source.ts';
import { canConvert, convertTensor } from './convert.ts';
import type { OpenedDataset } from './dataset.ts';
import { readLabels } from './labels.ts';
import { arrayFor, describeType, fedShape, type InputSpec, mismatch, mismatchIssue } from './sample-spec.ts';

export interface ArrayFiles {
  readonly path: string;
  readonly kind: 'npz' | 'npy';
  readonly arrays: readonly ArraySource[];
  /** The array of labels; not one of `arrays`. */
  readonly labels?: ArraySource;
  close(): Promise<void>;
}

/**
 * Samples from whole arrays whose first axis is the sample: one array per input by name, or a single `x` for the only
 * input. @throws WhittleError `data.mismatch` with every name, shape and type that does not fit, both sides stated.
 */
export async function openArrayDataset(
  files: ArrayFiles,
  inputs: readonly InputSpec[],
): Promise<OpenedDataset> {
  const issues: Issue[] = [];
  const chosen = chooseArrays(files, inputs, issues);
  const counts = new Set(chosen.map(({ source }) => source.shape[0]));
  for (const { input, source } of chosen) checkArray(input, source, issues);
  if (counts.size > 1) {
    const list = chosen.map(({ source }) => `${source.name} ${source.shape[0]}`).join(', ');
    issues.push(mismatchIssue(`The arrays have different numbers of samples: ${list}.`));
  }
  const count = chosen[0]?.source.shape[0] ?? 0;
  if (chosen.length > 0 && counts.size === 1 && count === 0) {
    issues.push(
      mismatchIssue(`${chosen[0].source.name} has no samples: its first axis is 0.`, chosen[0].input.name),
    );
  }
  if (issues.length > 0) throw mismatch(files.path, issues);
  const labels = files.labels && (await readLabels(files.labels, count, files.path));
  const wrong = labels?.issues.filter((issue) => issue.severity === 'error') ?? [];
  if (wrong.length > 0) throw mismatch(files.path, wrong);

  return {
    path: files.path,
    kind: files.kind,
    count,
    labels: labels?.labels,
    issues: labels?.issues ?? [],
    async sample(index) {
      const feeds: Record<string, Tensor> = {};
      for (const { input, source } of chosen) {
        const tensor = { dtype: source.dtype, shape: input.shape, bytes: await source.row(index) };
        const converted = convertTensor(tensor, input.dtype);
        if (typeof converted === 'string') {
          throw new WhittleError(
            'data.mismatch',
            `Sample ${index} of ${source.name} in ${files.path} cannot be fed to ${input.name}: ${converted}.`,
          );
        }
        feeds[input.name] = converted;
      }
      return feeds;
    },
    close: files.close,
  };
}

interface Chosen {
  readonly input: InputSpec;
  readonly source: ArraySource;
}

function chooseArrays(files: ArrayFiles, inputs: readonly InputSpec[], issues: Issue[]): Chosen[] {
  const chosen: Chosen[] = [];
  const missing: InputSpec[] = [];
  for (const input of inputs) {
    const source =
      arrayFor(input.name, files.arrays, inputs.length === 1) ??
      // A lone .npy has no name of its own.
      (inputs.length === 1 && files.kind === 'npy' && files.arrays.length === 1
        ? files.arrays[0]
        : undefined);
    if (source) chosen.push({ input, source });
    else missing.push(input);
  }
  if (missing.length > 0) {
    const has = files.arrays.map((array) => `${array.name} ${describeType(array.dtype, array.shape)}`);
    const wants = inputs.map((input) => `${input.name} ${describeType(input.dtype, input.shape)}`);
    issues.push(
      mismatchIssue(
        `The model's inputs are ${wants.join(', ')}; the file has ${has.join(', ') || 'no arrays'}; ` +
          `there is no array for ${missing.map((input) => input.name).join(', ')}.`,
        missing[0].name,
        inputs.length === 1
          ? `Name the array ${inputs[0].name}, or x.`
          : 'Give one array per input, under the name of the input.',
      ),
    );
  }
  return chosen;
}

function checkArray(input: InputSpec, source: ArraySource, issues: Issue[]): void {
  const wanted = describeType(input.dtype, input.shape);
  const perSample = source.shape.slice(1);
  if (source.shape.length === 0) {
    issues.push(
      mismatchIssue(`Input ${input.name} is ${wanted}; ${source.name} is a single number.`, input.name),
    );
  } else if (!fedShape(perSample, input.shape)) {
    const expected = input.shape[0] === 1 ? ['N', ...input.shape.slice(1)] : ['N', ...input.shape];
    issues.push(
      mismatchIssue(
        `Input ${input.name} is ${wanted}; ${source.name} is ${describeType(source.dtype, source.shape)}, ` +
          `which is [${perSample.join(', ')}] per sample.`,
        input.name,
        `The first axis is the sample: give ${source.name} the shape [${expected.join(', ')}].`,
      ),
    );
  }
  if (!canConvert(source.dtype, input.dtype)) {
    issues.push(
      mismatchIssue(
        `Input ${input.name} takes ${input.dtype}; ${source.name} holds ${source.dtype}.`,
        input.name,
        `Save it as ${input.dtype}: x.astype('${input.dtype}').`,
      ),
    );
  }
}
