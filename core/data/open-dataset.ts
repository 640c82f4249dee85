import { stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { WhittleError } from '../contract/errors.ts';
import type { Preprocess } from '../contract/views.ts';
import { openArrayDataset } from './array-dataset.ts';
import { type ArraySource, openNpyFile, openNpzEntry } from './array-source.ts';
import { openCsvDataset } from './csv-dataset.ts';
import type { OpenedDataset } from './dataset.ts';
import { compareNames, extensionOf, type FolderListing, listSamples } from './folder.ts';
import { imageExtensions } from './image-extensions.ts';
import { openNpyFolderDataset } from './npy-folder-dataset.ts';
import type { InputSpec } from './sample-spec.ts';
import { openWavDataset } from './wav.ts';
import { openZip } from './zip-file.ts';

/**
 * Opens samples for a model with the given inputs: .npz, .npy, .csv, a folder of images, .npy or .wav (class sub-folders
 * are labels), several images, or arrays with their labels in a second file. Samples are read when asked for.
 * @throws WhittleError `file.not-found`, `data.unreadable`, or `data.mismatch` stating both sides.
 */
export async function openDataset(
  paths: string | readonly string[],
  inputs: readonly InputSpec[],
  preprocess?: Preprocess,
): Promise<OpenedDataset> {
  const list = typeof paths === 'string' ? [paths] : paths;
  const isFolder = await Promise.all(list.map(statKind));
  if (list.length === 1) {
    return isFolder[0] ? openFolder(list[0], inputs, preprocess) : openFile(list[0], inputs, preprocess);
  }
  const folder = list.find((_path, i) => isFolder[i]);
  if (list.length === 0 || folder !== undefined) {
    throw new WhittleError(
      'usage',
      `Samples are one file or folder, or several files; ${folder ?? 'none'} is given.`,
    );
  }
  return openSeveral(list, inputs, preprocess);
}

async function statKind(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw new WhittleError('file.not-found', `There are no samples at ${path}.`, { cause: error });
  }
}

async function openFile(
  path: string,
  inputs: readonly InputSpec[],
  preprocess: Preprocess | undefined,
): Promise<OpenedDataset> {
  const extension = extensionOf(path);
  if (extension === '.npz') return openNpz(path, inputs);
  if (extension === '.npy') {
    const source = await openNpyFile(path, 'x');
    const close = () => source.close();
    return closeOnError(close, () =>
      openArrayDataset({ path, kind: 'npy', arrays: [source], close }, inputs),
    );
  }
  if (extension === '.csv') return openCsvDataset(path, inputs);
  if (imageExtensions.has(extension)) {
    return openImages(path, { files: [{ path, name: basename(path) }], classNames: [] }, inputs, preprocess);
  }
  if (extension === '.wav') {
    return openWavDataset(path, { files: [{ path, name: basename(path) }], classNames: [] }, inputs);
  }
  throw unknownKind(path);
}

function unknownKind(path: string): WhittleError {
  return new WhittleError('data.unreadable', `${path} is not a kind of samples that Whittle reads.`, {
    hint: 'Give an .npz, .npy or .csv file, or a folder of images, .npy or .wav files.',
  });
}

/** sharp is loaded only when there are pictures to decode. */
async function openImages(
  path: string,
  listing: FolderListing,
  inputs: readonly InputSpec[],
  preprocess: Preprocess | undefined,
): Promise<OpenedDataset> {
  const { openImageDataset } = await import('./image-dataset.ts');
  return openImageDataset(path, listing, inputs, preprocess);
}

