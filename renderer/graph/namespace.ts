import type { GraphView } from '../../core/contract/views.ts';

/** Groups smaller than this are not worth a box of their own. */
const smallestGroup = 3;

/** The name-space of a node's name, outermost first, without the name itself: `a/b/conv` → `['a', 'b']`. */
export function namespaceOf(name: string): string[] {
  const slashes = name.split('/').filter(Boolean);
  if (slashes.length > 1) return [...slashes.slice(0, -1), ...blockOf(slashes[slashes.length - 1])];
  const dots = name.split('.').filter(Boolean);
  return dots.length > 1 ? dots.slice(0, -1) : blockOf(name);
}

/** Keras applications write blocks as `block_3_expand`. */
function blockOf(name: string): string[] {
  const block = /^(.+?_\d+[a-z]?)_[a-z]/i.exec(name);
  return block ? [block[1]] : [];
}

export interface Box {
  /** The node's name, or the group's path. */
  id: string;
  /** Indexes of the graph's nodes in it; one for a plain node. */
  nodes: number[];
  isGroup: boolean;
}

export interface Collapsed {
  boxes: Box[];
  /** Pairs of box indexes, without duplicates and loops. */
  edges: [number, number][];
  /** Group paths from outermost to innermost, by node. */
  paths: string[][];
}

function commonPrefixLength(paths: readonly string[][]): number {
  if (paths.length === 0) return 0;
  let length = 0;
  while (paths.every((path) => path.length > length && path[length] === paths[0][length])) length += 1;
  return length;
}

/** Group paths of every node, leaving out the part that all share and groups that are too small. */
export function groupPaths(graph: GraphView): string[][] {
  const spaces = graph.nodes.map(({ id }) => namespaceOf(id));
  const shared = commonPrefixLength(spaces);
  const paths = spaces.map((space) =>
    space.slice(shared).map((_, depth) => space.slice(0, shared + depth + 1).join('/')),
  );
  const counts = new Map<string, number>();
  for (const path of paths) for (const group of path) counts.set(group, (counts.get(group) ?? 0) + 1);
  return paths.map((path) => path.filter((group) => (counts.get(group) ?? 0) >= smallestGroup));
}

/**
 * The groups to open at first: from the outside in, the largest first, as long as no more than `most` boxes are seen.
 */
export function openingGroups(graph: GraphView, paths: readonly string[][], most: number): Set<string> {
  const groups = new Map<string, { size: number; inner: Set<string>; plain: number }>();
  const outer = new Set<string>();
  let boxes = 0;
  paths.slice(0, graph.nodes.length).forEach((path) => {
    path.forEach((id, depth) => {
      const group = groups.get(id) ?? { size: 0, inner: new Set<string>(), plain: 0 };
      groups.set(id, group);
      group.size += 1;
      if (depth === 0) outer.add(id);
      if (depth + 1 < path.length) group.inner.add(path[depth + 1]);
      else group.plain += 1;
    });
    if (path.length === 0) boxes += 1;
  });
  boxes += outer.size;
  const open = new Set<string>();
  // Opening only ever adds boxes: a group that did not fit once never will.
  const closed = [...outer];
  while (closed.length > 0) {
    const largest = closed.reduce((best, id) => (groups.get(id)!.size > groups.get(best)!.size ? id : best));
    closed.splice(closed.indexOf(largest), 1);
    const { inner, plain } = groups.get(largest)!;
    const seen = boxes - 1 + inner.size + plain;
    if (seen > most) continue;
    boxes = seen;
    open.add(largest);
    closed.push(...inner);
  }
  return open;
}

/** What is seen of a graph when only the groups in `expanded` are open. */
export function collapse(
  graph: GraphView,
  paths: readonly string[][],
  expanded: ReadonlySet<string>,
): Collapsed {
  const boxes: Box[] = [];
  const boxOfGroup = new Map<string, number>();
  const boxOfNode = graph.nodes.map(({ id }, index) => {
    const closed = paths[index].find((group) => !expanded.has(group));
    if (closed === undefined) return boxes.push({ id, nodes: [index], isGroup: false }) - 1;
    const known = boxOfGroup.get(closed);
    if (known !== undefined) {
      boxes[known].nodes.push(index);
      return known;
    }
    const box = boxes.push({ id: closed, nodes: [index], isGroup: true }) - 1;
    boxOfGroup.set(closed, box);
    return box;
  });
  const seen = new Set<number>();
  const edges: [number, number][] = [];
  for (const [from, to] of graph.edges) {
    const [a, b] = [boxOfNode[from], boxOfNode[to]];
    const key = a * graph.nodes.length + b;
    if (a === b || seen.has(key)) continue;
    seen.add(key);
    edges.push([a, b]);
  }
  return { boxes, edges, paths: [...paths] };
}

/**
 * The operator that a file, an error or a profile means by a name: its own, that of a result, or the one that the name
 * begins with, as the names of its constants and of the borders around it do.
 */
export function findNode(graph: GraphView, name: string): number | undefined {
  for (let wanted = name; wanted !== ''; wanted = wanted.slice(0, Math.max(0, wanted.lastIndexOf('/')))) {
    const at = graph.nodes.findIndex(({ id, outputs }) => id === wanted || outputs?.includes(wanted));
    if (at >= 0) return at;
  }
  return undefined;
}
