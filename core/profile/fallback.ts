import type { FallbackView } from '../contract/views.ts';
import type { TfliteModelView } from '../formats/tflite/model-view.ts';
import type { OperatorTime } from '../ir/engine.ts';
import { litertGpu } from '../targets/litert-gpu.ts';
import { mainSubgraph, predict } from '../targets/predict.ts';

/** Names listed for each type of operator. */
const namesShown = 5;

/** What a provider of onnxruntime left to the CPU, by the providers that its profile names. */
export function fallbackOfRun(times: readonly OperatorTime[], device: string): FallbackView {
  const nodes = times.filter(({ name }) => name !== '');
  const left = nodes.filter(({ provider }) => provider === undefined || provider === 'CPU');
  return {
    device,
    nodes: nodes.length,
    taken: nodes.length - left.length,
    operators: byType(left.map(({ op, name }) => ({ op, name }))),
  };
}

/**
 * What LiteRT's GPU accelerator leaves to the CPU. The runtime only tells whether that is nothing; where it is not,
 * the published rules say which operators they are.
 */
export function gpuFallback(model: TfliteModelView, isAllOnGpu: boolean | undefined): FallbackView {
  const { operators, tensors } = mainSubgraph(model);
  if (isAllOnGpu) return { device: 'gpu', nodes: operators.length, taken: operators.length, operators: [] };
  const { taken, refused } = predict(model, litertGpu);
  const left = operators.flatMap(({ builtin, custom, outputs }, index) => {
    if (taken.has(index)) return [];
    const reason =
      refused.find((node) => node.index === index)?.reason ??
      'lies beyond an operator that the GPU does not take';
    return [{ op: custom ?? builtin, name: tensors[outputs[0]].name, reason }];
  });
  return { device: 'gpu', nodes: operators.length, taken: taken.size, operators: byType(left) };
}

function byType(left: readonly { op: string; name: string; reason?: string }[]): FallbackView['operators'] {
  const types = new Map<string, FallbackView['operators'][number]>();
  for (const { op, name, reason } of left) {
    const known = types.get(op);
    if (!known) types.set(op, { op, count: 1, nodes: [name], ...(reason !== undefined && { reason }) });
    else {
      known.count++;
      if (known.nodes.length < namesShown) known.nodes.push(name);
    }
  }
  return [...types.values()].sort((a, b) => b.count - a.count);
}
