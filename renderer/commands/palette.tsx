import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { openProject } from '../state/actions/project.ts';
import { useSession } from '../state/session.ts';
import { useView } from '../state/view.ts';
import { filterCommands } from './filter.ts';
import { isMac, keyLabel } from './keys.ts';
import { type Command, commands, runCommand } from './table.ts';
import './palette.css';

/** Every command and recent project, found by typing. */
export function Palette() {
  const recents = useSession((state) => state.recents);
  const close = (): void => useView.getState().set({ paletteOpen: false });
  const [query, setQuery] = useState('');
  const [active, setActive] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);

  const found = useMemo(() => {
    const openers: Command[] = recents.map(({ id, name }) => ({
      id: `recent-${id}`,
      title: `Open ${name}`,
      group: 'File',
      run: () => void openProject(id, name),
    }));
    return filterCommands([...commands.filter(({ id }) => id !== 'palette'), ...openers], query);
  }, [recents, query]);

  useEffect(() => {
    const before = document.activeElement;
    input.current?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);

  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  });

  const choose = (command: Command | undefined): void => {
    if (!command || command.blocked?.() !== undefined) return;
    close();
    runCommand(command);
  };

  const handleKey = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setActive((found.length + active + step) % Math.max(1, found.length));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      choose(found[active]);
    } else if (event.key === 'Tab') event.preventDefault();
  };

  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: Esc does the same by keyboard */}
      <div className="palette-scrim" role="presentation" onMouseDown={close} />
      <div className="palette" role="dialog" aria-modal="true" aria-label="Command palette">
        <input
          ref={input}
          className="palette-input"
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={found[active] ? `palette-${found[active].id}` : undefined}
          aria-label="Find a command"
          placeholder="Find a command"
          value={query}
          spellCheck={false}
          onChange={(event) => {
            setQuery(event.target.value);
            setActive(0);
          }}
          onKeyDown={handleKey}
        />
        <div
          className="palette-list"
          id="palette-list"
          role="listbox"
          aria-label="Commands"
          ref={list}
          tabIndex={-1}
        >
          {found.length === 0 && <p className="palette-none">No command has “{query}” in its name.</p>}
          {found.map((command, index) => {
            const blocked = command.blocked?.();
            const startsGroup = query === '' && command.group !== found[index - 1]?.group;
            return (
              <div key={command.id} role="presentation">
                {startsGroup && (
                  <p className="palette-group" aria-hidden>
                    {command.group}
                  </p>
                )}
                {/* biome-ignore lint/a11y/useKeyWithClickEvents: the combobox above handles the keys */}
                <div
                  id={`palette-${command.id}`}
                  className="palette-item"
                  role="option"
                  tabIndex={-1}
                  aria-selected={index === active}
                  aria-disabled={blocked !== undefined}
                  onMouseMove={() => setActive(index)}
                  onClick={() => choose(command)}
                >
                  <span className="palette-title truncate">{command.title}</span>
                  <span className="palette-why truncate">{blocked}</span>
                  {command.key && <kbd className="key">{keyLabel(command.key, isMac)}</kbd>}
                </div>
              </div>
            );
          })}
        </div>
      </div>
    </>
  );
}
