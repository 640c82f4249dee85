import { useView } from '../state/view.ts';
import { type Command, commands, dismissTopmost, runCommand } from './table.ts';

export interface KeyPress {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

/** Whether a press is the one a command asks for. `mod` takes ⌘ and Ctrl alike. */
export function matchesKey(wanted: string, press: KeyPress): boolean {
  const parts = wanted.split('+');
  const mod = press.ctrlKey || press.metaKey;
  return (
    press.key.toLowerCase() === parts.at(-1) &&
    mod === parts.includes('mod') &&
    press.shiftKey === parts.includes('shift') &&
    !press.altKey
  );
}

/** How a key is written on this platform: `⌘K`, `Ctrl K`, `O`. */
export function keyLabel(key: string, isMac: boolean): string {
  const parts = key.split('+').map((part) => {
    if (part === 'mod') return isMac ? '⌘' : 'Ctrl';
    if (part === 'shift') return isMac ? '⇧' : 'Shift';
    return part.toUpperCase();
  });
  return parts.join(isMac ? '' : ' ');
}

export const isMac = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform);

/** Letters belong to a field while one has the focus. */
function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'button'].includes(target.type);
  return (
    target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable
  );
}

/** Listens for the keys of the command table. Returns the way to stop. */
export function listenForKeys(): () => void {
  const handle = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing) return;
    if (event.key === 'Escape') {
      if (dismissTopmost()) event.preventDefault();
      return;
    }
    const typing = isTyping(event.target);
    const floating = useView.getState().paletteOpen;
    const match = (command: Command): boolean =>
      command.key !== undefined &&
      matchesKey(command.key, event) &&
      // Undo inside a text field is the field's own; plain letters are text there.
      (command.key === 'mod+k' || !(typing || floating));
    const command = commands.find(match);
    if (command && runCommand(command)) event.preventDefault();
  };
  window.addEventListener('keydown', handle);
  return () => window.removeEventListener('keydown', handle);
}
