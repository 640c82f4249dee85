#!/usr/bin/env node
import { runCli } from './program.ts';

const code = await runCli(process.argv.slice(2), {
  out: (text) => new Promise((resolve) => process.stdout.write(text, () => resolve())),
  err: (text) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY === true,
});
// Runtimes keep threads of their own; what was asked for is done.
process.exit(code);
