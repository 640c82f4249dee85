/** Finds every operator that a model needs and Whittle has no reader for, and every variable that it reads. */
import type { Issue } from '../../contract/errors.ts';
import { complexGraphDefReaders, graphdefReaders } from '../../ops/registry.ts';
import { damaged, type Functions, type Plan } from './plan.ts';
import { dataTypeNames, type NodeDef } from './schema.ts';
import { arrayReaders } from './tensor-arrays.ts';
import { listReaders } from './tensor-lists.ts';

const variables = new Set(['VarHandleOp', 'VariableV2', 'Variable']);

/** Operators that the importer itself takes apart. */
const structural = new Set([
  ...['Const', 'Switch', 'Merge', 'If', 'StatelessIf', 'While', 'StatelessWhile'],
  ...variables,
  ...Object.keys(listReaders),
  ...Object.keys(arrayReaders),
]);

export function isVariable(node: NodeDef): boolean {
  return variables.has(node.op ?? '');
}

export function isLoop({ op }: NodeDef): boolean {
  return op === 'While' || op === 'StatelessWhile';
}

/** The function that an If or a While has under a name. */
export function functionOf(node: NodeDef, key: 'then_branch' | 'else_branch' | 'cond' | 'body'): string {
  const name = node.attr.find((attr) => attr.key === key)?.value?.func?.name;
  if (name) return name;
  throw damaged(`"${node.name}" (${node.op}) has no ${key}.`);
}

/**
 * Every node that is needed, those of called functions and of loops once each. Branches of an If are looked at when one
 * is taken.
 */
function* neededNodes(plan: Plan, functions: Functions, seen = new Set<string>()): Generator<NodeDef> {
  for (const node of plan.order) {
    const callee = functions.calleeOf(node);
    if (callee === undefined) yield node;
    const inner = isLoop(node) ? [functionOf(node, 'cond'), functionOf(node, 'body')] : [callee];
    for (const name of inner) {
      if (name === undefined || seen.has(name)) continue;
      seen.add(name);
      yield* neededNodes(functions.plan(name), functions, seen);
    }
  }
}

export function neededVariables(plan: Plan, functions: Functions): NodeDef[] {
  return [...neededNodes(plan, functions)].filter(isVariable);
}

const reasons: readonly [RegExp, string][] = [
  [/String|Regex|Unicode|Substr|Decode|Tokeniz/, 'Texts (strings) are not processed in the exported model.'],
  [/HashTable|Lookup/, 'Lookup tables are not processed in the exported model.'],
  [/^(Enter|Exit|NextIteration|LoopCond)$/, 'It is part of a loop that is not whole.'],
  [
    /TensorList|TensorArray/,
    'Lists of tensors are read where a loop reads, writes and stacks them by index.',
  ],
  [/Sparse|Ragged/, 'Sparse and ragged tensors are not read.'],
  [
    /NonMaxSuppression|^(Where|Unique(V2)?|BooleanMask)$/,
    'How many results it gives is only found while the model runs: export the model up to what comes before, its raw boxes and scores.',
  ],
  [/Random|Truncated(Normal)?$/, 'Random numbers belong to training.'],
];

/** One issue per operator, with how many nodes use it, their names, and the reason where it is known. */
export function surveyOperators(plan: Plan, functions: Functions): Issue[] {
  const found = new Map<string, NodeDef[]>();
  for (const node of neededNodes(plan, functions)) {
    const op = node.op ?? '';
    if (structural.has(op) || graphdefReaders[op] || complexGraphDefReaders[op]) continue;
    const nodes = found.get(op);
    if (nodes) nodes.push(node);
    else found.set(op, [node]);
  }
  return [...found].map(([op, nodes]) => issueFor(op, nodes));
}

function issueFor(op: string, nodes: readonly NodeDef[]): Issue {
  const names = nodes.slice(0, 3).map(({ name }) => `"${name}"`);
  const more = nodes.length > names.length ? ` and ${nodes.length - names.length} more` : '';
  const type = nodes[0].attr.find(({ key }) => key === 'dtype')?.value?.type;
  const what =
    op === 'Placeholder' ? `${op} (an input of ${dataTypeNames[type ?? 0] ?? 'unknown type'})` : op;
  const reason = reasons.find(([pattern]) => pattern.test(op))?.[1];
  return {
    code: 'model.unsupported-operator',
    severity: 'error',
    op,
    node: nodes[0].name,
    message: `The TensorFlow operator ${what} is not supported; ${nodes.length} ${nodes.length > 1 ? 'nodes use' : 'node uses'} it: ${names.join(', ')}${more}.`,
    ...(reason && { hint: reason }),
  };
}
