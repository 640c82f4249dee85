/** Finds a variable's values in the checkpoint: what the model's own restore operation would put into it. */
import type { GraphDef, NodeDef } from '../graphdef/schema.ts';
import { isVariable } from '../graphdef/survey.ts';

const handOn = new Set(['Identity', 'Cast', 'NoOp']);
const assigns = new Set(['AssignVariableOp', 'Assign']);
const utf8 = new TextDecoder();

/** A level of the graph: the nodes by name and, within a function, what its arguments are. */
interface Level {
  readonly nodes: ReadonlyMap<string, NodeDef>;
  argument(name: string): NodeDef | undefined;
}

/**
 * Keys in the checkpoint by the variable's node. Restoring assigns the outputs of RestoreV2, whose names are a
 * constant, to the variables; newer files do so in a function that gets the variables as arguments.
 */
export function checkpointKeys(graph: GraphDef): Map<NodeDef, string> {
  const keys = new Map<NodeDef, string>();
  const top: Level = {
    nodes: new Map(graph.node.map((node) => [node.name ?? '', node])),
    argument: () => undefined,
  };
  collect(top, graph.node, keys);
  const functions = new Map(
    (graph.library?.function ?? []).map((definition) => [definition.signature?.name ?? '', definition]),
  );
  for (const node of graph.node) {
    const called = node.attr.find(({ key }) => key === 'f')?.value?.func?.name;
    const definition = called === undefined ? undefined : functions.get(called);
    if (!definition?.nodeDef.some(({ op }) => op === 'RestoreV2')) continue;
    const data = node.input.filter((input) => !input.startsWith('^'));
    const places = new Map((definition.signature?.inputArg ?? []).map((arg, i) => [arg.name ?? '', i]));
    const level: Level = {
      nodes: new Map(definition.nodeDef.map((inner) => [inner.name ?? '', inner])),
      argument: (name) => top.nodes.get(nodeOf(data[places.get(name) ?? -1] ?? '')),
    };
    collect(level, definition.nodeDef, keys);
  }
  return keys;
}

function nodeOf(reference: string): string {
  return reference.split(':')[0];
}

function collect(level: Level, nodes: readonly NodeDef[], keys: Map<NodeDef, string>): void {
  for (const node of nodes) {
    if (!assigns.has(node.op ?? '') || node.input.length < 2) continue;
    const variable = level.argument(nodeOf(node.input[0])) ?? level.nodes.get(nodeOf(node.input[0]));
    const key = restoredKey(level, node.input[1]);
    if (variable && isVariable(variable) && key !== undefined && !keys.has(variable)) keys.set(variable, key);
  }
}

/** The name under which a value is restored, if it is an output of RestoreV2. */
function restoredKey(level: Level, reference: string): string | undefined {
  let at = reference;
  for (let steps = 0; steps < 8; steps++) {
    const node = level.nodes.get(nodeOf(at));
    if (!node) return undefined;
    if (node.op === 'RestoreV2') {
      const index = Number(at.split(':').at(at.includes(':') ? -1 : 1) ?? 0);
      const names = level.nodes.get(nodeOf(node.input[1] ?? ''));
      const list = names?.attr.find(({ key }) => key === 'value')?.value?.tensor?.stringVal ?? [];
      const text = list[Number.isInteger(index) ? index : 0];
      return text && utf8.decode(text);
    }
    if (!handOn.has(node.op ?? '') || !node.input[0]) return undefined;
    at = node.input[0];
  }
  return undefined;
}

/** The name that TensorFlow 1 gives a variable in the checkpoint: that of the variable itself. */
export function sharedName(node: NodeDef): string {
  const text = node.attr.find(({ key }) => key === 'shared_name')?.value?.s;
  return (text && utf8.decode(text)) || (node.name ?? '');
}
