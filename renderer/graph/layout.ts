/**
 * Layered drawing of a directed graph, top to bottom, after Sugiyama, Tagawa and Toda (1981): break cycles, rank by the
 * longest path, thread long edges through dummy places, order each rank by barycentres, then pull places towards their
 * neighbours. Linear in the edges for each sweep, so that thousand-operator models are laid out in milliseconds.
 */
export const boxWidth = 176;
export const boxHeight = 36;
const columnGap = 20;
const rankGap = 26;
const dummyWidth = 14;
const orderSweeps = 6;
const placeSweeps = 10;
/** How much of its way to the middle line a place goes where paths join. */
const joinPull = 0.5;
/** Past this many dummies edges are drawn straight: order matters less than the time it takes. */
const mostDummies = 30_000;

export interface Layout {
  /** Centre of each box. */
  x: Float64Array;
  y: Float64Array;
  rank: Int32Array;
  /** Points each edge runs through, from the bottom of its source to the top of its target. */
  routes: { from: number; to: number; points: [number, number][] }[];
  width: number;
  height: number;
}

export function layoutGraph(count: number, edges: readonly (readonly [number, number])[]): Layout {
  const forward = breakCycles(count, edges);
  const rank = rankByLongestPath(count, forward);
  const { places, chains } = threadLongEdges(count, forward, rank);
  const ranks = orderRanks(places);
  const x = placeRanks(ranks, places);
  const left = Math.min(...places.map((place, i) => x[i] - place.width / 2), 0);
  const y = (r: number): number => r * (boxHeight + rankGap) + boxHeight / 2;

  const boxX = Float64Array.from({ length: count }, (_, i) => x[i] - left);
  const boxY = Float64Array.from({ length: count }, (_, i) => y(rank[i]));
  return {
    x: boxX,
    y: boxY,
    rank: Int32Array.from(rank),
    routes: chains.map(({ from, to, through }) => ({
      from,
      to,
      points: [
        [boxX[from], boxY[from] + boxHeight / 2],
        ...through.map((dummy): [number, number] => [x[dummy] - left, y(places[dummy].rank)]),
        [boxX[to], boxY[to] - boxHeight / 2],
      ],
    })),
    width: Math.max(...places.map((place, i) => x[i] - left + place.width / 2), boxWidth),
    height: y(Math.max(...rank, 0)) + boxHeight / 2,
  };
}

/** Turns edges that close a cycle around; grouping by name can make cycles of what has none. */
function breakCycles(count: number, edges: readonly (readonly [number, number])[]): [number, number][] {
  const out: number[][] = Array.from({ length: count }, () => []);
  edges.forEach(([from], index) => {
    out[from].push(index);
  });
  const state = new Uint8Array(count); // 0 new, 1 on the path, 2 finished
  const turned = new Uint8Array(edges.length);
  for (let start = 0; start < count; start += 1) {
    if (state[start] !== 0) continue;
    const stack: { node: number; next: number }[] = [{ node: start, next: 0 }];
    state[start] = 1;
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.next === out[top.node].length) {
        state[top.node] = 2;
        stack.pop();
        continue;
      }
      const edge = out[top.node][top.next++];
      const to = edges[edge][1];
      if (state[to] === 1) turned[edge] = 1;
      else if (state[to] === 0) {
        state[to] = 1;
        stack.push({ node: to, next: 0 });
      }
    }
  }
  return edges.map(([from, to], index) => (turned[index] ? [to, from] : [from, to]));
}

function rankByLongestPath(count: number, edges: readonly (readonly [number, number])[]): number[] {
  const out: number[][] = Array.from({ length: count }, () => []);
  const waiting = new Int32Array(count);
  for (const [from, to] of edges) {
    out[from].push(to);
    waiting[to] += 1;
  }
  const rank = new Array<number>(count).fill(0);
  const queue = Array.from({ length: count }, (_, i) => i).filter((i) => waiting[i] === 0);
  for (let head = 0; head < queue.length; head += 1) {
    for (const to of out[queue[head]]) {
      rank[to] = Math.max(rank[to], rank[queue[head]] + 1);
      waiting[to] -= 1;
      if (waiting[to] === 0) queue.push(to);
    }
  }
  return rank;
}

