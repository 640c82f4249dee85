import type { OperatorView, Recipe } from '../contract/views.ts';
import { prepareForTflite } from '../passes/pipeline.ts';
import { readSource, requireGraph } from './source-model.ts';

/**
 * The operators that files made from a model have: what the passes fused goes by the name of its last result.
 * @throws WhittleError as `requireGraph`, and what reading throws
 */
export async function listOperators(path: string, recipe: Recipe): Promise<OperatorView[]> {
  const { graph } = prepareForTflite(requireGraph(await readSource(path, recipe)), {
    layout: recipe.layout,
  });
  return graph.nodes.flatMap(({ op, outputs }) => (outputs.length > 0 ? [{ name: outputs[0], op }] : []));
}
