import type { ProgressUpdate } from '../studio/progress.ts';
import type { CliIo } from './io.ts';

export interface ProgressBar {
  update(progress: ProgressUpdate): void;
  /** Takes the bar away. */
  clear(): void;
}

const width = 24;

/** A bar on a terminal that is drawn over; elsewhere a plain line whenever the stage's first words change. */
export function createProgressBar(io: CliIo): ProgressBar {
  let drawn = false;
  let last = '';
  return {
    update({ stage, fraction, secondsLeft }) {
      if (io.isTerminal) {
        const filled = Math.round(fraction * width);
        const bar = '█'.repeat(filled) + '░'.repeat(width - filled);
        const left = secondsLeft === undefined ? '' : ` · ${formatSeconds(secondsLeft)} left`;
        io.err(`\r\x1b[2K${bar} ${String(Math.round(fraction * 100)).padStart(3)} % ${stage}${left}`);
        drawn = true;
        return;
      }
      const line = stage.replace(/\s*\d+\/\d+$/, '');
      if (line === last || line === '') return;
      last = line;
      io.err(`${line}\n`);
    },
    clear() {
      if (drawn) io.err('\r\x1b[2K');
      drawn = false;
    },
  };
}

function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.ceil(seconds))} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
