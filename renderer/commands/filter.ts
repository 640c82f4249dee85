import type { Command } from './table.ts';

const groupOrder = ['File', 'Run', 'Edit', 'Go', 'View'];

/** Commands whose title holds every typed word; those that start with the first one come first. */
export function filterCommands(commands: readonly Command[], query: string): Command[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const rank = ({ title, group }: Command): number => {
    if (words.length === 0) return groupOrder.indexOf(group);
    const lower = title.toLowerCase();
    if (lower.startsWith(words[0])) return 0;
    return lower.includes(` ${words[0]}`) ? 1 : 2;
  };
  return commands
    .filter(({ title }) => words.every((word) => title.toLowerCase().includes(word)))
    .map((command, index) => ({ command, index, rank: rank(command) }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map(({ command }) => command);
}
