import type { Picked, PickKind } from './shell.ts';

const modelExtensions = ['.h5', '.hdf5', '.keras', '.onnx', '.tflite', '.pb'];
const dataExtensions = ['.npz', '.npy', '.csv', '.wav'];
const imageExtensions = ['.png', '.jpg', '.jpeg', '.webp', '.gif', '.tif', '.tiff'];

export type FileKind = 'model' | 'data' | 'recipe' | 'unknown';

/** Files that make a folder a model: a SavedModel, a TF.js model. */
const folderModels = ['saved_model.pb', 'model.json'];

/** What a file or folder is for, by its name. The core looks at the content; this only decides which call to make. */
export function kindOfFile({
  name,
  isFolder,
  entries,
}: Pick<Picked, 'name' | 'isFolder' | 'entries'>): FileKind {
  if (isFolder) return entries?.some((entry) => folderModels.includes(entry)) ? 'model' : 'data';
  const lower = name.toLowerCase();
  if (lower === 'model.json') return 'model';
  const ends = (extensions: readonly string[]): boolean => extensions.some((end) => lower.endsWith(end));
  if (ends(modelExtensions)) return 'model';
  if (ends(dataExtensions) || ends(imageExtensions)) return 'data';
  return lower.endsWith('.json') ? 'recipe' : 'unknown';
}

/** The `accept` list of a browser's file chooser. */
export function acceptFor(kind: PickKind): string {
  if (kind === 'model') return [...modelExtensions, '.json', '.bin', '.data'].join(',');
  if (kind === 'data') return [...dataExtensions, ...imageExtensions].join(',');
  return kind === 'recipe' ? '.json' : '';
}
