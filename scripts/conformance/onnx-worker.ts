/** Worker of `npm run conformance:onnx`: one node test through ONNX → IR → ONNX and through .tflite. */
import { WhittleError } from '../../core/contract/errors.ts';
import { importModel } from '../../core/formats/onnx/importer.ts';
import { writeOnnx } from '../../core/formats/onnx/writer.ts';
import { writeTflite } from '../../core/formats/tflite/writer.ts';
import type { Engine } from '../../core/ir/engine.ts';
import type { Graph } from '../../core/ir/graph.ts';
import { prepareForOnnx, prepareForTflite } from '../../core/passes/pipeline.ts';
import { createEngines } from '../../core/runtime/engines.ts';
import { difference } from './compare.ts';
import { serveCases } from './isolate.ts';
import { frozen, type OnnxCase, readOnnxCase } from './onnx-case.ts';

const tolerance = { rtol: 1e-3, atol: 1e-5 };
const engines = createEngines();

export type Status = 'matched' | 'refused' | 'wrong' | 'failed';

export interface PathResult {
  readonly status: Status;
  /** Why it was refused, what the runtime said, or which output differs. */
  readonly words: string;
  /** Inputs from this one on were frozen. */
  readonly frozenFrom: number;
}

/** `source` is the test's own model in onnxruntime, which is what the other two are to match. */
export type Path = 'source' | 'onnx' | 'tflite';

export interface OnnxJob {
  readonly folder: string;
  readonly path: Path;
}

function read(testCase: OnnxCase, from: number): Graph {
  const shapes = Object.fromEntries(
    testCase.inputs.slice(0, from).map(({ name, tensor }) => [name, tensor.shape]),
  );
  const { graph, issues } = importModel(frozen(testCase, from), 'test', { shapes });
  const errors = issues.filter(({ severity }) => severity === 'error');
  if (errors.length > 0 || !graph)
    throw new WhittleError('model.invalid', errors[0]?.message ?? 'there is no graph', { issues: errors });
  return graph;
}

async function runIn(engine: Engine, bytes: Uint8Array, testCase: OnnxCase): Promise<string | undefined> {
  const session = await engine.open(bytes);
  try {
    const feeds = Object.fromEntries(
      session.inputs.map(({ name }) => [name, testCase.inputs.find((input) => input.name === name)!.tensor]),
    );
    const results = await session.run(feeds);
    for (const [name, expected] of Object.entries(testCase.outputs)) {
      if (name === '') continue;
      const words = difference(expected, results[name], tolerance);
      if (words) return `output "${name}": ${words}`;
    }
    return undefined;
  } finally {
    await session.close();
  }
}

async function attempt(
  testCase: OnnxCase,
  from: number,
  write: (graph: Graph) => Uint8Array,
  engine: Engine,
): Promise<PathResult> {
  const result = (status: Status, words: string) => ({ status, words, frozenFrom: from });
  let bytes: Uint8Array;
  try {
    bytes = write(read(testCase, from));
  } catch (error) {
    if (error instanceof WhittleError && error.code !== 'internal') return result('refused', error.message);
    return result('failed', error instanceof Error ? `${error.stack}` : String(error));
  }
  try {
    const words = await runIn(engine, bytes, testCase);
    return words ? result('wrong', words) : result('matched', '');
  } catch (error) {
    return result('failed', error instanceof Error ? error.message : String(error));
  }
}

const toOnnx = (graph: Graph) => writeOnnx(prepareForOnnx(graph).graph);
const toTflite = (graph: Graph) => writeTflite(prepareForTflite(graph, { layout: 'keep' }).graph).bytes;

/** As the test stands, and with all inputs but the first frozen where that is refused. */
async function throughOnnx(testCase: OnnxCase): Promise<PathResult> {
  const whole = await attempt(testCase, testCase.inputs.length, toOnnx, engines.ort);
  if (whole.status !== 'refused' || testCase.inputs.length < 2) return whole;
  return attempt(testCase, 1, toOnnx, engines.ort);
}

serveCases<OnnxJob, PathResult>(async ({ folder, path }) => {
  const testCase = readOnnxCase(folder);
  if (path === 'tflite') return attempt(testCase, 1, toTflite, engines.litert);
  if (path === 'onnx') return throughOnnx(testCase);
  const words = await runIn(engines.ort, testCase.bytes, testCase);
  return { status: words ? 'wrong' : 'matched', words: words ?? '', frozenFrom: testCase.inputs.length };
});
