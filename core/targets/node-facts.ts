import type { OperatorView, SubgraphView, TensorView } from '../formats/tflite/model-view.ts';

/** One tensor of an operator, as a rule sees it. */
export interface TensorFacts extends TensorView {
  /** Stored in the file, or made from what is stored there alone when the model is opened. */
  readonly isConstant: boolean;
}

/** One operator of a file, with its tensors at hand. */
export interface NodeFacts {
  /** Place in the file's order of execution. */
  readonly index: number;
  /** Name of its (first) result. */
  readonly name: string;
  /** Builtin name, or that of a custom operator. */
  readonly op: string;
  readonly version: number;
  /** Null for an input that is left out. */
  readonly inputs: readonly (TensorFacts | null)[];
  readonly outputs: readonly TensorFacts[];
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * The operators of a graph with their tensors. DEQUANTIZE of a stored constant counts as a constant where the target
 * `unpacks` it once, when the model is opened.
 */
export function nodeFacts(subgraph: SubgraphView, unpacks = false): NodeFacts[] {
  const unpacked = new Set(unpacks ? unpackedTensors(subgraph) : []);
  const facts = subgraph.tensors.map(
    (tensor, index): TensorFacts => ({
      ...tensor,
      isConstant: (tensor.data !== undefined && !tensor.isVariable) || unpacked.has(index),
    }),
  );
  return subgraph.operators.map((operator, index) => ({
    index,
    name: facts[operator.outputs[0]]?.name ?? operator.builtin,
    op: operator.custom ?? operator.builtin,
    version: operator.version,
    inputs: operator.inputs.map((tensor) => (tensor < 0 ? null : facts[tensor])),
    outputs: operator.outputs.map((tensor) => facts[tensor]),
    options: operator.options,
  }));
}

/** Whether an operator only widens stored weights to float32. */
export function unpacksConstant(operator: OperatorView, subgraph: SubgraphView): boolean {
  if (operator.builtin !== 'DEQUANTIZE') return false;
  const from = subgraph.tensors[operator.inputs[0]];
  const to = subgraph.tensors[operator.outputs[0]];
  const widens = from.typeName === 'float16' || (from.typeName === 'int8' && from.quant !== undefined);
  return from.data !== undefined && !from.sparsity && widens && to.typeName === 'float32';
}

function unpackedTensors(subgraph: SubgraphView): number[] {
  return subgraph.operators
    .filter((operator) => unpacksConstant(operator, subgraph))
    .flatMap((operator) => operator.outputs);
}
