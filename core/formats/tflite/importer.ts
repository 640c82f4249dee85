import type { Issue } from '../../contract/errors.ts';
import { GraphBuilder } from '../../ir/builder.ts';
import { byteLength, isFloat } from '../../ir/dtype.ts';
import type { Dim, Graph, GraphSource, TensorType, Value } from '../../ir/graph.ts';
import { elementCount } from '../../ir/tensor.ts';
import type { TfliteOpView } from '../../ops/facets.ts';
import { foldNode, inferTypes, tfliteReaders } from '../../ops/registry.ts';
import type { OperatorView, SignatureView, SubgraphView, TensorView, TfliteModelView } from './model-view.ts';

/** Ends the reading of one operator; becomes an issue. */
class Refusal extends Error {
  readonly hint?: string;
  constructor(message: string, hint: string | undefined) {
    super(message);
    this.hint = hint;
  }
}

/** One end of the graph: its name for the user and its tensor in the file. */
export interface Port {
  readonly name: string;
  readonly tensor: number;
}

/** Inputs and outputs by the names of the signature; by tensor names where the file has none. */
export function portsOf(
  subgraph: SubgraphView,
  signature: SignatureView | undefined,
): { inputs: Port[]; outputs: Port[] } {
  const named = (indices: readonly number[], maps: readonly Port[] | undefined): Port[] => {
    const taken = new Set<string>();
    return indices.map((tensor, i) => {
      // A tensor can be output twice, under two names.
      const map = maps?.find((entry) => entry.tensor === tensor && !taken.has(entry.name));
      const name = map?.name || subgraph.tensors[tensor].name || `port ${i}`;
      taken.add(name);
      return { name, tensor };
    });
  };
  return {
    inputs: named(subgraph.inputs, signature?.inputs),
    outputs: named(subgraph.outputs, signature?.outputs),
  };
}

/** Turns one subgraph into IR. Everything that cannot be read is gathered in `issues`. */
export class TfliteImporter {
  readonly issues: Issue[] = [];
  private readonly builder: GraphBuilder;
  private readonly subgraph: SubgraphView;
  private readonly values = new Map<number, Value>();
  /** Final names of tensors: unique, those of the ports first. */
  private readonly names: readonly string[];
  /** Constants by the value that DEQUANTIZE made of them. */
  private readonly stored = new Map<Value, Value>();
  private readonly inputs: readonly Port[];
  private readonly outputs: readonly Port[];

  constructor(name: string, subgraph: SubgraphView, inputs: readonly Port[], outputs: readonly Port[]) {
    this.builder = new GraphBuilder(name, inferTypes, foldNode);
    this.subgraph = subgraph;
    this.inputs = inputs;
    this.outputs = outputs;
    this.names = uniqueNames(subgraph, inputs, outputs);
  }

  /** @param shapes of the inputs, by position. */
  run(shapes: readonly (readonly Dim[])[], source: GraphSource): Graph | undefined {
    this.inputs.forEach(({ name, tensor }, i) => {
      const { dtype, quant } = this.subgraph.tensors[tensor];
      if (!dtype) return;
      this.values.set(tensor, this.builder.input(name, { dtype, shape: shapes[i] }, quant));
    });
    for (const operator of this.subgraph.operators) this.operator(operator);
    if (this.issues.some(({ severity }) => severity === 'error')) return undefined;
    const outputs = this.outputs.map((port) => this.output(port));
    if (this.issues.some(({ severity }) => severity === 'error')) return undefined;
    return withoutUnused(this.builder.finish(outputs, source));
  }

  private operator(operator: OperatorView): void {
    const reader = tfliteReaders[operator.builtin];
    const name = this.names[operator.outputs[0]] ?? operator.builtin;
    if (!reader) return;
    try {
      const inputs = operator.inputs.map((index) => (index < 0 ? null : this.value(index)));
      // What an operator before this one failed to make has been reported there.
      if (inputs.includes(undefined)) return;
      reader(this.view(operator, name, inputs as (Value | null)[]), this.builder);
      for (const index of operator.outputs) this.takeOutput(index);
      const [source] = inputs;
      if (operator.builtin === 'DEQUANTIZE' && source?.constant && source.quant) {
        this.stored.set(this.values.get(operator.outputs[0])!, source);
      }
    } catch (error) {
      const { message } = error as Error;
      const isRefusal = error instanceof Refusal;
      this.issues.push({
        code: isRefusal ? 'model.unsupported-option' : 'model.invalid',
        severity: 'error',
        message: isRefusal ? `${operator.builtin} "${name}": ${message}.` : message,
        node: name,
        op: operator.builtin,
        hint: isRefusal ? error.hint : undefined,
      });
    }
  }

  private view(operator: OperatorView, name: string, inputs: readonly (Value | null)[]): TfliteOpView {
    return {
      builtin: operator.builtin,
      version: operator.version,
      name,
      inputs,
      outputs: operator.outputs.map((index) => ({
        name: this.names[index],
        type: typeOf(this.subgraph.tensors[index]),
        quant: this.subgraph.tensors[index].quant,
      })),
      options: operator.options,
      stored: (value) => this.stored.get(value),
      refuse(message: string, hint?: string): never {
        throw new Refusal(message, hint);
      },
    };
  }

