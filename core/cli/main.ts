#!/usr/bin/env node
import * as nodeModule from 'node:module';
import { reportToGuard, runGuarded, wantsGuard } from './guarded.ts';
import type { CliIo } from './io.ts';
import { runCli } from './program.ts';

// Node 22 and later keep the compiled code of what is loaded from here on; earlier ones compile it each time.
if (typeof nodeModule.enableCompileCache === 'function') nodeModule.enableCompileCache();

const args = process.argv.slice(2);
const io: CliIo = {
  out: (text) => new Promise((resolve) => process.stdout.write(text, () => resolve())),
  err: (text) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY === true,
};
await reportToGuard();
// Runtimes keep threads of their own; what was asked for is done.
process.exit(wantsGuard(args) ? await runGuarded(process.argv[1], args, io) : await runCli(args, io));
