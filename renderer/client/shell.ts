import type { OpenKind } from '../../core/contract/desktop-bridge.ts';
import type { Wire } from '../../core/rpc/wire.ts';

/** What the file dialog is asked for. */
export type PickKind = OpenKind;

/** One thing the person dropped or picked: a file, or a folder with the files in it. */
export interface Picked {
  name: string;
  isFolder: boolean;
  /** Names at the top of a folder, where they are known: they tell a model's folder from samples. */
  entries?: readonly string[];
  /** Desktop: where it lies on disk. */
  path?: string;
  /** Browser: the files to upload; more than one for a folder. `path` is relative and uses `/`. */
  files: readonly { path: string; file: File }[];
}

export interface UploadProgress {
  sentBytes: number;
  totalBytes: number;
}

/**
 * Everything outside the page that differs between the desktop window and the browser. The rest of the studio does not
 * know in which of the two it runs.
 */
export interface Shell {
  readonly kind: 'desktop' | 'web';
  /** A fresh wire to the core. */
  connect(): Wire;
  pick(kind: PickKind): Promise<Picked[]>;
  /** What a drop carried; reads folders in the browser. Must be called in the drop event's own turn. */
  fromDrop(transfer: DataTransfer): Promise<Picked[]>;
  /** Makes refs that the core understands, uploading where files do not lie on the core's disk. */
  toRefs(
    picked: readonly Picked[],
    onProgress: (progress: UploadProgress) => void,
    signal: AbortSignal,
  ): Promise<string[]>;
  /** Desktop: asks where to save. Undefined in the browser, where exports are downloads. */
  askSavePath?(suggestedName: string): Promise<string | null>;
  showInFolder?(path: string): Promise<void>;
  /** Browser: starts the download of what `artifact.download` returned. */
  download?(url: string, fileName: string): void;
}
