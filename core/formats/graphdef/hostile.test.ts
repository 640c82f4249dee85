/** Graphs that are damaged or made to do harm end in an error that says what is wrong. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WhittleError } from '../../contract/errors.ts';
import { mulberry32 } from '../../kernels/random.ts';
import { encode } from '../protobuf/wire.ts';
import { importGraph } from './importer.ts';
import { readGraphDef } from './reader.ts';
import { type AttrValue, type FunctionDef, type GraphDef, graphTable, type NodeDef } from './schema.ts';

const float = { type: 1 };
const placeholder = node('x', 'Placeholder', [], {
  dtype: float,
  shape: { shape: { dim: [{ size: 1 }, { size: 4 }] } },
});

function node(name: string, op: string, input: string[], attrs: Record<string, AttrValue> = {}): NodeDef {
  return { name, op, input, attr: Object.entries(attrs).map(([key, value]) => ({ key, value })) };
}

/** A function of one argument x and one result y. */
function fn(name: string, nodeDef: NodeDef[], returned: string): FunctionDef {
  return {
    signature: { name, inputArg: [{ name: 'x', type: 1 }], outputArg: [{ name: 'y', type: 1 }] },
    nodeDef,
    ret: [{ key: 'y', value: returned }],
  };
}

function call(name: string, callee: string, input: string): NodeDef {
  return node(name, 'PartitionedCall', [input], { f: { func: { name: callee } } });
}

function problems(nodes: NodeDef[], functions: FunctionDef[] = [], output = 'y'): string[] {
  const graph: GraphDef = { node: [placeholder, ...nodes], library: { function: functions } };
  const model = {
    name: 'model',
    graph,
    inputs: [{ name: 'x', tensor: 'x:0', type: 1, shape: { dim: [{ size: 1 }, { size: 4 }] } }],
    outputs: [{ name: output, tensor: `${output}:0` }],
    source: { format: 'graphdef' } as const,
  };
  try {
    return importGraph(model, {}).issues.map(({ message }) => message);
  } catch (error) {
    if (error instanceof WhittleError) return [error.message];
    throw error;
  }
}

const doubling = Array.from({ length: 40 }, (_, i) =>
  fn(
    `f${i}`,
    i === 0
      ? [node('r', 'Relu', ['x'])]
      : [call('a', `f${i - 1}`, 'x'), call('b', `f${i - 1}`, 'a:output:0')],
    i === 0 ? 'r:activations:0' : 'b:output:0',
  ),
);

const tensor = (dims: number[], bytes: number): AttrValue => ({
  tensor: {
    dtype: 1,
    tensorShape: { dim: dims.map((size) => ({ size })) },
    tensorContent: new Uint8Array(bytes),
    stringVal: [],
  },
});

function loop(name: string, cond: string, body: string, input: string): NodeDef {
  return node(name, 'StatelessWhile', [input], {
    cond: { func: { name: cond } },
    body: { func: { name: body } },
  });
}

const yes: AttrValue = {
  tensor: { dtype: 10, tensorShape: { dim: [] }, boolVal: [1n], intVal: [1n], stringVal: [] },
};

