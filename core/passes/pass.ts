import type { Graph, ValueId } from '../ir/graph.ts';
import { GraphEditor } from './graph-editor.ts';

/** What a pass did, for the report and for tests. `notes` also say why a near match was left alone. */
export interface PassReport {
  readonly changes: number;
  readonly notes: readonly string[];
  /**
   * Inputs and outputs of the graph that now have another axis order than the source's, by name:
   * `shape[i]` is the source's `shape[order[i]]`.
   */
  readonly borders?: Readonly<Record<ValueId, readonly number[]>>;
}

/** A graph-to-graph rewrite. It never changes its argument; new graphs share the constants they keep. */
export interface Pass {
  readonly id: string;
  run(graph: Graph): { graph: Graph; report: PassReport };
}

/** Collects what a pass does. */
export class Changes {
  count = 0;
  readonly notes: string[] = [];

  /** One change; `note` says what, when that is not plain from the graph. */
  made(note?: string): void {
    this.count++;
    if (note) this.notes.push(note);
  }

  /** A near match that was left alone, and why. */
  skipped(note: string): void {
    this.notes.push(note);
  }
}

/** A pass from a function that edits a working copy. A graph that it leaves alone is returned as it was. */
export function editingPass(id: string, edit: (editor: GraphEditor, changes: Changes) => void): Pass {
  return {
    id,
    run(graph) {
      const editor = new GraphEditor(graph);
      const changes = new Changes();
      edit(editor, changes);
      return {
        graph: changes.count > 0 ? editor.finish() : graph,
        report: { changes: changes.count, notes: changes.notes },
      };
    },
  };
}