interface Place {
  rank: number;
  width: number;
  up: number[];
  down: number[];
}

function threadLongEdges(
  count: number,
  edges: readonly (readonly [number, number])[],
  rank: readonly number[],
): { places: Place[]; chains: { from: number; to: number; through: number[] }[] } {
  const places: Place[] = rank.slice(0, count).map((r) => ({ rank: r, width: boxWidth, up: [], down: [] }));
  const span = edges.reduce((sum, [from, to]) => sum + Math.max(0, rank[to] - rank[from] - 1), 0);
  const chains = edges.map(([from, to]) => {
    const through: number[] = [];
    if (span <= mostDummies) {
      for (let r = rank[from] + 1; r < rank[to]; r += 1)
        through.push(places.push({ rank: r, width: dummyWidth, up: [], down: [] }) - 1);
    }
    const path = [from, ...through, to];
    for (let i = 1; i < path.length; i += 1) {
      places[path[i - 1]].down.push(path[i]);
      places[path[i]].up.push(path[i - 1]);
    }
    return { from, to, through };
  });
  return { places, chains };
}

function orderRanks(places: readonly Place[]): number[][] {
  const ranks: number[][] = Array.from(
    { length: Math.max(...places.map(({ rank }) => rank), -1) + 1 },
    () => [],
  );
  const at = new Float64Array(places.length);
  places.forEach(({ rank }, index) => {
    at[index] = ranks[rank].push(index) - 1;
  });
  for (let sweep = 0; sweep < orderSweeps; sweep += 1) {
    const downwards = sweep % 2 === 0;
    const order = downwards ? ranks : [...ranks].reverse();
    for (const row of order) {
      const centre = new Map<number, number>();
      for (const index of row) {
        const near = downwards ? places[index].up : places[index].down;
        const sum = near.reduce((total, other) => total + at[other], 0);
        centre.set(index, near.length > 0 ? sum / near.length : at[index]);
      }
      row.sort((a, b) => (centre.get(a) ?? 0) - (centre.get(b) ?? 0));
      row.forEach((index, position) => {
        at[index] = position;
      });
    }
  }
  return ranks;
}

function placeRanks(ranks: readonly number[][], places: readonly Place[]): Float64Array {
  const x = new Float64Array(places.length);
  const distance = (a: number, b: number): number => (places[a].width + places[b].width) / 2 + columnGap;
  for (const row of ranks) {
    for (let i = 1; i < row.length; i += 1) x[row[i]] = x[row[i - 1]] + distance(row[i - 1], row[i]);
    const middle = row.length > 0 ? (x[row[0]] + x[row[row.length - 1]]) / 2 : 0;
    for (const index of row) x[index] -= middle;
  }
  for (let sweep = 0; sweep < placeSweeps; sweep += 1) {
    const downwards = sweep % 2 === 0;
    for (const row of downwards ? ranks : [...ranks].reverse()) {
      const wanted = row.map((index) => {
        const near = downwards ? places[index].up : places[index].down;
        if (near.length === 0) return x[index];
        const mean = near.reduce((sum, other) => sum + x[other], 0) / near.length;
        // Branches that always join on one side would make a long model drift away: where paths join there is a bend
        // anyway, so there the drawing comes back towards its middle line.
        return near.length > 1 ? mean * (1 - joinPull) : mean;
      });
      // Two passes that keep the order, from the left and from the right; their mean favours neither side.
      const fromLeft = new Float64Array(row.length);
      const fromRight = new Float64Array(row.length);
      for (let i = 0; i < row.length; i += 1)
        fromLeft[i] =
          i === 0 ? wanted[0] : Math.max(wanted[i], fromLeft[i - 1] + distance(row[i - 1], row[i]));
      for (let i = row.length - 1; i >= 0; i -= 1)
        fromRight[i] =
          i === row.length - 1
            ? wanted[i]
            : Math.min(wanted[i], fromRight[i + 1] - distance(row[i], row[i + 1]));
      row.forEach((index, i) => {
        x[index] = (fromLeft[i] + fromRight[i]) / 2;
      });
    }
  }
  return x;
}
