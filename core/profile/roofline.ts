import type { PerOp, RooflineView } from '../contract/views.ts';
import { writeOnnx } from '../formats/onnx/writer.ts';
import { writeTflite } from '../formats/tflite/writer.ts';
import { GraphBuilder } from '../ir/builder.ts';
import type { Engine, OpenOptions } from '../ir/engine.ts';
import type { Graph } from '../ir/graph.ts';
import { floatTensor, int64Tensor, tensorOf } from '../ir/tensor.ts';
import { inferTypes } from '../ops/registry.ts';
import { randomFeeds } from './feeds.ts';

/** Rows, columns and depth of the matrix product: large enough to be limited by arithmetic alone. */
const product = { rows: 384, columns: 512, depth: 1024 };
/** Elements of the tensor that is moved: 32 MB, which no cache of a desktop holds together with its copy. */
const moved = 2 ** 23;
const movers = ['Neg', 'Abs', 'Neg', 'Abs'];
/** Read and written by those, and read once more. */
const movedBytes = (2 * movers.length + 1) * 4 * moved;
/** Each peak is the best of the runs that fit in this time, of two at least. */
const budgetMs = 150;

const known = new Map<string, Promise<RooflineView>>();

/**
 * What this machine can do at best through an engine: a large matrix product and a large elementwise operator, run as
 * any model is. Measured once for each engine, device and number of threads in the life of the process.
 * @throws WhittleError what opening and running throw
 */
export function measureRoofline(engine: Engine, options: OpenOptions): Promise<RooflineView> {
  const key = JSON.stringify([engine.id, options.device, options.threads]);
  let view = known.get(key);
  if (!view) {
    view = measure(engine, options);
    known.set(key, view);
    view.catch(() => known.delete(key));
  }
  return view;
}

async function measure(engine: Engine, { device, threads }: OpenOptions): Promise<RooflineView> {
  const write = (graph: Graph) => (engine.format === 'tflite' ? writeTflite(graph).bytes : writeOnnx(graph));
  const bestMs = async (graph: Graph): Promise<number> => {
    const session = await engine.open(write(graph), { device, threads });
    try {
      const feeds = randomFeeds(session.inputs);
      let best = Math.min(...(await session.time(feeds, 3)).subarray(1));
      const more = Math.min(200, Math.floor(budgetMs / best));
      if (more > 0) best = Math.min(best, ...(await session.time(feeds, more)));
      return best;
    } finally {
      await session.close();
    }
  };
  const operations = 2 * product.rows * product.columns * product.depth;
  const floatMs = await bestMs(floatProduct());
  const integerMs =
    engine.format === 'tflite' && device !== 'gpu' ? await bestMs(integerProduct()) : undefined;
  const movedMs = await bestMs(elementwise());
  return {
    gflopPerS: operations / floatMs / 1e6,
    ...(integerMs !== undefined && { int8GopPerS: operations / integerMs / 1e6 }),
    gbPerS: movedBytes / movedMs / 1e6,
    how: `Best of ${budgetMs} ms each through the same runtime: a product of ${product.rows}×${product.depth} and ${product.depth}×${product.columns} matrices; elementwise operators on ${moved / 2 ** 20} Mi floats.`,
  };
}

function floatProduct(): Graph {
  const { rows, columns, depth } = product;
  const builder = new GraphBuilder('product', inferTypes);
  const x = builder.input('x', { dtype: 'float32', shape: [rows, depth] });
  const weights = Float32Array.from({ length: columns * depth }, (_, i) => ((i * 7919) % 255) / 127 - 1);
  const y = builder.one(
    'FullyConnected',
    [x, builder.constant('w', floatTensor([columns, depth], weights)), null],
    { activation: 'none' },
  );
  return builder.finish([y.id], { format: 'onnx', opset: 17 });
}

function integerProduct(): Graph {
  const { rows, columns, depth } = product;
  const builder = new GraphBuilder('product', inferTypes);
  const quant = { scales: [1 / 128], zeroPoints: [0] };
  const x = builder.input('x', { dtype: 'int8', shape: [rows, depth] }, quant);
  const weights = Int8Array.from({ length: columns * depth }, (_, i) => ((i * 7919) % 255) - 127);
  const y = builder.one(
    'FullyConnected',
    [x, builder.constant('w', tensorOf('int8', [columns, depth], weights), quant), null],
    { activation: 'none' },
    { types: [{ dtype: 'int8', shape: [rows, columns] }] },
  );
  builder.quantize(y.id, y.type, { scales: [depth / 128], zeroPoints: [0] });
  return builder.finish([y.id], { format: 'onnx', opset: 17 });
}

/** Elementwise operators in a row, and a small result: handing out a large one costs some engines more than making it. */
function elementwise(): Graph {
  const builder = new GraphBuilder('moved', inferTypes);
  let x = builder.input('x', { dtype: 'float32', shape: [1, moved] });
  for (const op of movers) x = builder.one(op, [x]);
  const axes = builder.constant('axes', int64Tensor([1], [1]));
  const y = builder.one('ReduceMax', [x, axes], { keepDims: true });
  return builder.finish([y.id], { format: 'onnx', opset: 17 });
}

/**
 * How near an operator comes to what the machine allows at its arithmetic intensity (the roofline model: Williams,
 * Waterman and Patterson, 2009).
 * @param isInteger whether it computes in 8 bits
 */
export function belowRoof(
  { ms, macs = 0, bytes = 0 }: Pick<PerOp, 'ms' | 'macs' | 'bytes'>,
  { gflopPerS, int8GopPerS, gbPerS }: RooflineView,
  isInteger: boolean,
): Pick<PerOp, 'bound' | 'ofRoof'> {
  if (!(ms > 0) || bytes <= 0) return {};
  const peak = isInteger ? (int8GopPerS ?? gflopPerS) : gflopPerS;
  const computeMs = (2 * macs) / peak / 1e6;
  const memoryMs = bytes / gbPerS / 1e6;
  return {
    bound: computeMs >= memoryMs ? 'compute' : 'memory',
    ofRoof: Math.max(computeMs, memoryMs) / ms,
  };
}