async function openNpz(
  path: string,
  inputs: readonly InputSpec[],
  labelsPath?: string,
): Promise<OpenedDataset> {
  const zip = await openZip(path);
  const sources: ArraySource[] = [];
  const close = async (): Promise<void> => {
    for (const source of sources) await source.close();
    await zip.close();
  };
  return closeOnError(close, async () => {
    const wanted = new Set(inputs.map((input) => input.name));
    const entries = zip.entries.filter((entry) => entry.name.endsWith('.npy'));
    if (entries.length > arrayLimit) {
      throw new WhittleError(
        'data.unreadable',
        `${path} has ${entries.length} arrays; at most ${arrayLimit} are read.`,
      );
    }
    for (const entry of entries) {
      sources.push(await openNpzEntry(zip, entry, entry.name.slice(0, -4)));
    }
    let labels = wanted.has('y') ? undefined : sources.find((source) => source.name === 'y');
    const arrays = sources.filter((source) => source !== labels);
    if (labelsPath) {
      labels = await openNpyFile(labelsPath, basename(labelsPath));
      sources.push(labels);
    }
    return openArrayDataset({ path, kind: 'npz', arrays, labels, close }, inputs);
  });
}

/** An .npz holds one array per input; thousands are a folder of samples in the wrong form. */
const arrayLimit = 256;

async function closeOnError<T>(close: () => Promise<void>, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    await close();
    throw error;
  }
}

const folderKinds = [
  { extensions: imageExtensions, open: openImages },
  { extensions: new Set(['.npy']), open: openNpyFolderDataset },
  { extensions: new Set(['.wav']), open: openWavDataset },
] as const;

async function openFolder(
  path: string,
  inputs: readonly InputSpec[],
  preprocess: Preprocess | undefined,
): Promise<OpenedDataset> {
  const listings = await Promise.all(folderKinds.map((kind) => listSamples(path, kind.extensions)));
  const found = listings.findIndex((listing) => listing.files.length > 0);
  if (found < 0) {
    throw new WhittleError(
      'data.unreadable',
      `${path} has no images, .npy or .wav files, in itself or one folder down.`,
    );
  }
  return folderKinds[found].open(path, listings[found], inputs, preprocess);
}

const labelNames = /^(y|labels?|targets?|classes)$/i;

/** Several files at once: pictures without labels, or arrays beside a .npy of labels. */
async function openSeveral(
  paths: readonly string[],
  inputs: readonly InputSpec[],
  preprocess: Preprocess | undefined,
): Promise<OpenedDataset> {
  const listing = (): FolderListing => ({
    files: [...paths]
      .sort((a, b) => compareNames(basename(a), basename(b)))
      .map((path) => ({ path, name: basename(path) })),
    classNames: [],
  });
  const title = `${basename(paths[0])} and ${paths.length - 1} more`;
  if (paths.every((path) => imageExtensions.has(extensionOf(path)))) {
    return openImages(title, listing(), inputs, preprocess);
  }
  if (paths.every((path) => extensionOf(path) === '.wav')) return openWavDataset(title, listing(), inputs);
  const isLabels = (path: string): boolean =>
    extensionOf(path) === '.npy' && labelNames.test(basename(path, extname(path)));
  const labelPaths = paths.filter(isLabels);
  const dataPaths = paths.filter((path) => !isLabels(path));
  if (labelPaths.length === 1 && dataPaths.length === 1) {
    const [path] = dataPaths;
    if (extensionOf(path) === '.npz') return openNpz(path, inputs, labelPaths[0]);
    if (extensionOf(path) === '.npy') return openNpyPair(path, labelPaths[0], inputs);
  }
  if (labelPaths.length === 0 && paths.every((path) => extensionOf(path) === '.npy')) {
    return openNpyFolderDataset(title, listing(), inputs);
  }
  throw new WhittleError(
    'data.unreadable',
    `${paths.map((path) => basename(path)).join(', ')} do not go together.`,
    {
      hint: 'Give several images, or one .npz or .npy with a labels.npy.',
    },
  );
}

async function openNpyPair(
  path: string,
  labelsPath: string,
  inputs: readonly InputSpec[],
): Promise<OpenedDataset> {
  const sources: ArraySource[] = [await openNpyFile(path, 'x')];
  const close = async (): Promise<void> => {
    for (const source of sources) await source.close();
  };
  return closeOnError(close, async () => {
    const labels = await openNpyFile(labelsPath, basename(labelsPath));
    sources.push(labels);
    return openArrayDataset({ path, kind: 'npy', arrays: [sources[0]], labels, close }, inputs);
  });
}
