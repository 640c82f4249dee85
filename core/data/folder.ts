import { readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { WhittleError } from '../contract/errors.ts';

/** A file of a folder of samples; its class is the sub-folder it lies in. */
export interface LabelledFile {
  readonly path: string;
  /** Relative to the folder, for messages. */
  readonly name: string;
  readonly className?: string;
}

export interface FolderListing {
  readonly files: readonly LabelledFile[];
  /** Class names in index order; empty when there are no sub-folders. */
  readonly classNames: readonly string[];
}

/** Natural order: `2.png` before `10.png`; the same on every machine. */
export function compareNames(a: string, b: string): number {
  const parts = /(\d+)/;
  const left = a.split(parts);
  const right = b.split(parts);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] === right[i]) continue;
    if (i % 2 === 1 && Number(left[i]) !== Number(right[i])) return Number(left[i]) - Number(right[i]);
    return left[i] < right[i] ? -1 : 1;
  }
  return left.length - right.length;
}

/**
 * Lists the files with the given extensions, in a folder or one level down, where each sub-folder is a class. Hidden
 * files are left out. Order: files of the folder itself by name, or class by class.
 * @throws WhittleError `data.unreadable` when labelled and unlabelled files are mixed.
 */
export async function listSamples(folder: string, extensions: ReadonlySet<string>): Promise<FolderListing> {
  const own: LabelledFile[] = [];
  const classes = new Map<string, LabelledFile[]>();
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      const names = (await readdir(path, { withFileTypes: true }))
        .filter(
          (file) => file.isFile() && !file.name.startsWith('.') && extensions.has(extensionOf(file.name)),
        )
        .map((file) => file.name)
        .sort(compareNames);
      if (names.length === 0) continue;
      classes.set(
        entry.name,
        names.map((name) => ({
          path: join(path, name),
          name: `${entry.name}/${name}`,
          className: entry.name,
        })),
      );
    } else if (entry.isFile() && extensions.has(extensionOf(entry.name))) {
      own.push({ path, name: entry.name });
    }
  }
  if (own.length > 0 && classes.size > 0) {
    throw new WhittleError(
      'data.unreadable',
      `${folder} has ${own.length} samples of its own (${own[0].name}, …) beside class folders (${[...classes.keys()].slice(0, 3).join(', ')}).`,
      { hint: 'Put every sample into a folder named after its class, or all of them into one folder.' },
    );
  }
  own.sort((a, b) => compareNames(a.name, b.name));
  const classNames = [...classes.keys()].sort(compareNames);
  return { files: classes.size > 0 ? classNames.flatMap((name) => classes.get(name)!) : own, classNames };
}

export function extensionOf(name: string): string {
  return extname(name).toLowerCase();
}

/**
 * Class index per file. Folders named by numbers mean those numbers (`7` is class 7 even where `6` is missing); others
 * count in the order of their names.
 */
export function labelFiles(listing: FolderListing): { labels?: Int32Array; classNames?: string[] } {
  const { classNames, files } = listing;
  if (classNames.length === 0) return {};
  const numeric = classNames.every((name) => /^\d{1,6}$/.test(name));
  const indexOf = new Map(classNames.map((name, i) => [name, numeric ? Number(name) : i]));
  const labels = Int32Array.from(files, (file) => indexOf.get(file.className!)!);
  if (!numeric) return { labels, classNames: [...classNames] };
  const names = Array.from({ length: Math.max(...indexOf.values()) + 1 }, (_unused, i) => String(i));
  return { labels, classNames: names };
}