  /** The value of a tensor; a constant enters the graph when it is first read. */
  private value(index: number): Value | undefined {
    const known = this.values.get(index);
    if (known) return known;
    const { data, dtype, shape, quant } = this.subgraph.tensors[index];
    const name = this.names[index];
    const count = elementCount(shape);
    if ((!data && count > 0) || !dtype) return undefined;
    const bytes = data ?? new Uint8Array(0);
    const needed = byteLength(dtype, count);
    if (bytes.byteLength !== needed) {
      throw new Error(
        `the constant ${name} has ${bytes.byteLength} bytes; ${dtype} [${shape.join(', ')}] takes ${needed}`,
      );
    }
    const value = this.builder.constant(name, { dtype, shape, bytes }, quant);
    this.values.set(index, value);
    return value;
  }

  /** Notes what a reader made, with the storage type and the scale that the file gives it. */
  private takeOutput(index: number): void {
    const { quant, dtype } = this.subgraph.tensors[index];
    const made = this.builder.get(this.names[index]);
    const differs = quant !== undefined || (dtype !== undefined && dtype !== made.type.dtype);
    const value =
      differs && !made.constant
        ? this.builder.quantize(made.id, { dtype: dtype ?? made.type.dtype, shape: made.type.shape }, quant)
        : made;
    this.values.set(index, value);
  }

  private output({ name, tensor }: Port): string {
    const value = this.value(tensor);
    if (!value) {
      this.issues.push({
        code: 'model.invalid',
        severity: 'error',
        message: `Nothing makes the output "${name}".`,
        node: name,
      });
      return name;
    }
    if (value.id === name) return name;
    return this.builder.one('Identity', [value], {}, { outputs: [name] }).id;
  }
}

/** Without what nothing reads: a constant that was dequantized and then put into another order leaves such nodes. */
function withoutUnused(graph: Graph): Graph {
  const used = new Set(graph.outputs);
  const nodes = graph.nodes.toReversed().filter((node) => {
    if (!node.outputs.some((output) => used.has(output))) return false;
    for (const input of node.inputs) if (input !== null) used.add(input);
    return true;
  });
  const made = new Set([...graph.inputs, ...nodes.flatMap((node) => node.outputs)]);
  const values = new Map([...graph.values].filter(([id]) => used.has(id) || made.has(id)));
  return { ...graph, nodes: nodes.reverse(), values };
}

function typeOf(tensor: TensorView): TensorType {
  return { dtype: tensor.dtype ?? 'float32', shape: tensor.shape };
}

function uniqueNames(subgraph: SubgraphView, inputs: readonly Port[], outputs: readonly Port[]): string[] {
  const names = new Array<string | undefined>(subgraph.tensors.length);
  const taken = new Set<string>();
  for (const { name, tensor } of [...inputs, ...outputs]) {
    // A second name of a tensor, or one that an input has, is made by an Identity at the end.
    if (names[tensor] === undefined && !taken.has(name)) names[tensor] = name;
    taken.add(name);
  }
  return subgraph.tensors.map((tensor, i) => {
    const known = names[i];
    if (known !== undefined) return known;
    const wanted = tensor.name || `tensor ${i}`;
    let name = wanted;
    for (let k = 1; taken.has(name); k++) name = `${wanted}_${k}`;
    taken.add(name);
    return name;
  });
}

/** What keeps a file from being read, all at once: operators, subgraphs, tensors of kinds that the IR lacks. */
export function unsupportedParts(model: TfliteModelView, subgraph: SubgraphView): Issue[] {
  const issues: Issue[] = [];
  const byOperator = new Map<string, { custom: boolean; nodes: string[] }>();
  for (const { builtin, custom, outputs } of subgraph.operators) {
    if (tfliteReaders[builtin]) continue;
    const key = custom ?? builtin;
    const found = byOperator.get(key) ?? { custom: custom !== undefined, nodes: [] };
    found.nodes.push(subgraph.tensors[outputs[0]]?.name ?? '');
    byOperator.set(key, found);
  }
  for (const [op, { custom, nodes }] of byOperator) {
    const what = custom
      ? `The custom operator ${op} is not one of TFLite's own`
      : `The operator ${op} is not supported`;
    issues.push({
      code: 'model.unsupported-operator',
      severity: 'error',
      message: `${what}; ${nodes.length === 1 ? '1 node uses' : `${nodes.length} nodes use`} it: "${nodes[0]}"${nodes.length > 1 ? ', …' : ''}.`,
      node: nodes[0],
      op,
      hint: custom
        ? 'Its code is not in the file. Open the model that the file was converted from.'
        : undefined,
    });
  }
  if (model.subgraphs.length > 1) {
    const others = model.subgraphs.filter((other) => other !== subgraph).map(({ name }) => `"${name}"`);
    issues.push({
      code: 'model.unsupported-option',
      severity: 'error',
      message: `The file has ${model.subgraphs.length} subgraphs (also ${others.join(', ')}): control flow is not supported.`,
    });
  }
  const odd = (tensor: TensorView): string | undefined => {
    if (!tensor.dtype || tensor.dtype === 'string') return `holds ${tensor.typeName}`;
    if (tensor.isVariable) return 'keeps state between runs';
    if (tensor.isSparse) return 'is stored sparsely';
    return tensor.hasQuantDetails ? 'is quantized in blocks' : undefined;
  };
  for (const tensor of subgraph.tensors) {
    const problem = odd(tensor);
    if (!problem) continue;
    issues.push({
      code: 'model.unsupported-option',
      severity: 'error',
      message: `The tensor "${tensor.name}" ${problem}, which is not supported.`,
      node: tensor.name,
    });
  }
  return issues;
}

/** Elements of the constants that hold weights: floats, and integers with a scale. */
export function countParameters(subgraph: SubgraphView): number {
  let count = 0;
  for (const { data, dtype, quant, shape } of subgraph.tensors) {
    if (data && dtype && (isFloat(dtype) || quant)) count += elementCount(shape);
  }
  return count;
}
