import type { Issue } from '../../contract/errors.ts';
import { GraphBuilder } from '../../ir/builder.ts';
import { byteLength, dtypeBits } from '../../ir/dtype.ts';
import type { Dim, Graph, GraphSource, TensorType, Value } from '../../ir/graph.ts';
import { elementCount, type Tensor } from '../../ir/tensor.ts';
import { type Complex, isComplex, type RealOrComplex, type TfliteOpView } from '../../ops/facets.ts';
import { partwiseTflite } from '../../ops/fourier/complex-readers.ts';
import { complexTfliteReaders, foldNode, inferTypes, tfliteReaders } from '../../ops/registry.ts';
import { type Call, callSites } from './control-flow.ts';
import type { OperatorView, SubgraphView, TensorView, TfliteModelView } from './model-view.ts';
import { type Port, uniqueNames } from './ports.ts';
import { denseBytes } from './sparsity.ts';

/** Ends the reading of one operator; becomes an issue. */
class Refusal extends Error {
  readonly hint?: string;
  constructor(message: string, hint: string | undefined) {
    super(message);
    this.hint = hint;
  }
}

/** One run through a subgraph: what its tensors are, and what they are called in the graph. */
interface Scope {
  readonly subgraph: SubgraphView;
  readonly values: Map<number, Value>;
  /** Tensors that are the same in every run, shared by all runs: stored ones, and what is made of these alone. */
  readonly fixed: Map<number, Value>;
  /** Complex tensors, of which the graph has the parts. */
  readonly complex: Map<number, Complex>;
  nameOf(index: number): string;
}

/** As a file's tensor says it. */
export const complexType = 'complex64';

/** Operators that loops and branches may add up to, and subgraphs that may call one another. */
const mostCalled = 50_000;
const deepestCall = 8;

/** Turns one subgraph, and those that it calls, into IR. Everything that cannot be read is gathered in `issues`. */
export class TfliteImporter {
  readonly issues: Issue[] = [];
  private readonly builder: GraphBuilder;
  private readonly model: TfliteModelView;
  private readonly main: Scope;
  /** Final names of the main subgraph's tensors: unique, those of the ports first. */
  private readonly names: readonly string[];
  private readonly reserved: ReadonlySet<string>;
  /** Constants by the value that DEQUANTIZE made of them. */
  private readonly stored = new Map<Value, Value>();
  private readonly fixed = new Map<SubgraphView, Map<number, Value>>();
  private readonly inputs: readonly Port[];
  private readonly outputs: readonly Port[];
  private called = 0;
  private depth = 0;

  constructor(
    name: string,
    model: TfliteModelView,
    subgraph: SubgraphView,
    inputs: readonly Port[],
    outputs: readonly Port[],
  ) {
    this.builder = new GraphBuilder(name, inferTypes, foldNode);
    this.model = model;
    this.inputs = inputs;
    this.outputs = outputs;
    this.names = uniqueNames(subgraph, inputs, outputs);
    this.reserved = new Set(this.names);
    this.main = {
      subgraph,
      values: new Map(),
      fixed: this.fixedOf(subgraph),
      complex: new Map(),
      nameOf: (index) => this.names[index],
    };
  }

  /** @param shapes of the inputs, by position. @param fixed constants in the place of inputs, by name */
  run(
    shapes: readonly (readonly Dim[])[],
    fixed: ReadonlyMap<string, Tensor>,
    source: GraphSource,
  ): Graph | undefined {
    this.inputs.forEach(({ name, tensor }, i) => {
      const { dtype, quant } = this.main.subgraph.tensors[tensor];
      if (!dtype) return;
      const constant = fixed.get(name);
      const value = constant
        ? this.builder.constant(name, constant)
        : this.builder.input(name, { dtype, shape: shapes[i] }, quant);
      this.main.values.set(tensor, value);
    });
    for (const operator of this.main.subgraph.operators) this.operator(this.main, operator);
    if (this.failed) return undefined;
    const outputs = this.outputs.map((port) => this.output(port));
    return this.failed ? undefined : withoutUnused(this.builder.finish(outputs, source));
  }

  private get failed(): boolean {
    return this.issues.some(({ severity }) => severity === 'error');
  }

