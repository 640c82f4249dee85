import type { Graph, Node, Value, ValueId } from '../ir/graph.ts';

/**
 * Gives the graph's outputs the names of the model's output layers. A value that cannot take the name (it is an
 * input, or an output under another name already) is passed through an Identity.
 */
export function renameOutputs(graph: Graph, wanted: readonly string[]): Graph {
  const names = wanted.map((name, i) => (wanted.indexOf(name) === i ? name : `${name}:${i}`));
  const inner = new Set(graph.outputs);
  const renames = new Map<ValueId, ValueId>();
  const extra: Node[] = [];
  const extraValues: Value[] = [];
  const taken = new Set<ValueId>();
  const outputs = names.map((name, i) => {
    const id = graph.outputs[i];
    const value = graph.values.get(id)!;
    const isFixed = graph.inputs.includes(id) || value.constant !== undefined;
    if (!isFixed && !renames.has(id)) {
      renames.set(id, name);
      taken.add(name);
      return name;
    }
    const free = graph.inputs.includes(name) ? `${name}:output` : name;
    taken.add(free);
    extra.push({ id: `${name}/output`, op: 'Identity', inputs: [id], outputs: [free], attrs: {} });
    extraValues.push({ id: free, type: value.type });
    return free;
  });
  if (extra.length === 0 && names.every((name, i) => name === graph.outputs[i])) return graph;

  // An inner value that stands in the way of an output's name steps aside.
  for (const id of graph.values.keys()) {
    if (!taken.has(id) || inner.has(id) || graph.inputs.includes(id)) continue;
    let free = `${id}/inner`;
    while (graph.values.has(free) || taken.has(free)) free = `${free}_`;
    renames.set(id, free);
  }
  const renamed = <T extends ValueId | null>(id: T) => (id === null ? id : ((renames.get(id) ?? id) as T));
  return {
    ...graph,
    outputs,
    values: new Map(
      [...graph.values.values()]
        .map((value) => ({ ...value, id: renamed(value.id) }))
        .concat(extraValues)
        .map((value) => [value.id, value]),
    ),
    nodes: [
      ...graph.nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map(renamed),
        outputs: node.outputs.map(renamed),
      })),
      ...extra.map((node) => ({ ...node, inputs: node.inputs.map(renamed) })),
    ],
  };
}
