// `npm run fuzz [-- --cases 5000] [--seed N]`: opens and converts damaged copies of small models. Anything but success or
// an error that people can read is a finding; so are more than 10 s and more than 1 GB.
import { parseArgs } from 'node:util';
import { runIsolated } from '../conformance/isolate.ts';
import { type FuzzCase, fuzzCases } from './cases.ts';
import type { FuzzResult } from './worker.ts';

const { values: options } = parseArgs({
  options: { cases: { type: 'string', default: '5000' }, seed: { type: 'string' } },
});
const seed = Number(options.seed ?? Date.now() % 1_000_000_000);
const mostBytes = 1 << 30;
const cases = fuzzCases(Number(options.cases), seed);
console.log(`${cases.length} cases from seed ${seed}`);
let findings = 0;
await runIsolated<FuzzCase, FuzzResult>(cases, {
  worker: new URL('./worker.ts', import.meta.url),
  timeoutMs: 10_000,
  onOutcome: ({ source, seed }, outcome, done) => {
    const words = outcome.kind === 'result' ? outcome.result.words : `${outcome.kind}: ${outcome.words}`;
    const large = outcome.kind === 'result' && outcome.result.peakBytes > mostBytes;
    if (words || large) {
      findings++;
      console.log(`${source}, seed ${seed}: ${words ?? 'more than 1 GB'}`);
    }
    if (done % 500 === 0) console.log(`${done} done`);
  },
});
console.log(`${findings} findings`);
process.exit(findings === 0 ? 0 : 1);