  private operator(scope: Scope, operator: OperatorView): void {
    const { builtin, outputs } = operator;
    if (outputs.length > 0 && outputs.every((index) => scope.fixed.has(index))) return;
    const name = outputs.length > 0 ? scope.nameOf(outputs[0]) : builtin;
    try {
      if (this.isOnComplex(scope, operator)) {
        this.complexOperator(scope, operator, name);
        return;
      }
      const inputs = operator.inputs.map((index) => (index < 0 ? null : this.value(scope, index)));
      // What an operator before this one failed to make has been reported there.
      if (inputs.includes(undefined)) return;
      const view = this.view(scope, operator, name, inputs as (Value | null)[]);
      if (outputs.length === 0) view.refuse('it has no outputs');
      const callSite = callSites[builtin];
      const reader = tfliteReaders[builtin];
      if (callSite) {
        const results = callSite(view, this.builder, this.call(name), (issue) => this.issues.push(issue));
        results?.forEach((value, i) => {
          if (i < outputs.length) scope.values.set(outputs[i], value);
        });
      } else if (reader) {
        reader(view, this.builder);
        for (const index of outputs) this.takeOutput(scope, operator, index);
        const [source] = inputs;
        if (builtin === 'DEQUANTIZE' && source?.constant && source.quant) {
          this.stored.set(this.value(scope, outputs[0])!, source);
        }
      }
    } catch (error) {
      const { message } = error as Error;
      const isRefusal = error instanceof Refusal;
      this.issues.push({
        code: isRefusal ? 'model.unsupported-option' : 'model.invalid',
        severity: 'error',
        message: isRefusal ? `${builtin} "${name}": ${message}.` : message,
        node: name,
        op: builtin,
        hint: isRefusal ? error.hint : undefined,
      });
    }
  }

  private isOnComplex({ complex, subgraph }: Scope, { inputs, outputs }: OperatorView): boolean {
    return (
      inputs.some((index) => complex.has(index)) ||
      outputs.some((index) => subgraph.tensors[index].typeName === complexType)
    );
  }

  private complexOperator(scope: Scope, operator: OperatorView, name: string): void {
    const { builtin, outputs } = operator;
    const operands = operator.inputs.map((index) =>
      index < 0 ? null : (scope.complex.get(index) ?? this.value(scope, index)),
    );
    if (operands.includes(undefined)) return;
    const known = operands as (RealOrComplex | null)[];
    if (partwiseTflite.has(builtin)) {
      const [real, imaginary] = (['real', 'imaginary'] as const).map((part) => {
        const inputs = known.map((item) => (item && isComplex(item) ? item[part] : (item as Value | null)));
        const view = partView(this.view(scope, operator, name, inputs), part);
        tfliteReaders[builtin](view, this.builder);
        return view.outputs.map((output) => this.builder.get(output.name));
      });
      outputs.forEach((index, i) => {
        scope.complex.set(index, { real: real[i], imaginary: imaginary[i] });
      });
      return;
    }
    const view = this.view(scope, operator, name, []);
    const reader = complexTfliteReaders[builtin];
    const inputs = known.filter((item) => item !== null);
    if (!reader) view.refuse('it works on complex numbers, which is not read');
    const result = reader({ name, inputs, refuse: view.refuse }, this.builder);
    if (isComplex(result)) scope.complex.set(outputs[0], result);
    else scope.values.set(outputs[0], result);
  }

  private view(
    scope: Scope,
    operator: OperatorView,
    name: string,
    inputs: readonly (Value | null)[],
  ): TfliteOpView {
    return {
      builtin: operator.builtin,
      version: operator.version,
      name,
      inputs,
      outputs: operator.outputs.map((index) => ({
        name: scope.nameOf(index),
        type: typeOf(scope.subgraph.tensors[index]),
        quant: scope.subgraph.tensors[index].quant,
      })),
      options: operator.options,
      stored: (value) => this.stored.get(value),
      refuse(message: string, hint?: string): never {
        throw new Refusal(message, hint);
      },
    };
  }

