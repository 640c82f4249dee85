import { basename } from 'node:path';
import { type Issue, WhittleError } from '../../contract/errors.ts';
import { type DType, dtypes } from '../../ir/dtype.ts';
import { fixedShape, fixInputs } from '../fix-inputs.ts';
import type { DeclaredInput, ModelReader, ReadOptions, ReadResult } from '../model-file.ts';
import { isRecord, type ModelConfig } from './config.ts';
import { type KerasContainer, withKerasFile } from './container.ts';
import { ModelBuilder, type ModelInput } from './model-builder.ts';
import { unsupportedLayers } from './supported-layers.ts';

/**
 * Reads a Keras model (`.h5`, `.hdf5`, `.keras`; Functional and Sequential, Keras 1.2 to 3) in its own layout. Weights
 * are copied at most once; kernels enter the graph as permuted views. SAME padding is resolved with the sizes known.
 * @throws WhittleError `format.damaged` when the file is not a whole Keras model.
 */
export const readKeras: ModelReader = (path, options) =>
  withKerasFile(path, (container) => readContainer(container, basename(path), options));

/** Reads a model of Keras layers out of whatever container it came in. @param file as in messages. */
export function readContainer(container: KerasContainer, file: string, options: ReadOptions): ReadResult {
  const { model, dialect, version, backend } = container;
  const declared = declaredInputs(model);
  const issues: Issue[] = unsupportedLayers(model, dialect);
  const inputs = settleInputs(declared, options, issues);
  if (!inputs) return { issues, declaredInputs: declared, parameters: 0 };

  const builder = new ModelBuilder(model.name, dialect);
  const graph = builder.build(model, inputs, container.weights, {
    format: 'keras',
    version: version ? `Keras ${version}` : 'Keras',
    producer: backend ? `Keras ${version ?? ''} on ${backend}`.replace('  ', ' ') : undefined,
  });
  const known = new Set(issues.map(({ node }) => node));
  issues.push(...builder.issues.filter(({ node }) => !known.has(node)));
  const failed = issues.some(({ severity }) => severity === 'error');
  if (!graph && !failed) {
    throw new WhittleError('format.damaged', `${file}: the outputs of ${model.name} are not connected`);
  }
  return {
    graph: failed ? undefined : graph,
    issues,
    declaredInputs: declared,
    parameters: builder.parameters,
  };
}

function declaredInputs(model: ModelConfig): DeclaredInput[] {
  return model.inputs.map(({ layer: name }) => {
    const layer = model.layers.find((candidate) => candidate.name === name);
    const { batch_shape: newer, batch_input_shape: older, dtype } = layer?.config ?? {};
    const shape = newer ?? older;
    if (!Array.isArray(shape)) {
      throw new WhittleError('model.invalid', `The input ${name} of ${model.name} has no shape`, {
        hint: 'The model was never built. Call it once or give its first layer an input shape, then save it again.',
      });
    }
    return {
      name,
      dtype: dtypeName(dtype),
      shape: shape.map((dim: unknown, axis) =>
        typeof dim === 'number' ? dim : axis === 0 ? 'batch' : `${name}:${axis}`,
      ),
    };
  });
}

/** A dtype as text: plain, or the name of a policy record. */
function dtypeName(dtype: unknown): string {
  if (typeof dtype === 'string') return dtype;
  if (isRecord(dtype) && isRecord(dtype.config) && typeof dtype.config.name === 'string')
    return dtype.config.name;
  return 'float32';
}

/** Concrete shapes and types of the inputs; `undefined` when an input cannot be settled, with the reasons in `issues`. */
function settleInputs(
  declared: readonly DeclaredInput[],
  options: ReadOptions,
  issues: Issue[],
): ModelInput[] | undefined {
  const before = issues.length;
  for (const name of Object.keys(options.shapes ?? {})) {
    if (declared.some((input) => input.name === name)) continue;
    issues.push({
      code: 'usage',
      severity: 'error',
      message: `A shape is given for ${name}, which is no input; inputs are ${declared.map((input) => input.name).join(', ')}`,
    });
  }
  const inputs = declared.map(({ name, dtype, shape }): ModelInput => {
    const value = options.fixed?.[name];
    const given = options.shapes?.[name] ?? (value === undefined ? undefined : fixedShape(shape, value));
    const shown = `[${shape.join(', ')}]`;
    if (
      given &&
      (given.length !== shape.length || shape.some((dim, i) => typeof dim === 'number' && dim !== given[i]))
    ) {
      issues.push({
        code: 'usage',
        severity: 'error',
        message: `The shape [${given.join(', ')}] given for ${name} does not fit ${shown}`,
        node: name,
      });
    }
    const settled = shape.map(
      (dim, axis) => given?.[axis] ?? (axis === 0 && typeof dim === 'string' ? 1 : dim),
    );
    const open = settled.flatMap((dim, axis) => (typeof dim === 'string' ? [axis] : []));
    if (open.length > 0) {
      issues.push({
        code: 'model.dynamic-dims',
        severity: 'error',
        message: `Input ${name} leaves ${open.length === 1 ? 'axis' : 'axes'} ${open.join(', ')} of ${shown} open`,
        node: name,
        hint: `Give its shape: --shape ${name}=${settled.map((dim) => (typeof dim === 'string' ? 'N' : dim)).join('x')} with numbers in place of N.`,
      });
    }
    if (!isDType(dtype) || dtype === 'string') {
      issues.push({
        code: 'model.unsupported-option',
        severity: 'error',
        message: `Input ${name} has elements of type ${dtype}; numbers and booleans are read`,
        node: name,
      });
    }
    return { name, dtype: isDType(dtype) ? dtype : 'float32', shape: settled as number[] };
  });
  if (issues.length > before) return undefined;
  const { fixed, issues: misfits } = fixInputs(
    new Map(inputs.map((input) => [input.name, input])),
    options.fixed,
  );
  issues.push(...misfits);
  return misfits.length > 0 ? undefined : inputs.map((input) => ({ ...input, fixed: fixed.get(input.name) }));
}

function isDType(name: string): name is DType {
  return (dtypes as readonly string[]).includes(name);
}
