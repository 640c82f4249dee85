import { basename, join } from 'node:path';
import { toErrorView } from '../contract/error-view.ts';
import type { ArtifactView, IoType, OutputFormat, Precision, Recipe } from '../contract/views.ts';
import { ioTypeFor } from '../quantize/decide.ts';
import type { TrialMark } from './trial.ts';

/** One file to be made. */
export interface ArtifactTarget {
  /** Stable for one recipe choice, so that a second run replaces the first one's result. */
  readonly id: string;
  readonly precision: Precision;
  /** Tells further results of one precision apart. */
  readonly label?: string;
  readonly format: OutputFormat;
  readonly io: IoType;
  readonly path: string;
}

/**
 * What a recipe asks for, precision by precision: `NAME_int8.tflite`, or `NAME_int8_uint8io.tflite` where inputs and
 * outputs are not float32.
 * @param mark of a trial, whose files stand beside the recipe's own
 */
export function listTargets(
  sourcePath: string,
  recipe: Recipe,
  outDir: string,
  mark?: TrialMark,
): ArtifactTarget[] {
  const stem = basename(sourcePath).replace(/\.(h5|hdf5|keras|onnx|tflite)$/i, '');
  return [...new Set(recipe.precisions)].flatMap((precision) =>
    [...new Set(recipe.formats)].map((format) => {
      const io = effectiveIo(precision, recipe.io);
      const suffix = (io === 'float32' ? '' : `_${io}io`) + (mark ? `_${mark.tag}` : '');
      return {
        id: `${precision}-${io}-${format}${mark ? `-${mark.tag}` : ''}`,
        precision,
        label: mark?.label,
        format,
        io,
        path: join(outDir, `${stem}_${precision}${suffix}.${format}`),
      };
    }),
  );
}

/** The same choice with another plan: the n-th further point that a search found. */
export function furtherTarget(target: ArtifactTarget, n: number, label: string): ArtifactTarget {
  const { id, path, format } = target;
  const stem = path.slice(0, -format.length - 1);
  const ofTrial = target.label === undefined ? label : `${target.label}, ${label}`;
  return { ...target, id: `${id}-${n}`, label: ofTrial, path: `${stem}_${n}.${format}` };
}

/** A type that the precision refuses is kept here; making the file says why it cannot be. */
function effectiveIo(precision: Precision, io: IoType): IoType {
  try {
    return ioTypeFor(precision, io);
  } catch {
    return io;
  }
}

/** The result of a target that could not be made. */
export function failedArtifact(target: ArtifactTarget, thrown: unknown): ArtifactView {
  const { id, precision, label, io, format } = target;
  return {
    id,
    precision,
    label,
    io,
    format,
    path: '',
    sizeBytes: 0,
    sha256: '',
    operators: {},
    minRuntime: '',
    status: 'failed',
    gates: [],
    warnings: [],
    error: toErrorView(thrown),
  };
}
