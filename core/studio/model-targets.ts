import { WhittleError } from '../contract/errors.ts';
import type { TargetView } from '../contract/views.ts';
import { detectFormat, readModel } from '../formats/open-model.ts';
import { viewModel } from '../formats/tflite/model-view.ts';
import { readWhole } from '../ir/read-file.ts';
import { describeTargets } from '../targets/targets.ts';
import { describeTensorRt } from '../targets/tensorrt.ts';

/**
 * What each runtime and accelerator takes of a file. Nothing is run.
 * @throws WhittleError `format.unsupported` for what no target runs as it is, and what reading throws.
 */
export async function modelTargets(path: string): Promise<TargetView[]> {
  const format = await detectFormat(path);
  if (format === 'tflite') return describeTargets(viewModel(await readWhole(path)));
  if (format !== 'onnx')
    throw new WhittleError('format.unsupported', `${path} is ${format}, which no target runs as it is.`);
  const { graph } = await readModel(path, {});
  return graph ? [describeTensorRt(graph)] : [];
}
