/** Small real files, and what may happen when a damaged copy of one is opened. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WhittleError } from '../../core/contract/errors.ts';
import { writeOnnx } from '../../core/formats/onnx/writer.ts';
import { readModel } from '../../core/formats/open-model.ts';
import { writeTflite } from '../../core/formats/tflite/writer.ts';
import { mulberry32 } from '../../core/kernels/random.ts';
import { prepareForOnnx, prepareForTflite } from '../../core/passes/pipeline.ts';
import { smallFile, smallNet } from '../../core/testing/tflite-files.ts';
import { loopModel } from './loop-model.ts';
import { mutateBytes, mutateHdf5, mutateKeras, mutateOnnx, type Random } from './mutations.ts';
import { largeFormFile, loopFile } from './tflite-seeds.ts';

interface Source {
  readonly name: string;
  readonly extension: string;
  readonly bytes: Uint8Array;
  mutate(bytes: Uint8Array, random: Random): Uint8Array;
}

/** Scripts and tests run in the project's folder; a bundled worker's own place says nothing of it. */
const fixture = (name: string) =>
  new Uint8Array(readFileSync(join(process.cwd(), 'core', 'formats', 'keras', 'fixtures', name)));

export const sources: readonly Source[] = [
  {
    name: 'keras',
    extension: 'keras',
    bytes: fixture('bidirectional_two_layers.keras'),
    mutate: mutateKeras,
  },
  {
    name: 'keras-image',
    extension: 'keras',
    bytes: fixture('conv2d_same_stride2_odd.keras'),
    mutate: mutateKeras,
  },
  { name: 'h5', extension: 'h5', bytes: fixture('batch_norm_axis1.h5'), mutate: mutateHdf5 },
  { name: 'h5-keras2', extension: 'h5', bytes: fixture('gru_reset_before_tfk2.h5'), mutate: mutateHdf5 },
  { name: 'onnx', extension: 'onnx', bytes: writeOnnx(prepareForOnnx(smallNet()).graph), mutate: mutateOnnx },
  { name: 'onnx-loop', extension: 'onnx', bytes: loopModel(), mutate: mutateOnnx },
  { name: 'tflite', extension: 'tflite', bytes: smallFile(), mutate: mutateBytes },
  { name: 'tflite-loop', extension: 'tflite', bytes: loopFile(), mutate: mutateBytes },
  { name: 'tflite-large', extension: 'tflite', bytes: largeFormFile(), mutate: mutateBytes },
];

export interface FuzzCase {
  readonly source: string;
  readonly seed: number;
}

/** `count` cases, each of another seed, the sources in turn. */
export function fuzzCases(count: number, firstSeed: number): FuzzCase[] {
  return Array.from({ length: count }, (_, i) => ({
    source: sources[i % sources.length].name,
    seed: firstSeed + i,
  }));
}

/** The damaged file of a case. */
export function damagedFile({ source, seed }: FuzzCase): { bytes: Uint8Array; extension: string } {
  const { bytes, extension, mutate } = sources.find(({ name }) => name === source)!;
  return { bytes: mutate(bytes, mulberry32(seed)), extension };
}

/**
 * Opens and converts a damaged file. @returns undefined when that ends well or in an error that people can read, else
 * what is wrong with how it ended.
 */
export async function openDamaged(testCase: FuzzCase, path: string): Promise<string | undefined> {
  const { bytes, extension } = damagedFile(testCase);
  const file = `${path}.${extension}`;
  writeFileSync(file, bytes);
  try {
    const { graph, issues } = await readModel(file);
    if (!graph || issues.some(({ severity }) => severity === 'error')) return undefined;
    return (
      faultOf(() => writeOnnx(prepareForOnnx(graph).graph)) ??
      faultOf(() => writeTflite(prepareForTflite(graph, { layout: 'nhwc' }).graph))
    );
  } catch (error) {
    return wordsOf(error);
  } finally {
    rmSync(file, { force: true });
  }
}

function faultOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return wordsOf(error);
  }
}

/** What is wrong with an error; undefined for one that people can read. */
function wordsOf(error: unknown): string | undefined {
  if (error instanceof WhittleError && error.code !== 'internal') return undefined;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
