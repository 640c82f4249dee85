import type { PickKind } from './shell.ts';

const modelExtensions = ['.h5', '.hdf5', '.keras', '.onnx', '.tflite'];
const dataExtensions = ['.npz', '.npy', '.csv', '.wav'];
const imageExtensions = ['.png', '.jpg', '.jpeg', '.webp', '.bmp', '.gif', '.tif', '.tiff'];

export type FileKind = 'model' | 'data' | 'recipe' | 'unknown';

/** What a file is for, by its name. The core looks at the content; this only decides which call to make. */
export function kindOfFile(name: string, isFolder: boolean): FileKind {
  if (isFolder) return 'data';
  const lower = name.toLowerCase();
  const ends = (extensions: readonly string[]): boolean => extensions.some((end) => lower.endsWith(end));
  if (ends(modelExtensions)) return 'model';
  if (ends(dataExtensions) || ends(imageExtensions)) return 'data';
  return lower.endsWith('.json') ? 'recipe' : 'unknown';
}

/** The `accept` list of a browser's file chooser. */
export function acceptFor(kind: PickKind): string {
  if (kind === 'model') return modelExtensions.join(',');
  if (kind === 'data') return [...dataExtensions, ...imageExtensions].join(',');
  return kind === 'recipe' ? '.json' : '';
}
