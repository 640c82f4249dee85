/** Light and dark: follows the system until the person chooses, and remembers the choice. */
export type ThemeChoice = 'system' | 'light' | 'dark';

const storageKey = 'whittle.theme';
const systemDark = () => window.matchMedia('(prefers-color-scheme: dark)');

/** The stored choice, or `system` where none was made or storage is closed. */
export function readThemeChoice(): ThemeChoice {
  try {
    const stored = localStorage.getItem(storageKey);
    return stored === 'light' || stored === 'dark' ? stored : 'system';
  } catch {
    return 'system';
  }
}

/** Writes the choice on the document and into storage. */
export function applyTheme(choice: ThemeChoice): void {
  const dark = choice === 'dark' || (choice === 'system' && systemDark().matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  try {
    if (choice === 'system') localStorage.removeItem(storageKey);
    else localStorage.setItem(storageKey, choice);
  } catch {
    // A closed storage only means that the choice lasts as long as the window.
  }
}

/** Calls back when the system changes between light and dark. */
export function onSystemTheme(listener: () => void): void {
  systemDark().addEventListener('change', listener);
}

/** The order in which the toggle walks. */
export function nextTheme(choice: ThemeChoice): ThemeChoice {
  return choice === 'system' ? 'light' : choice === 'light' ? 'dark' : 'system';
}
