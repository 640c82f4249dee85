// `npm run docs:support`: writes docs/support.md, which operators go in and out of which format at which precision.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { callSites } from '../../core/formats/tflite/control-flow.ts';
import { isUnsupported, type OpDefinition } from '../../core/ops/facets.ts';
import {
  complexGraphDefReaders,
  complexTfliteReaders,
  definitions,
  graphdefReaders,
  kerasReaders,
  onnxReaders,
  tfliteReaders,
  tfliteWriters,
} from '../../core/ops/registry.ts';

export const supportFile = fileURLToPath(new URL('../../docs/support.md', import.meta.url));

const yes = '✓';
const no = '–';

function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function operatorRow(name: string, definition: OpDefinition, notes: string[]): string {
  const writer = tfliteWriters[name];
  const refusal = writer && isUnsupported(writer) ? writer.unsupported : undefined;
  if (refusal) notes.push(`- \`${name}\`: ${refusal}.`);
  const integers = definition.quant?.tflite;
  const cells = [
    `\`${name}\``,
    definition.summary.replaceAll('|', '\\|'),
    yes,
    refusal ? no : yes,
    refusal ? no : yes,
    integers?.dynamicInt8 ? yes : no,
    integers?.int8 ? yes : no,
    integers?.int16x8 ? yes : no,
  ];
  return `| ${cells.join(' | ')} |`;
}

function versions(readers: Readonly<Record<number, unknown>>): string {
  return Object.keys(readers)
    .map(Number)
    .sort((a, b) => a - b)
    .join(', ');
}

function list(names: readonly string[]): string {
  return [...new Set(names)]
    .sort(byName)
    .map((name) => `\`${name}\``)
    .join(', ');
}

/** The whole page, from the registry alone. */
export function supportPage(): string {
  const notes: string[] = [];
  const operators = Object.entries(definitions as unknown as Record<string, OpDefinition>)
    .sort(([a], [b]) => byName(a, b))
    .map(([name, definition]) => operatorRow(name, definition, notes));
  const layers = Object.keys(kerasReaders);
  const functions = layers.filter((name) => /^(ops|tf)\./.test(name));
  const onnx = Object.keys(onnxReaders).sort(byName);
  const tfliteRead = [tfliteReaders, complexTfliteReaders, callSites].flatMap((readers) =>
    Object.keys(readers),
  );
  const graphdefRead = [graphdefReaders, complexGraphDefReaders].flatMap((readers) => Object.keys(readers));
  return `# What Whittle reads and writes

This page is written by \`npm run docs:support\` from the registry of operators (\`core/ops/registry.ts\`); a test fails
when it is stale. \`whittle inspect\` gives the same verdict for one model before any work.

## Operators: what is written

Each source is read into these operators, and each of them is written to ONNX (opset 13 and newer) and, where nothing
else is said, to TFLite. An operator without an integer form stays in float32 inside of an integer model. A file can
still be refused for an option of an operator that the target cannot say exactly; the refusal names it.

| Operator | Meaning | ONNX | TFLite float32 | float16 weights | dynamic int8 | int8 | int16 × 8 |
|---|---|---|---|---|---|---|---|
${operators.join('\n')}
${notes.length ? `\nNot written to TFLite:\n\n${notes.join('\n')}\n` : ''}
## ONNX: what is read (${onnx.length} operators, \`If\` where both branches can be computed, \`Loop\` where its end is known, and a model's own functions)

The numbers are the opsets at which a form of the operator began. Every other operator, of any domain, and every option
that a reader does not take, passes through from ONNX to ONNX as it is: it runs in float, a warning names it, and TFLite
is refused with the cause. So does a whole model of an older opset.

| Operator | Since opset |
|---|---|
${onnx.map((name) => `| \`${name}\` | ${versions(onnxReaders[name])} |`).join('\n')}

## Keras: what is read

${layers.length - functions.length} layers: ${list(layers.filter((name) => !functions.includes(name)))}.

${functions.length} functions of \`keras.ops\` and of TensorFlow in a functional model: ${list(functions)}.

## TensorFlow SavedModel, frozen graphs and TF.js graph models: what is read

${new Set(graphdefRead).size} operators: ${list(graphdefRead)}. Complex numbers are read as their two parts.

## TFLite: what is read

${new Set(tfliteRead).size} builtin operators: ${list(tfliteRead)}. WHILE is written out where the number of turns is known; IF and sparse constants (DENSIFY) are read too.
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(dirname(supportFile), { recursive: true });
  writeFileSync(supportFile, supportPage());
  console.log(`Wrote ${supportFile}`);
}
