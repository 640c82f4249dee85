import type { Graph } from '../ir/graph.ts';
import { opaqueCauses } from '../ir/opaque.ts';
import { type Prepared, prepareForOnnx, prepareForTflite } from '../passes/pipeline.ts';

export interface PreparedForms {
  readonly forOnnx: Prepared;
  /** Plans are decided on it. The ONNX form where TFLite can have none. */
  readonly forTflite: Prepared;
}

/** Both forms of a graph. */
export function prepareForms(graph: Graph, layout: 'nhwc' | 'keep'): PreparedForms {
  const forOnnx = prepareForOnnx(graph);
  return {
    forOnnx,
    forTflite: opaqueCauses(graph).length > 0 ? forOnnx : prepareForTflite(graph, { layout }),
  };
}
