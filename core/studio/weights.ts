import { WhittleError } from '../contract/errors.ts';
import type { WeightView } from '../contract/views.ts';
import { viewHistograms } from '../evaluate/histogram-view.ts';
import { isFloat } from '../ir/dtype.ts';
import { valueNamed } from '../ir/graph.ts';
import { elementCount, type Tensor, toFloat32 } from '../ir/tensor.ts';
import { addToHistogram, createHistogram } from '../kernels/histogram.ts';
import { type InputChoices, readSource } from './source-model.ts';

const binsPerSide = 512;
const binsShown = 128;

/**
 * The constants of one operator of a model's source that hold reals, with their distributions.
 * @param node name of the operator or of one of its results
 * @throws WhittleError `file.not-found` when no operator is called so, and what reading throws
 */
export async function viewWeights(path: string, choices: InputChoices, node: string): Promise<WeightView[]> {
  const { graph } = await readSource(path, choices);
  const found = graph?.nodes.find(({ id, outputs }) => id === node || outputs.includes(node));
  if (!graph || !found) throw new WhittleError('file.not-found', `${path} has no operator ${node}.`);
  const constants = [...new Set(found.inputs)].flatMap((id) => {
    const constant = id === null ? undefined : valueNamed(graph, id).constant;
    return constant && isFloat(constant.dtype) && elementCount(constant.shape) > 0
      ? [{ name: id!, constant }]
      : [];
  });
  return constants.flatMap(({ name, constant }) => viewWeight(name, constant) ?? []);
}

/** Undefined for a constant without any finite number. */
function viewWeight(name: string, constant: Tensor): WeightView | undefined {
  const values = toFloat32(constant);
  const histogram = createHistogram(binsPerSide);
  addToHistogram(histogram, values);
  if (histogram.total === 0) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return {
    name,
    dtype: constant.dtype,
    shape: [...constant.shape],
    elements: values.length,
    min: histogram.min,
    max: histogram.max,
    mean,
    deviation: Math.sqrt(variance),
    zeroShare: histogram.zeros / values.length,
    histogram: viewHistograms([histogram], binsShown)[0],
  };
}
