import { toErrorView } from '../contract/error-view.ts';

/** Where the command line writes. Human text goes to `err`; `out` gets the JSON document, or nothing. */
export interface CliIo {
  /** Resolves when the text is handed over. */
  out(text: string): Promise<void>;
  err(text: string): void;
  /** Whether `err` is a terminal, on which a line can be drawn over. */
  readonly isTerminal: boolean;
}

/** What every command gets. */
export interface CommandContext {
  readonly io: CliIo;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Exit codes of CLI.md. */
export const exitCodes = { done: 0, failed: 1, usage: 2, budget: 3, cancelled: 130 } as const;

export async function printJson(io: CliIo, value: unknown): Promise<void> {
  await io.out(`${JSON.stringify(value, null, 2)}\n`);
}

/** Tells an error: code, sentence, each issue and the hint on `err`; the whole as JSON on `out` when asked for. */
export async function printError(io: CliIo, thrown: unknown, json: boolean): Promise<number> {
  const error = toErrorView(thrown);
  if (error.code === 'job.cancelled') {
    io.err('Cancelled.\n');
  } else {
    io.err(`error ${error.code}: ${error.message}\n`);
    // A single issue has said it all in the sentence.
    if (error.issues.length > 1) {
      for (const issue of error.issues) {
        const named = issue.node === undefined || issue.message.includes(issue.node);
        io.err(`  - ${named ? '' : `${issue.node}: `}${issue.message}\n`);
      }
    }
    if (error.hint) io.err(`hint: ${error.hint}\n`);
    if (error.code === 'internal' && thrown instanceof Error && process.env.WHITTLE_DEBUG)
      io.err(`${thrown.stack}\n`);
  }
  if (json) await printJson(io, { error });
  if (error.code === 'job.cancelled') return exitCodes.cancelled;
  return error.code === 'usage' ? exitCodes.usage : exitCodes.failed;
}
