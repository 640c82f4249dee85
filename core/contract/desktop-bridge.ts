/** What a file dialog is asked for. */
export type OpenKind = 'model' | 'model-folder' | 'data' | 'data-folder' | 'recipe';

/** Everything that the page can reach outside itself in the desktop window, as `window.whittle`. */
export interface DesktopBridge {
  /** Sends one RPC message to the core. Messages cross as JSON text: one copy instead of one proxy per object. */
  post(json: string): void;
  onMessage(listener: (json: string) => void): () => void;
  /** The window's pipe never closes while the page lives; a lost core is told as a message. */
  onClose(listener: () => void): () => void;
  /** Where a dropped file lies on disk. */
  pathForFile(file: unknown): string;
  openFileDialog(kind: OpenKind): Promise<string[]>;
  saveFileDialog(suggestedName: string): Promise<string | null>;
  showInFolder(path: string): Promise<void>;
}