const rows: [string, NodeDef[], FunctionDef[], RegExp][] = [
  ['a node that is not there', [node('y', 'Relu', ['gone'])], [], /"y" reads "gone", which is not in model/],
  ['an output that is not there', [node('z', 'Relu', ['x'])], [], /reads "y:0", which is not in model/],
  ['a loop', [node('a', 'Relu', ['y']), node('y', 'Relu', ['a'])], [], /reads its own result/],
  [
    'two nodes of one name',
    [node('y', 'Relu', ['x']), node('y', 'Relu', ['x'])],
    [],
    /Two nodes of model are named "y"/,
  ],
  [
    'a function that is not there',
    [call('y', 'f', 'x')],
    [],
    /calls the function "f", which is not in the file/,
  ],
  [
    'a function that calls itself',
    [call('y', 'f', 'x')],
    [fn('f', [call('a', 'g', 'x')], 'a:output:0'), fn('g', [call('b', 'f', 'x')], 'b:output:0')],
    /The function f calls itself/,
  ],
  [
    'a loop whose end is found while the model runs',
    [loop('y', 'below', 'f0', 'x')],
    [...doubling, fn('below', [node('l', 'Less', ['x', 'x'])], 'l:z:0')],
    /StatelessWhile "y": how often this loop runs is only found/,
  ],
  [
    'a loop without end',
    [loop('y', 'always', 'f0', 'x')],
    [...doubling, fn('always', [node('c', 'Const', [], { value: yes })], 'c:output:0')],
    /more than 200000 nodes/,
  ],
  [
    'a loop in itself',
    [loop('y', 'g', 'g', 'x')],
    [fn('g', [loop('a', 'g', 'g', 'x')], 'a:output:0')],
    /more than 200 deep/,
  ],
  [
    'a loop of TensorFlow 1 that no turn goes back in',
    [
      node('in', 'Enter', ['x'], { frame_name: { s: new TextEncoder().encode('f') } }),
      node('m', 'Merge', ['in', 's:1']),
      node('end', 'LoopCond', ['m']),
      node('s', 'Switch', ['m', 'end']),
      node('y', 'Exit', ['s']),
    ],
    [],
    /"end" has a Switch "s" that is none of its states/,
  ],
  [
    'a loop of TensorFlow 1 in itself',
    [
      node('in', 'Enter', ['y'], { frame_name: { s: new TextEncoder().encode('f') } }),
      node('m', 'Merge', ['in', 'next']),
      node('end', 'LoopCond', ['y']),
      node('s', 'Switch', ['m', 'end']),
      node('next', 'NextIteration', ['s:1']),
      node('y', 'Exit', ['s']),
    ],
    [],
    /"end" stands within itself/,
  ],
  ['an Exit of no loop', [node('y', 'Exit', ['x'])], [], /operator Exit is not supported/],
  [
    'a loop without a body',
    [loop('y', 'f0', 'none', 'x')],
    doubling,
    /function "none", which is not in the file/,
  ],
  [
    'a list read beyond its end',
    [
      node('l', 'TensorListFromTensor', ['x', 'x']),
      node('i', 'Const', [], { value: { ...yes, tensor: { ...yes.tensor!, dtype: 3 } } }),
      node('y', 'TensorListGetItem', ['l', 'i', 'i']),
    ],
    [],
    /it reads tensor 1 of a list of 1/,
  ],
  [
    'a list read as a tensor',
    [node('l', 'TensorListFromTensor', ['x', 'x']), node('y', 'Relu', ['l'])],
    [],
    /reads a list of tensors as one tensor/,
  ],
  ['functions that multiply without bound', [call('y', 'f39', 'x')], doubling, /more than 200000 nodes/],
  [
    'a constant that is too short',
    [node('c', 'Const', [], { value: tensor([1, 4], 8) }), node('y', 'AddV2', ['x', 'c'])],
    [],
    /"c" of type float32 and shape \[1, 4\] needs 16 bytes; the file has 8/,
  ],
  [
    'a constant of a negative size',
    [node('c', 'Const', [], { value: tensor([-4], 8) }), node('y', 'AddV2', ['x', 'c'])],
    [],
    /impossible shape \[-4\]/,
  ],
  [
    'a constant blown up from nothing',
    [node('c', 'Const', [], { value: tensor([1e6, 1e6], 0) }), node('y', 'AddV2', ['x', 'c'])],
    [],
    /repeats one value 1000000000000 times/,
  ],
  [
    'a constant without a value',
    [node('c', 'Const', []), node('y', 'AddV2', ['x', 'c'])],
    [],
    /"c" has no value/,
  ],
  [
    'a variable in a frozen graph',
    [node('v', 'VarHandleOp', []), node('y', 'ReadVariableOp', ['v'])],
    [],
    /variable "v" are not in the model/,
  ],
  ['a missing input', [node('y', 'AddV2', ['x'])], [], /AddV2 "y": its input 1 is missing/],
  [
    'shapes that do not fit',
    [node('c', 'Const', [], { value: tensor([3], 12) }), node('y', 'AddV2', ['x', 'c'])],
    [],
    /do not broadcast/,
  ],
  [
    'an unknown attribute',
    [node('y', 'Relu', ['x'], { slope: { f: 0.5 } })],
    [],
    /the attribute slope is not known/,
  ],
  [
    'training',
    [node('y', 'FusedBatchNormV3', ['x', 'x', 'x', 'x', 'x'], { is_training: { b: 1 } })],
    [],
    /normalizes by the batch itself/,
  ],
];

describe('a damaged or hostile graph is refused:', () => {
  it.each(rows)('%s', (_, nodes, functions, message) => {
    const found = problems(nodes, functions);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(message);
  });

  it('all operators that are not read, at once and with their nodes', () => {
    const found = problems([
      node('s', 'AsString', ['x']),
      node('h', 'StringToHashBucketFast', ['s']),
      node('t', 'LookupTableFindV2', ['h']),
      node('y', 'AddV2', ['t', 'x']),
    ]);
    expect(found).toHaveLength(3);
    for (const op of ['AsString', 'StringToHashBucketFast', 'LookupTableFindV2']) {
      expect(
        found.some((message) => message.includes(`operator ${op} is not supported; 1 node uses it: "`)),
      ).toBe(true);
    }
  });

  it('what no output needs is not looked at', () => {
    expect(problems([node('s', 'AsString', ['x']), node('y', 'Relu', ['x', '^s'])])).toEqual([]);
  });
});

describe('a frozen graph file', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'whittle-graphdef-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const read = async (bytes: Uint8Array) => {
    const path = join(folder, 'model.pb');
    await writeFile(path, bytes);
    return readGraphDef(path, {});
  };

  it('has its placeholders as inputs and what nothing reads as outputs', async () => {
    const unused = node('unused', 'Placeholder', [], { dtype: float });
    const nodes = [placeholder, unused, node('a', 'Relu', ['x']), node('b', 'Tanh', ['x'])];
    const { graph, issues } = await read(encode<GraphDef>({ node: nodes }, graphTable));
    expect(issues).toEqual([]);
    expect([graph?.inputs, graph?.outputs]).toEqual([['x'], ['a', 'b']]);
  });

  it('asks for shapes that it leaves open', async () => {
    const open = node('x', 'Placeholder', [], {
      dtype: float,
      shape: { shape: { dim: [{ size: -1 }, { size: -1 }] } },
    });
    const { graph, issues } = await read(
      encode<GraphDef>({ node: [open, node('y', 'Relu', ['x'])] }, graphTable),
    );
    expect(graph).toBeUndefined();
    expect(issues[0]).toMatchObject({
      code: 'model.dynamic-dims',
      message: expect.stringContaining('"x" [1, ?]'),
    });
  });

  it('cut off or changed anywhere ends in an error, or in a graph', async () => {
    const whole = new Uint8Array(readFileSync(fileURLToPath(new URL('fixtures/cnn.pb', import.meta.url))));
    const next = mulberry32(3);
    for (let i = 0; i < 120; i++) {
      const bytes = whole.slice(0, i % 2 ? whole.length : Math.floor(next() * whole.length));
      for (let k = 0; k < 4 && i % 2; k++)
        bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256);
      const result = await read(bytes).catch((error: unknown) => error);
      if (result instanceof Error) expect(result).toBeInstanceOf(WhittleError);
      else expect(result).toHaveProperty('issues');
    }
  });
});
