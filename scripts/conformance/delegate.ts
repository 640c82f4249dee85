// `npm run conformance:delegate -- --corpus DIR [--only REGEX]`: real models in every precision; what is predicted that
// XNNPACK takes must be what native LiteRT's profiler shows that it took, operator by operator.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { DelegateJob, FileVerdict } from './delegate-worker.ts';
import { runIsolated } from './isolate.ts';
import { brief, printTable } from './table.ts';

const { values: options } = parseArgs({
  options: { corpus: { type: 'string' }, only: { type: 'string' } },
});
if (!options.corpus) {
  console.error('usage: npm run conformance:delegate -- --corpus DIR [--only REGEX]');
  process.exit(2);
}
const corpus = options.corpus;
const only = options.only ? new RegExp(options.only) : undefined;

interface Meta {
  readonly name: string;
  readonly model: string;
  readonly models?: readonly string[];
  readonly negative: string | null;
  readonly quantized: boolean;
  readonly shape: Readonly<Record<string, number[]>> | null;
}

const jobs = readdirSync(corpus)
  .filter((name) => existsSync(join(corpus, name, 'meta.json')) && (!only || only.test(name)))
  .flatMap((name): DelegateJob[] => {
    const folder = join(corpus, name);
    const meta = JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8')) as Meta;
    const path = join(folder, meta.model);
    const asItIs = meta.model.endsWith('.tflite') ? [{ path }] : [];
    if (meta.negative || meta.quantized) return asItIs;
    const shapes = meta.shape ?? {};
    const data = join(folder, 'samples.npz');
    const recipes: DelegateJob['recipes'] = [
      {
        name: '',
        shapes,
        precisions: ['float32', 'float16', 'dynamic-int8', 'weights-int8', 'weights-int4', 'int8', 'int16x8'],
      },
      { name: ', uint8 in and out', shapes, precisions: ['int8'], io: 'uint8' },
      {
        name: ', int8 in and out, integers only',
        shapes,
        precisions: ['int8'],
        io: 'int8',
        pureInteger: true,
      },
    ];
    return [...asItIs, { path, recipes, data: existsSync(data) ? data : undefined }];
  });

const rows: string[][] = [];
let right = 0;
let wrong = 0;
const outcomes = await runIsolated<DelegateJob, FileVerdict[]>(jobs, {
  worker: new URL('./delegate-worker.ts', import.meta.url),
  timeoutMs: 240_000,
});
for (const [i, outcome] of outcomes.entries()) {
  const model = jobs[i].path.slice(corpus.length).replace(/^[\\/]+/, '');
  if (outcome.kind !== 'result') {
    wrong++;
    rows.push([model, '', 'NO', '', '', '', outcome.words]);
    continue;
  }
  for (const file of outcome.result) {
    if (file.failed !== undefined) {
      rows.push([model, file.recipe, 'not made', '', '', '', brief(file.failed, 80)]);
      continue;
    }
    const agrees = file.wrong.length === 0 && file.parts === file.realParts;
    if (agrees) right++;
    else wrong++;
    rows.push([
      model,
      file.recipe,
      agrees ? 'yes' : 'NO',
      String(file.nodes),
      String(file.taken),
      `${file.parts}/${file.realParts}`,
      file.wrong.slice(0, 4).join('; '),
    ]);
  }
}
printTable([['model', 'file', 'agrees', 'nodes', 'taken', 'parts', 'words'], ...rows]);
console.log(`\n${right} files agree operator by operator, ${wrong} do not`);
process.exit(wrong === 0 && right > 0 ? 0 : 1);
