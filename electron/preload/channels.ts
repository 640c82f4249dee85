/** Names of the messages between the page's bridge and the main process. */
export const channels = {
  post: 'core:post',
  message: 'core:message',
  openFiles: 'dialog:open',
  saveFile: 'dialog:save',
  showInFolder: 'shell:show',
} as const;
