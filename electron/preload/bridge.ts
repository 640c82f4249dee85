/** Names of the messages between the page's bridge and the main process. */
export const channels = {
  post: 'core:post',
  message: 'core:message',
  openFiles: 'dialog:open',
  saveFile: 'dialog:save',
  showInFolder: 'shell:show',
} as const;

export type OpenKind = 'model' | 'model-folder' | 'data' | 'data-folder' | 'recipe';

/** Everything that the page can reach outside itself, as `window.whittle`. */
export interface DesktopBridge {
  /** Sends one RPC message to the core. Messages cross as JSON text: one copy instead of one proxy per object. */
  post(json: string): void;
  onMessage(listener: (json: string) => void): () => void;
  /** The window's pipe never closes while the page lives; a lost core is told as a message. */
  onClose(listener: () => void): () => void;
  /** Where a dropped file lies on disk. */
  pathForFile(file: File): string;
  openFileDialog(kind: OpenKind): Promise<string[]>;
  saveFileDialog(suggestedName: string): Promise<string | null>;
  showInFolder(path: string): Promise<void>;
}
