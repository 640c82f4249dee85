import { WhittleError } from '../contract/errors.ts';
import type { IoType, Precision } from '../contract/views.ts';
import { type DType, dtypeBits } from '../ir/dtype.ts';
import { type Graph, valueNamed } from '../ir/graph.ts';
import { type Prepared, prepareForOnnx } from '../passes/pipeline.ts';
import { asQdqGraph } from '../quantize/as-qdq.ts';
import { emptyPlan, type QuantPlan } from '../quantize/plan.ts';
import type { ArtifactTarget } from './artifact-targets.ts';
import type { SourceModel } from './source-model.ts';

/** A quantized file as it is written on: with the integers and scales that it has. */
export interface KeptNumbers {
  readonly prepared: Prepared;
  readonly plan: QuantPlan;
  /** The type of its inputs. */
  readonly io: IoType;
}

/**
 * What can be made of a file that is quantized already: the QDQ ONNX form of a TFLite file, in the precision that it
 * has. Its numbers are kept; nothing is calibrated.
 * @throws WhittleError `model.already-quantized` for every other wish, with the reason
 */
export function keepNumbers(
  source: SourceModel,
  graph: Graph,
  targets: readonly Pick<ArtifactTarget, 'precision' | 'format'>[],
): KeptNumbers {
  const own = source.format === 'tflite' ? precisionOf(graph) : undefined;
  const others = targets.filter(({ precision, format }) => precision !== own || format !== 'onnx');
  if (!own || others.length > 0) {
    const hint = own && ` As it is, it can be written as QDQ ONNX: --precision ${own} --format onnx.`;
    throw new WhittleError(
      'model.already-quantized',
      `${source.path} is quantized already${own ? ` (${own})` : ''}; rounding its numbers a second time only loses quality.`,
      { hint: `Start from the float model that it was made from.${hint ?? ''}` },
    );
  }
  return { prepared: prepareForOnnx(asQdqGraph(graph)), plan: planOfFile(own), io: portType(graph) };
}

function portType(graph: Graph): IoType {
  const types = graph.inputs.map((id) => valueNamed(graph, id)).filter(({ quant }) => quant);
  const dtype = types[0]?.type.dtype;
  return dtype === 'int8' || dtype === 'uint8' || dtype === 'int16' ? dtype : 'float32';
}

/** The precision of a file by the types of what has a scale. */
function precisionOf(graph: Graph): Precision {
  const scaled = [...graph.values.values()].filter(({ quant }) => quant);
  const computed = scaled.filter(({ constant }) => !constant);
  const has = (values: typeof scaled, dtype: DType) => values.some(({ type }) => type.dtype === dtype);
  if (computed.length > 0) return has(computed, 'int16') ? 'int16x8' : 'int8';
  return scaled.every(({ type }) => dtypeBits[type.dtype] === 4) ? 'weights-int4' : 'weights-int8';
}

function planOfFile(precision: Precision): QuantPlan {
  const message = 'The integers and scales are those of the source; nothing was quantized anew.';
  return emptyPlan(precision, [{ code: 'quantize.kept', message }]);
}
