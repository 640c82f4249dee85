import type { Dim, TensorType } from '../../ir/graph.ts';
import type { InferContext, OpDefinition } from '../facets.ts';
import { broadcastShapes, countedElements, requiredInput, shapeText } from '../infer-helpers.ts';
import type { FullyConnectedAttrs, GemmAttrs, OpAttrs } from '../vocabulary.ts';

function checkInner(context: InferContext<unknown>, a: Dim, b: Dim): void {
  if (typeof a === 'number' && typeof b === 'number' && a !== b) {
    context.fail(`the left side has ${a} columns, the right side ${b} rows`);
  }
}

function inferFullyConnected(context: InferContext<FullyConnectedAttrs>): TensorType[] {
  const x = requiredInput(context, 0, 'x');
  const weights = requiredInput(context, 1, 'weights');
  if (x.type.shape.length < 1) context.fail('the input is a scalar');
  if (weights.type.shape.length !== 2) {
    context.fail(`the weights have shape ${shapeText(weights.type.shape)}; [N, K] is needed`);
  }
  const [n, k] = weights.type.shape;
  checkInner(context, x.type.shape[x.type.shape.length - 1], k);
  const bias = context.inputs[2];
  if (bias && (bias.type.shape.length !== 1 || bias.type.shape[0] !== n)) {
    context.fail(`the bias has shape ${shapeText(bias.type.shape)}; [${n}] is needed`);
  }
  return [{ dtype: x.type.dtype, shape: [...x.type.shape.slice(0, -1), n] }];
}

function inferGemm(context: InferContext<GemmAttrs>): TensorType[] {
  const a = requiredInput(context, 0, 'A');
  const b = requiredInput(context, 1, 'B');
  if (a.type.shape.length !== 2 || b.type.shape.length !== 2) {
    context.fail(`Gemm takes matrices, not ${shapeText(a.type.shape)} and ${shapeText(b.type.shape)}`);
  }
  const [m, k] = context.attrs.transA ? [...a.type.shape].reverse() : a.type.shape;
  const [rows, n] = context.attrs.transB ? [...b.type.shape].reverse() : b.type.shape;
  checkInner(context, k, rows);
  const c = context.inputs[2];
  if (c) broadcastShapes(context, [m, n], c.type.shape);
  return [{ dtype: a.type.dtype, shape: [m, n] }];
}

function inferMatMul(context: InferContext<OpAttrs['MatMul']>): TensorType[] {
  const a = requiredInput(context, 0, 'A').type;
  const b = requiredInput(context, 1, 'B').type;
  if (a.shape.length === 0 || b.shape.length === 0) context.fail('MatMul takes no scalars');
  const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape;
  const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape;
  checkInner(context, left[left.length - 1], right[right.length - 2]);
  const shape = broadcastShapes(context, left.slice(0, -2), right.slice(0, -2));
  if (a.shape.length > 1) shape.push(left[left.length - 2]);
  if (b.shape.length > 1) shape.push(right[right.length - 1]);
  return [{ dtype: a.dtype, shape }];
}

/** Multiplications per output element: the length of the contracted axis. */
function contracted(type: TensorType | undefined, axis: number): number {
  const dim = type?.shape.at(axis);
  return typeof dim === 'number' ? dim : 1;
}

export const denseDefinitions = {
  FullyConnected: {
    summary: 'Last axis times constant weights [N, K], plus bias.',
    infer: inferFullyConnected,
    cost: ([x], [output]) => ({ macs: countedElements(output.type) * contracted(x?.type, -1) }),
    layout: { kind: 'fixed' },
    // LiteRT 8-bit specification, FULLY_CONNECTED; per-channel since version 12 of the operator in hybrid form.
    quant: {
      inputs: [{ kind: 'activation' }, { kind: 'weight', axis: 0 }, { kind: 'bias', of: [0, 1] }],
      outputs: [{ kind: 'activation' }],
      tflite: { int8: true, int16x8: true, dynamicInt8: true },
      onnxDynamicInt8: true,
    },
  } satisfies OpDefinition<FullyConnectedAttrs>,
  Gemm: {
    summary: 'alpha × A × B + beta × C over matrices. Becomes FullyConnected when B is constant.',
    infer: inferGemm,
    cost: ([a], [output], attrs) => ({
      macs: countedElements(output.type) * contracted(a?.type, attrs.transA ? 0 : 1),
    }),
    layout: { kind: 'fixed' },
    quant: null,
  } satisfies OpDefinition<GemmAttrs>,
  MatMul: {
    summary: 'Batched matrix product with numpy semantics.',
    infer: inferMatMul,
    cost: ([a], [output]) => ({ macs: countedElements(output.type) * contracted(a?.type, -1) }),
    layout: { kind: 'fixed' },
    quant: {
      inputs: [{ kind: 'activation' }],
      outputs: [{ kind: 'activation' }],
      tflite: { int8: true, int16x8: true, dynamicInt8: false },
    },
  } satisfies OpDefinition<OpAttrs['MatMul']>,
} satisfies Record<string, OpDefinition<never>>;
