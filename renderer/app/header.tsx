import { ChevronDown, Monitor, Moon, Sun } from 'lucide-react';
import { type KeyboardEvent, useEffect, useRef } from 'react';
import { isMac, keyLabel } from '../commands/keys.ts';
import { commandById, runCommand } from '../commands/table.ts';
import { openProject } from '../state/actions/project.ts';
import { useProject } from '../state/project.ts';
import { useSession } from '../state/session.ts';
import { useView } from '../state/view.ts';
import { Button } from '../ui/blocks.tsx';
import { formatAgo } from '../ui/format.ts';

const themeIcon = { system: Monitor, light: Sun, dark: Moon };
const themeName = { system: 'as the system', light: 'light', dark: 'dark' };
const recentsShown = 5;

export function Header() {
  const name = useProject((state) => state.project?.name);
  const theme = useView((state) => state.theme);
  const menuOpen = useView((state) => state.menuOpen);
  const ThemeIcon = themeIcon[theme];
  return (
    <header className="header">
      <span className="wordmark">
        <Mark />
        Whittle
      </span>
      <div className="header-project">
        <Button
          variant="quiet"
          aria-haspopup="menu"
          aria-expanded={menuOpen}
          aria-label={name ? `Project ${name}` : 'Project menu'}
          title={name}
          onClick={() => useView.getState().set({ menuOpen: !menuOpen })}
        >
          <span className="truncate">{name ?? 'No model open'}</span>
          <ChevronDown size={14} aria-hidden />
        </Button>
        {menuOpen && <ProjectMenu />}
      </div>
      <Button variant="quiet" small aria-label="Command palette" onClick={commandById('palette').run}>
        Commands <kbd className="key">{keyLabel('mod+k', isMac)}</kbd>
      </Button>
      <Button
        variant="quiet"
        icon={<ThemeIcon size={16} />}
        aria-label={`Theme: ${themeName[theme]}`}
        onClick={commandById('theme').run}
      />
    </header>
  );
}

function Mark() {
  return (
    <svg width="20" height="20" viewBox="0 0 16 16" aria-hidden focusable="false">
      <rect width="16" height="16" rx="3.5" fill="var(--accent)" />
      <path
        d="M3 4.5h10M4.5 8h7M6.2 11.5h3.6"
        stroke="var(--on-accent)"
        strokeWidth="2"
        strokeLinecap="round"
      />
    </svg>
  );
}

const menuGroups = [
  ['open', 'open-sample'],
  ['attach-files', 'attach-folder', 'detach'],
  ['open-recipe', 'save-recipe', 'undo'],
  ['close'],
];

function ProjectMenu() {
  const recents = useSession((state) => state.recents);
  const openId = useProject((state) => state.project?.id);
  const menu = useRef<HTMLDivElement>(null);
  const close = (): void => useView.getState().set({ menuOpen: false });
  const others = recents.filter(({ id }) => id !== openId).slice(0, recentsShown);

  useEffect(() => {
    const before = document.activeElement;
    menu.current?.querySelector<HTMLElement>('[role="menuitem"]')?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);

  const handleKey = (event: KeyboardEvent): void => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    const items = [...(menu.current?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const step = event.key === 'ArrowDown' ? 1 : -1;
    items[(items.length + at + step) % items.length]?.focus();
  };

  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: Esc does the same by keyboard */}
      <div className="menu-scrim" role="presentation" onMouseDown={close} />
      <div className="menu" role="menu" aria-label="Project" tabIndex={-1} ref={menu} onKeyDown={handleKey}>
        {menuGroups.map((ids, index) => (
          <div key={ids[0]} role="presentation">
            {index > 0 && <hr />}
            {ids.map((id) => {
              const command = commandById(id);
              const blocked = command.blocked?.();
              return (
                <button
                  key={id}
                  type="button"
                  role="menuitem"
                  aria-disabled={blocked !== undefined}
                  title={blocked}
                  onClick={() => {
                    if (runCommand(command)) close();
                  }}
                >
                  <span className="truncate">{command.title}</span>
                  {command.key && <kbd className="key">{keyLabel(command.key, isMac)}</kbd>}
                </button>
              );
            })}
          </div>
        ))}
        {others.length > 0 && (
          <div role="presentation">
            <hr />
            <p className="menu-label" aria-hidden>
              Recent
            </p>
            {others.map(({ id, name, openedAt }) => (
              <button
                key={id}
                type="button"
                role="menuitem"
                onClick={() => {
                  close();
                  void openProject(id, name);
                }}
              >
                <span className="truncate">{name}</span>
                <span className="muted small">{formatAgo(openedAt, Date.now())}</span>
              </button>
            ))}
          </div>
        )}
      </div>
    </>
  );
}
