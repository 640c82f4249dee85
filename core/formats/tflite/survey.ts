/** What a file holds that cannot be read, told before anything is read. */
import type { Issue } from '../../contract/errors.ts';
import { dtypeBits, isFloat } from '../../ir/dtype.ts';
import { elementCount } from '../../ir/tensor.ts';
import { complexTfliteReaders, tfliteReaders } from '../../ops/registry.ts';
import { calledSubgraphs, callSites } from './control-flow.ts';
import { complexType } from './importer.ts';
import type { OperatorView, SubgraphView, TensorView, TfliteModelView } from './model-view.ts';

/** Operators that begin with a state of zeros when their state is a variable of the file. */
const restarting = new Set([
  'UNIDIRECTIONAL_SEQUENCE_LSTM',
  'BIDIRECTIONAL_SEQUENCE_LSTM',
  'UNIDIRECTIONAL_SEQUENCE_RNN',
  'BIDIRECTIONAL_SEQUENCE_RNN',
]);

/**
 * What keeps a file from being read, all at once: operators, and tensors of kinds that the IR lacks, in the subgraph
 * that is read and in those that it calls. Warns of what is left out: further signatures, kept state.
 */
export function surveyParts(model: TfliteModelView, main: SubgraphView, signature?: string): Issue[] {
  const reached = reachedSubgraphs(model, main);
  return [
    ...unknownOperators(reached),
    ...reached.flatMap((subgraph) => oddTensors(subgraph)),
    ...keptState(reached),
    ...otherSignatures(model, main, signature),
  ];
}

function reachedSubgraphs(model: TfliteModelView, main: SubgraphView): SubgraphView[] {
  const reached = new Set([main]);
  for (const subgraph of reached) {
    for (const operator of subgraph.operators) {
      for (const index of calledSubgraphs(operator)) {
        const called = model.subgraphs[index];
        if (called) reached.add(called);
      }
    }
  }
  return [...reached];
}

function unknownOperators(subgraphs: readonly SubgraphView[]): Issue[] {
  const byOperator = new Map<string, { custom: boolean; nodes: string[] }>();
  for (const { operators, tensors } of subgraphs) {
    for (const { builtin, custom, outputs } of operators) {
      if (tfliteReaders[builtin] || complexTfliteReaders[builtin] || callSites[builtin]) continue;
      const key = custom ?? builtin;
      const found = byOperator.get(key) ?? { custom: custom !== undefined, nodes: [] };
      found.nodes.push(tensors[outputs[0]]?.name ?? key);
      byOperator.set(key, found);
    }
  }
  return [...byOperator].map(([op, { custom, nodes }]): Issue => {
    const what = custom
      ? `The custom operator ${op} is not one of TFLite's own`
      : `The operator ${op} is not supported`;
    return {
      code: 'model.unsupported-operator',
      severity: 'error',
      message: `${what}; ${nodes.length === 1 ? '1 node uses' : `${nodes.length} nodes use`} it: "${nodes[0]}"${nodes.length > 1 ? ', …' : ''}.`,
      node: nodes[0],
      op,
      hint: hintFor(op, custom),
    };
  });
}

function hintFor(op: string, custom: boolean): string | undefined {
  if (op.startsWith('Flex')) {
    return "It is TensorFlow's own operator, which only LiteRT with the Flex delegate runs. Open the model that the file was converted from.";
  }
  return custom ? 'Its code is not in the file. Open the model that the file was converted from.' : undefined;
}

function oddTensors({ operators, tensors, inputs, outputs }: SubgraphView): Issue[] {
  const states = stateTensors(operators);
  const ports = new Set([...inputs, ...outputs]);
  const odd = (tensor: TensorView, index: number): string | undefined => {
    // What is complex between operators is read as its two parts.
    if (tensor.typeName === complexType && !tensor.data && !ports.has(index)) return undefined;
    if (!tensor.dtype || tensor.dtype === 'string') return `holds ${tensor.typeName}`;
    if (tensor.isVariable && !states.has(index)) return 'keeps state between runs';
    if (tensor.sparsity && dtypeBits[tensor.dtype] < 8) return `holds ${tensor.typeName} sparsely`;
    return tensor.hasQuantDetails ? 'is quantized in blocks' : undefined;
  };
  return tensors.flatMap((tensor, i): Issue[] => {
    const problem = odd(tensor, i);
    if (!problem) return [];
    const message = `The tensor "${tensor.name}" ${problem}, which is not supported.`;
    return [{ code: 'model.unsupported-option', severity: 'error', message, node: tensor.name }];
  });
}

/** Variables that only recurrent operators read. */
function stateTensors(operators: readonly OperatorView[]): Set<number> {
  const readBy = (restarts: boolean) =>
    operators.filter(({ builtin }) => restarting.has(builtin) === restarts).flatMap(({ inputs }) => inputs);
  const elsewhere = new Set(readBy(false));
  return new Set(readBy(true).filter((index) => !elsewhere.has(index)));
}

function keptState(subgraphs: readonly SubgraphView[]): Issue[] {
  return subgraphs.flatMap(({ operators, tensors }) =>
    operators
      .filter(({ builtin, inputs }) => restarting.has(builtin) && inputs.some((i) => tensors[i]?.isVariable))
      .map(({ builtin, outputs }): Issue => {
        const name = tensors[outputs[0]]?.name ?? builtin;
        return {
          code: keepsState,
          severity: 'warning',
          message: `${builtin} "${name}" goes on from its last state when LiteRT runs the file again; here every run begins with zeros.`,
          node: name,
          op: builtin,
        };
      }),
  );
}

/** Code of the warning about operators that keep state from one run of the file to the next. */
export const keepsState = 'model.keeps-state';

function otherSignatures(model: TfliteModelView, main: SubgraphView, read: string | undefined): Issue[] {
  const others = model.signatures.filter(({ subgraph }) => model.subgraphs[subgraph] !== main);
  if (others.length === 0) return [];
  const names = others.map(({ key }) => `"${key}"`).join(', ');
  return [
    {
      code: 'model.unsupported-option',
      severity: 'warning',
      message: `The file has ${others.length + 1} signatures; "${read}" is read, ${names} ${others.length === 1 ? 'is' : 'are'} not.`,
    },
  ];
}

/** Elements of the constants that hold weights: floats, and integers with a scale. */
export function countParameters(subgraph: SubgraphView): number {
  let count = 0;
  for (const { data, dtype, quant, shape } of subgraph.tensors) {
    if (data && dtype && (isFloat(dtype) || quant)) count += elementCount(shape);
  }
  return count;
}
