import type { MemoryView } from '../contract/views.ts';
import type { SubgraphView } from '../formats/tflite/model-view.ts';
import { byteLength } from '../ir/dtype.ts';
import type { Graph } from '../ir/graph.ts';
import { isOther } from '../ir/opaque.ts';
import { elementCount } from '../ir/tensor.ts';
import { type Lifetime, planArena } from './memory-plan.ts';
import { tensorBytes } from './tflite-costs.ts';

const largestShown = 8;

/** Memory of a .tflite file: its weights, and the arena that its tensors need. An estimate: nothing is run. */
export function tfliteMemory(subgraph: SubgraphView): MemoryView {
  const lives = lifetimes(
    subgraph.operators.map(({ inputs, outputs }) => ({ inputs: inputs.filter((i) => i >= 0), outputs })),
    subgraph.inputs,
    subgraph.outputs,
  );
  const moving = [...lives].flatMap(([index, [first, last]]) => {
    const tensor = subgraph.tensors[index];
    return tensor.data ? [] : [{ name: tensor.name, bytes: tensorBytes(tensor), first, last }];
  });
  const weights = subgraph.tensors.reduce((sum, { data }) => sum + (data?.byteLength ?? 0), 0);
  return summarize(moving, weights);
}

/** The same of a graph with known shapes. Undefined where one is open. */
export function graphMemory(graph: Graph): MemoryView | undefined {
  const lives = lifetimes(
    graph.nodes.map(({ inputs, outputs }) => ({ inputs: inputs.filter((id) => id !== null), outputs })),
    graph.inputs,
    graph.outputs,
  );
  const moving: Lifetime[] = [];
  let weights = 0;
  for (const [id, { type, constant }] of graph.values) {
    const isOpen = isOther(type) || type.shape.some((dim) => typeof dim === 'string');
    if (isOpen) return undefined;
    const bytes = type.dtype === 'string' ? 0 : byteLength(type.dtype, elementCount(type.shape as number[]));
    const life = lives.get(id);
    if (constant) weights += bytes;
    else if (life) moving.push({ name: id, bytes, first: life[0], last: life[1] });
  }
  return summarize(moving, weights);
}

function lifetimes<Id>(
  nodes: readonly { readonly inputs: readonly Id[]; readonly outputs: readonly Id[] }[],
  inputs: readonly Id[],
  outputs: readonly Id[],
): Map<Id, [first: number, last: number]> {
  const lives = new Map<Id, [number, number]>();
  const touch = (id: Id, at: number): void => {
    const life = lives.get(id);
    lives.set(id, life ? [Math.min(life[0], at), Math.max(life[1], at)] : [at, at]);
  };
  for (const id of inputs) touch(id, 0);
  nodes.forEach((node, at) => {
    for (const id of [...node.inputs, ...node.outputs]) touch(id, at);
  });
  for (const id of outputs) touch(id, nodes.length);
  return lives;
}

function summarize(tensors: readonly Lifetime[], weightsBytes: number): MemoryView {
  const { bytes } = planArena(tensors);
  return {
    weightsBytes,
    arenaBytes: bytes,
    largestTensors: [...tensors]
      .sort((a, b) => b.bytes - a.bytes)
      .slice(0, largestShown)
      .map(({ name, bytes: size }) => ({ name, bytes: size })),
    // A phone maps the weights from the file and holds them once more, packed for its kernels.
    phoneEstimateBytes: 2 * weightsBytes + bytes,
  };
}
