import type { Graph } from '../ir/graph.ts';

/** What a pass did, for the report and for tests. `skipped` says why a near match was left alone. */
export interface PassReport {
  readonly changes: number;
  readonly notes: readonly string[];
}

/** A graph-to-graph rewrite. It never changes its argument; new graphs share the constants they keep. */
export interface Pass {
  readonly id: string;
  run(graph: Graph): { graph: Graph; report: PassReport };
}
