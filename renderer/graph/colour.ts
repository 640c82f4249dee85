import type { ArtifactDetail, GraphView, ProfileView, TargetView } from '../../core/contract/views.ts';
import { operatorsBecome } from '../state/overrides.ts';
import { formatCount, formatDecibels, formatMilliseconds } from '../ui/format.ts';

/** What the boxes are coloured by. */
export interface Colouring {
  /** How strong a box is drawn, 0…1, from the nodes in it; undefined where nothing is known. */
  strength(nodes: readonly number[]): number | undefined;
  /** The same in words, for the box itself: nothing is told by colour alone. */
  text(nodes: readonly number[]): string | undefined;
  /** What strong and weak mean. */
  legend: string;
}

function bySum(
  values: readonly (number | undefined)[],
  write: (sum: number) => string,
  legend: string,
): Colouring {
  const largest = Math.max(...values.map((value) => value ?? 0), 0);
  const sum = (nodes: readonly number[]): number | undefined => {
    const known = nodes.flatMap((node) => values[node] ?? []);
    return known.length > 0 ? known.reduce((total, value) => total + value, 0) : undefined;
  };
  return {
    // The root keeps the many small ones apart that a linear scale would leave all white.
    strength: (nodes) => {
      const total = sum(nodes);
      return total === undefined || largest === 0 ? undefined : Math.sqrt(Math.min(1, total / largest));
    },
    text: (nodes) => {
      const total = sum(nodes);
      return total === undefined || total === 0 ? undefined : write(total);
    },
    legend,
  };
}

export function byParameters(graph: GraphView): Colouring {
  return bySum(
    graph.nodes.map(({ parameters }) => parameters),
    (sum) => `${formatCount(sum)} parameters`,
    'Darker: more parameters',
  );
}

export function byMacs(graph: GraphView): Colouring {
  return bySum(
    graph.nodes.map(({ macs }) => macs),
    (sum) => `${formatCount(sum)} MACs`,
    'Darker: more multiply-adds',
  );
}

/** What is known of each node, from a list that names operators by their results. */
function byNode<T extends { name: string }>(graph: GraphView, list: readonly T[]): (T | undefined)[] {
  const known = new Map(list.map((one) => [one.name, one]));
  return graph.nodes.map(({ id, outputs }) => {
    const result = outputs?.find((output) => known.has(output));
    return known.get(result ?? id);
  });
}

/** By the time of each operator in a measured profile; operators are matched by name. */
export function byTime(graph: GraphView, profile: ProfileView): Colouring {
  return bySum(
    byNode(graph, profile.perOp ?? []).map((one) => one?.ms),
    formatMilliseconds,
    'Darker: more time',
  );
}

/** Quality below which an operator is drawn at full strength, and above which it is drawn blank. */
const worstDb = 10;
const bestDb = 60;

/** By the quality of each operator's output against the source; a group shows its worst. */
export function byError(graph: GraphView, detail: ArtifactDetail): Colouring {
  const known = byNode(graph, detail.operators).map((one) => one?.sqnrDb);
  const worst = (nodes: readonly number[]): number | null | undefined => {
    const all = nodes.flatMap((node) => {
      const db = known[node];
      return db === undefined ? [] : [db ?? Number.POSITIVE_INFINITY];
    });
    if (all.length === 0) return undefined;
    const lowest = Math.min(...all);
    return lowest === Number.POSITIVE_INFINITY ? null : lowest;
  };
  return {
    strength: (nodes) => {
      const db = worst(nodes);
      if (db === undefined) return undefined;
      return db === null ? 0 : Math.min(1, Math.max(0, (bestDb - db) / (bestDb - worstDb)));
    },
    text: (nodes) => {
      const db = worst(nodes);
      return db === undefined ? undefined : formatDecibels(db);
    },
    legend: 'Darker: lower quality (SQNR)',
  };
}

/** By what a target takes: an operator of the source is taken when the one that it becomes is. */
export function byTarget(graph: GraphView, { name, parts = [] }: TargetView): Colouring {
  const operators = parts.flatMap((part) =>
    part.nodes.map((result) => ({ name: result, taken: part.taken })),
  );
  const fate = operatorsBecome(graph, operators).map((operator) => operator?.taken);
  const left = (nodes: readonly number[]): { known: number; left: number } => {
    const known = nodes.filter((node) => fate[node] !== undefined);
    return { known: known.length, left: known.filter((node) => fate[node] === false).length };
  };
  return {
    strength: (nodes) => {
      const { known, left: out } = left(nodes);
      return known === 0 ? undefined : out / known;
    },
    text: (nodes) => {
      const { known, left: out } = left(nodes);
      if (known === 0) return undefined;
      if (out === 0) return 'taken';
      return out === known ? 'not taken' : `${out} of ${known} not taken`;
    },
    legend: `Darker: not taken by ${name}`,
  };
}

export type OpFamily =
  | 'convolution'
  | 'dense'
  | 'activation'
  | 'pooling'
  | 'element-wise'
  | 'shape'
  | 'other';

const families: readonly [RegExp, OpFamily][] = [
  [/conv/i, 'convolution'],
  [/gemm|matmul|fullyconnected|dense|lstm|gru|einsum/i, 'dense'],
  [/relu|sigmoid|softmax|tanh|swish|gelu|elu|activation|clip|mish|softplus/i, 'activation'],
  [/pool|reduce|mean|sum/i, 'pooling'],
  [/^(add|mul|sub|div|pow|max|min|sqrt|exp|log|neg|abs)/i, 'element-wise'],
  [/reshape|transpose|concat|slice|split|pad|flatten|squeeze|gather|resize|expand|tile|upsampl/i, 'shape'],
];

export function familyOf(op: string): OpFamily {
  return families.find(([pattern]) => pattern.test(op))?.[1] ?? 'other';
}

/** A stripe per family; the operator's name stands beside it. */
export const familyColour: Record<OpFamily, string> = {
  convolution: '#0072b2',
  dense: '#009e73',
  activation: '#e69f00',
  pooling: '#cc79a7',
  'element-wise': '#56b4e9',
  shape: '#8a949c',
  other: '#d55e00',
};
