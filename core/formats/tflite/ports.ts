import type { SignatureView, SubgraphView } from './model-view.ts';

/** One end of the graph: its name for the user and its tensor in the file. */
export interface Port {
  readonly name: string;
  readonly tensor: number;
}

/** Inputs and outputs by the names of the signature; by tensor names where the file has none. */
export function portsOf(
  subgraph: SubgraphView,
  signature: SignatureView | undefined,
): { inputs: Port[]; outputs: Port[] } {
  const named = (indices: readonly number[], maps: readonly Port[] | undefined): Port[] => {
    const taken = new Set<string>();
    return indices.map((tensor, i) => {
      // A tensor can be output twice, under two names.
      const map = maps?.find((entry) => entry.tensor === tensor && !taken.has(entry.name));
      const name = map?.name || subgraph.tensors[tensor].name || `port ${i}`;
      taken.add(name);
      return { name, tensor };
    });
  };
  return {
    inputs: named(subgraph.inputs, signature?.inputs),
    outputs: named(subgraph.outputs, signature?.outputs),
  };
}

/** A name for each tensor: unique, those of the ports first. */
export function uniqueNames(
  subgraph: SubgraphView,
  inputs: readonly Port[],
  outputs: readonly Port[],
): string[] {
  const names = new Array<string | undefined>(subgraph.tensors.length);
  const taken = new Set<string>();
  for (const { name, tensor } of [...inputs, ...outputs]) {
    // A second name of a tensor, or one that an input has, is made by an Identity at the end.
    if (names[tensor] === undefined && !taken.has(name)) names[tensor] = name;
    taken.add(name);
  }
  return subgraph.tensors.map((tensor, i) => {
    const known = names[i];
    if (known !== undefined) return known;
    const wanted = tensor.name || `tensor ${i}`;
    let name = wanted;
    for (let k = 1; taken.has(name); k++) name = `${wanted}_${k}`;
    taken.add(name);
    return name;
  });
}
