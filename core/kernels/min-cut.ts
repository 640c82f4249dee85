/**
 * Minimum s-t cut by Dinic's algorithm (Dinic 1970: blocking flows in layered networks). Capacities are non-negative
 * reals; `Infinity` forbids a cut.
 */
export class MinCut {
  private readonly heads: number[][];
  private readonly to: number[] = [];
  private readonly room: number[] = [];

  /** `nodes` nodes, numbered from 0. */
  constructor(nodes: number) {
    this.heads = Array.from({ length: nodes }, () => []);
  }

  /** Cutting `from` (source side) off `to` (sink side) costs `capacity`. */
  edge(from: number, to: number, capacity: number): void {
    if (capacity <= 0 || from === to) return;
    this.heads[from].push(this.to.length);
    this.to.push(to);
    this.room.push(capacity);
    this.heads[to].push(this.to.length);
    this.to.push(from);
    this.room.push(0);
  }

  /** @returns for each node whether it is on the source's side of a cheapest cut. */
  solve(source: number, sink: number): boolean[] {
    for (;;) {
      const level = this.levels(source);
      if (level[sink] < 0) return level.map((depth) => depth >= 0);
      this.blockingFlow(source, sink, level);
    }
  }

  private levels(source: number): number[] {
    const level = new Array<number>(this.heads.length).fill(-1);
    level[source] = 0;
    const queue = [source];
    for (const node of queue) {
      for (const edge of this.heads[node]) {
        const next = this.to[edge];
        if (this.room[edge] > 0 && level[next] < 0) {
          level[next] = level[node] + 1;
          queue.push(next);
        }
      }
    }
    return level;
  }

  /** Pushes flow along shortest paths, one path at a time and without recursion, until none is left. */
  private blockingFlow(source: number, sink: number, level: readonly number[]): void {
    const tried = new Array<number>(this.heads.length).fill(0);
    const path: number[] = [];
    let node = source;
    for (;;) {
      if (node === sink) {
        const amount = path.reduce(
          (least, edge) => Math.min(least, this.room[edge]),
          Number.POSITIVE_INFINITY,
        );
        if (amount === Number.POSITIVE_INFINITY) throw new RangeError('every cut is forbidden');
        for (const edge of path) {
          this.room[edge] -= amount;
          this.room[edge ^ 1] += amount;
        }
        path.length = 0;
        node = source;
        continue;
      }
      const edges = this.heads[node];
      while (tried[node] < edges.length) {
        const edge = edges[tried[node]];
        if (this.room[edge] > 0 && level[this.to[edge]] === level[node] + 1) break;
        tried[node]++;
      }
      if (tried[node] < edges.length) {
        path.push(edges[tried[node]]);
        node = this.to[edges[tried[node]]];
      } else if (path.length > 0) {
        const back = path.pop()!;
        node = this.to[back ^ 1];
        tried[node]++;
      } else {
        return;
      }
    }
  }
}