  /** Runs a subgraph on values; undefined when one of its operators could not be read, which is reported. */
  private call(name: string): Call {
    return (index, args) => {
      const subgraph = this.model.subgraphs[index];
      if (!subgraph) throw new Refusal(`it calls the subgraph ${index}, which does not exist`, undefined);
      if (subgraph.inputs.length !== args.length) {
        throw new Refusal(
          `it gives ${args.length} values to the subgraph "${subgraph.name}", which takes ${subgraph.inputs.length}`,
          undefined,
        );
      }
      this.called += subgraph.operators.length + 1;
      if (this.called > mostCalled || this.depth === deepestCall) {
        throw new Refusal(
          `written out, its subgraph "${subgraph.name}" would be more than ${mostCalled} operators or ${deepestCall} calls deep`,
          'Convert the model from its source with a shorter sequence.',
        );
      }
      const names = new Map<number, string>();
      const nameOf = (tensor: number): string => {
        const known = names.get(tensor);
        if (known !== undefined) return known;
        const free = this.freeName(`${name}/${subgraph.tensors[tensor].name || tensor}`);
        names.set(tensor, free);
        return free;
      };
      const scope: Scope = {
        subgraph,
        values: new Map(),
        fixed: this.fixedOf(subgraph),
        complex: new Map(),
        nameOf,
      };
      subgraph.inputs.forEach((tensor, i) => {
        scope.values.set(tensor, args[i]);
      });
      this.depth++;
      for (const operator of subgraph.operators) this.operator(scope, operator);
      this.depth--;
      const results = subgraph.outputs.map((tensor) => this.value(scope, tensor));
      return results.every((value) => value !== undefined) ? (results as Value[]) : undefined;
    };
  }

  /** A name that neither a value nor a tensor of the main subgraph has. */
  private freeName(wanted: string): string {
    let name = this.builder.freeName(wanted);
    for (let i = 1; this.reserved.has(name); i++) name = this.builder.freeName(`${wanted}/${i}`);
    return name;
  }

  private fixedOf(subgraph: SubgraphView): Map<number, Value> {
    const known = this.fixed.get(subgraph) ?? new Map<number, Value>();
    this.fixed.set(subgraph, known);
    return known;
  }

  /** The value of a tensor; a constant enters the graph when it is first read. */
  private value(scope: Scope, index: number): Value | undefined {
    const known = scope.values.get(index) ?? scope.fixed.get(index);
    if (known) return known;
    const tensor = scope.subgraph.tensors[index];
    const { dtype, shape, quant } = tensor;
    const isKnown = tensor.data || tensor.isVariable || elementCount(shape) === 0;
    if (!isKnown || !dtype) return undefined;
    const name = scope.nameOf(index);
    const value = this.builder.constant(name, { dtype, shape, bytes: constantBytes(tensor, name) }, quant);
    scope.fixed.set(index, value);
    return value;
  }

  /** Notes what a reader made, with the storage type and the scale that the file gives it. */
  private takeOutput(scope: Scope, operator: OperatorView, index: number): void {
    const { quant, dtype } = scope.subgraph.tensors[index];
    const made = this.builder.get(scope.nameOf(index));
    const differs = quant !== undefined || (dtype !== undefined && dtype !== made.type.dtype);
    const value =
      differs && !made.constant
        ? this.builder.quantize(made.id, { dtype: dtype ?? made.type.dtype, shape: made.type.shape }, quant)
        : made;
    const isFixed = operator.inputs.every((input) => input < 0 || scope.fixed.has(input));
    (isFixed ? scope.fixed : scope.values).set(index, value);
  }

  private output({ name, tensor }: Port): string {
    const value = this.value(this.main, tensor);
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

/** An operator as one on the real or the imaginary parts alone. */
function partView(view: TfliteOpView, part: 'real' | 'imaginary'): TfliteOpView {
  const outputs = view.outputs.map(({ name, type }) => ({
    name: `${name}/${part}`,
    type: { ...type, dtype: 'float32' as const },
  }));
  return { ...view, name: `${view.name}/${part}`, outputs };
}

/** The bytes of a constant as the IR wants them: dense, and zeros for what a runtime keeps between runs. */
function constantBytes({ data, dtype, shape, sparsity }: TensorView, name: string): Uint8Array {
  const count = elementCount(shape);
  const needed = byteLength(dtype!, count);
  if (!data) return new Uint8Array(needed);
  if (sparsity) {
    try {
      return denseBytes(data, sparsity, shape, dtypeBits[dtype!] / 8);
    } catch (error) {
      throw new Error(`the sparse constant ${name} cannot be read: ${(error as Error).message}`);
    }
  }
  if (data.byteLength === needed) return data;
  throw new Error(
    `the constant ${name} has ${data.byteLength} bytes; ${dtype} [${shape.join(', ')}] takes ${needed}`,
  );
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
