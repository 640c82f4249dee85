import { type Issue, WhittleError } from '../../contract/errors.ts';
import { byteLength, isFloat } from '../../ir/dtype.ts';
import type { Graph, Node, QuantParams, Value, ValueId } from '../../ir/graph.ts';
import { elementCount, floatTensor, Scratch, type Tensor, toFloat32, toNumbers } from '../../ir/tensor.ts';
import type { InnerType, TfliteTensorRef, TfliteWriteContext } from '../../ops/facets.ts';
import { Contents } from '../contents.ts';
import { arrange, arrangeQuant, quantOfBorder } from './constants.ts';
import type { BufferContent } from './flatbuffer.ts';
import { draftModel, type FileOperator, type FileTensor } from './model-draft.ts';
import type { Draft } from './schema.ts';
import { newestRuntime, operatorVersion, runtimeOf } from './versions.ts';

/** Thrown by `refuse` and caught where the node is written, so that all refusals are collected. */
class Refusal extends Error {
  readonly hint?: string;
  constructor(message: string, hint: string | undefined) {
    super(message);
    this.hint = hint;
  }
}

const emptyBuffer: BufferContent = { byteLength: 0, bytes: () => new Uint8Array(0) };

/** Gathers tensors, buffers and operators of the file while the operators' writers run. */
export class WriteContext implements TfliteWriteContext {
  private readonly graph: Graph;
  private readonly tensors: FileTensor[] = [];
  private readonly operators: FileOperator[] = [];
  /** Buffer 0 is empty by convention: tensors without data name it. */
  readonly buffers: BufferContent[] = [emptyBuffer];
  private readonly scratch = new Scratch();
  private readonly contents = new Contents();
  private readonly bufferByContent = new Map<number, number>();
  private readonly tensorByContent = new Map<string, number>();
  private readonly tensorByKey = new Map<string, number>();
  private readonly names = new Set<string>();
  private readonly read: ReadonlySet<ValueId>;
  /** Values that are a constant behind a Cast or DequantizeLinear: one DEQUANTIZE each, made when first asked for. */
  private readonly dequantized = new Map<ValueId, Value>();
  private readonly quantized = new Map<ValueId, Value>();
  private readonly issues: Issue[] = [];
  private node: Node | undefined;

  constructor(graph: Graph) {
    this.graph = graph;
    const inputs = graph.nodes.flatMap((node) => node.inputs.filter((id) => id !== null));
    this.read = new Set([...graph.outputs, ...inputs]);
    for (const name of [...graph.inputs, ...graph.outputs]) this.names.add(name);
    for (const node of graph.nodes) {
      this.noteQuantized(node);
      this.noteDequantized(node);
    }
    for (const input of graph.inputs) this.tensor(input);
  }

  /** Whether a node is written where its output is used, not in its own place. */
  isDequantizer(node: Node): boolean {
    return this.dequantized.has(node.outputs[0]);
  }

  /** Runs one node's writer; a refusal becomes an issue. */
  write(node: Node, writer: () => void): void {
    this.node = node;
    try {
      writer();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.issue(error.message, error.hint);
    }
    this.node = undefined;
  }

  value(id: ValueId): Value {
    const value = this.lookup(id);
    const source = this.dequantized.get(id);
    if (!source) return value;
    return {
      ...value,
      get constant() {
        return dequantizedConstant(source);
      },
    };
  }

  tensor(id: ValueId, perm?: readonly number[]): TfliteTensorRef {
    const key = perm ? `${id}\n${perm.join()}` : id;
    let index = this.tensorByKey.get(key);
    if (index === undefined) {
      index = this.makeTensor(id, perm);
      this.tensorByKey.set(key, index);
    }
    return { index };
  }

  constant(name: string, tensor: Tensor, quant?: QuantParams): TfliteTensorRef {
    return { index: this.addConstant(name, tensor, quant) };
  }

  inner(name: string, type: InnerType, quant?: QuantParams): TfliteTensorRef {
    return { index: this.addTensor(this.freeName(name), type, quant, 0) };
  }

  isRead(id: ValueId): boolean {
    return this.read.has(id);
  }

  op(
    builtin: string,
    inputs: readonly (TfliteTensorRef | null)[],
    outputs: readonly TfliteTensorRef[],
    options?: { readonly table: string; readonly fields: Readonly<Record<string, unknown>> },
    version?: number,
  ): void {
    const signature = {
      builtin,
      inputs: inputs.map((ref) => (ref ? this.tensors[ref.index] : null)),
      outputs: outputs.map((ref) => this.tensors[ref.index]),
      options: options?.fields ?? {},
    };
    this.operators.push({
      builtin,
      version: version ?? operatorVersion(signature),
      inputs: inputs.map((ref) => ref?.index ?? -1),
      outputs: outputs.map((ref) => ref.index),
      options,
    });
  }

  refuse(message: string, hint?: string): never {
    throw new Refusal(message, hint);
  }

  /** Notes a refusal outside of a writer. */
  issue(message: string, hint?: string): void {
    this.issues.push({
      code: 'model.unsupported-operator',
      severity: 'error',
      message,
      node: this.node?.id,
      op: this.node?.op,
      hint,
    });
  }

  /** @throws WhittleError with everything that was refused, if anything was. */
  throwIssues(): void {
    if (this.issues.length === 0) return;
    const first = this.issues[0];
    const more = this.issues.length > 1 ? ` (and ${this.issues.length - 1} more)` : '';
    throw new WhittleError(
      'model.unsupported-operator',
      `${this.graph.name} cannot be written as TFLite: ${first.node ? `${first.node} (${first.op}): ` : ''}${first.message}${more}.`,
      { hint: first.hint, issues: this.issues },
    );
  }

  /** A tensor that can be an output: a copy where the value is an input or a constant. */
  output(id: ValueId): TfliteTensorRef {
    const value = this.lookup(id);
    if (!value.constant && !this.graph.inputs.includes(id)) return this.tensor(id);
    const copy = this.inner(`${id}/output`, value.type, value.quant);
    if (value.type.shape.length === 0) {
      this.op('SQUEEZE', [this.tensor(id)], [copy], {
        table: 'SqueezeOptions',
        fields: { squeeze_dims: [] },
      });
      return copy;
    }
    const shape = this.constant(`${id}/shape`, {
      dtype: 'int32',
      shape: [value.type.shape.length],
      bytes: new Uint8Array(Int32Array.from(value.type.shape as number[]).buffer),
    });
    this.op('RESHAPE', [this.tensor(id), shape], [copy]);
    return copy;
  }

  operatorCounts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { builtin } of this.operators) counts[builtin] = (counts[builtin] ?? 0) + 1;
    return counts;
  }

  minRuntime(): string {
    return newestRuntime(this.operators.map(({ builtin, version }) => runtimeOf(builtin, version)));
  }

  /** The model's table without its buffers. */
  draft(outputs: readonly TfliteTensorRef[]): Draft<'Model'> {
    return draftModel({
      tensors: this.tensors,
      operators: this.operators,
      inputs: this.graph.inputs.map((id) => this.tensor(id).index),
      outputs: outputs.map((ref) => ref.index),
    });
  }

  private lookup(id: ValueId): Value {
    const value = this.quantized.get(id) ?? this.graph.values.get(id);
    if (!value) throw new Error(`graph ${this.graph.name} has no value ${id}`);
    return value;
  }

  /** What QuantizeLinear makes and DequantizeLinear takes, with the border's scale where the value has none. */
  private noteQuantized(node: Node): void {
    if (node.op !== 'QuantizeLinear' && node.op !== 'DequantizeLinear') return;
    const value = this.lookup(node.op === 'QuantizeLinear' ? node.outputs[0] : node.inputs[0]!);
    if (value.quant) return;
    const [, scale, zeroPoint] = node.inputs.map((id) => (id ? this.lookup(id) : undefined));
    const quant = quantOfBorder(scale, zeroPoint, node.attrs.axis as number, toNumbers);
    if (quant) this.quantized.set(value.id, { ...value, quant });
  }

  private noteDequantized(node: Node): void {
    const [input] = node.inputs;
    if (input === null || node.outputs.some((output) => this.graph.outputs.includes(output))) return;
    const source = this.lookup(input);
    if (!source.constant) return;
    if (node.op === 'Cast' && source.type.dtype === 'float16' && node.attrs.to === 'float32') {
      this.dequantized.set(node.outputs[0], source);
    } else if (node.op === 'DequantizeLinear' && !isFloat(source.type.dtype)) {
      const [, scale, zeroPoint] = node.inputs.map((id) => (id === null ? undefined : this.lookup(id)));
      const quant = source.quant ?? quantOfBorder(scale, zeroPoint, node.attrs.axis as number, toNumbers);
      this.dequantized.set(node.outputs[0], { ...source, quant });
    }
  }

  private makeTensor(id: ValueId, perm: readonly number[] | undefined): number {
    const value = this.lookup(id);
    const source = this.dequantized.get(id);
    if (source?.constant) {
      const stored = this.addConstant(
        source.id,
        arrange(source.constant, perm),
        arrangeQuant(source.quant, perm),
      );
      const shape = this.tensors[stored].shape;
      const output = this.addTensor(this.freeName(id), { dtype: value.type.dtype, shape }, undefined, 0);
      this.op('DEQUANTIZE', [{ index: stored }], [{ index: output }]);
      return output;
    }
    if (value.constant) {
      return this.addConstant(id, arrange(value.constant, perm), arrangeQuant(value.quant, perm));
    }
    if (perm) this.refuse(`${id} is computed while the model runs, where TFLite wants a constant`);
    const name = this.graph.inputs.includes(id) || this.graph.outputs.includes(id) ? id : this.freeName(id);
    return this.addTensor(name, value.type, value.quant, 0);
  }

  private addConstant(name: string, tensor: Tensor, quant: QuantParams | undefined): number {
    if (tensor.dtype === 'string') this.refuse(`${name} holds text, which TFLite models from Whittle cannot`);
    const content = this.contents.numberOf(tensor);
    const key = `${tensor.dtype} ${tensor.shape.join()} ${JSON.stringify(quant ?? null)} ${content}`;
    let index = this.tensorByContent.get(key);
    if (index === undefined) {
      let buffer = this.bufferByContent.get(content);
      if (buffer === undefined) {
        buffer = this.buffers.length;
        const size = byteLength(tensor.dtype, elementCount(tensor.shape));
        this.buffers.push({ byteLength: size, bytes: () => this.scratch.bytesOf(tensor) });
        this.bufferByContent.set(content, buffer);
      }
      index = this.addTensor(this.freeName(name), tensor, quant, buffer);
      this.tensorByContent.set(key, index);
    }
    return index;
  }

  private addTensor(name: string, type: InnerType, quant: QuantParams | undefined, buffer: number): number {
    const shape = type.shape.map((dim) => {
      if (typeof dim === 'number') return dim;
      return this.refuse(
        `${name} has the open dimension ${dim}`,
        'Give the input shapes, so that all are known.',
      );
    });
    this.tensors.push({
      name,
      dtype: type.dtype,
      shape,
      quant,
      buffer,
      scales: quant?.scales,
      perAxis: (quant?.scales.length ?? 0) > 1,
    });
    return this.tensors.length - 1;
  }

  private freeName(wanted: string): string {
    let name = wanted;
    for (let i = 1; this.names.has(name); i++) name = `${wanted}_${i}`;
    this.names.add(name);
    return name;
  }
}

/** The numbers that a float16 or integer constant stands for, for writers that look at small constants. */
function dequantizedConstant(source: Value): Tensor {
  const tensor = source.constant!;
  const data = toFloat32(tensor);
  const quant = source.quant;
  if (!quant) return floatTensor(tensor.shape, data);
  const { scales, zeroPoints, axis } = quant;
  const inner = axis === undefined ? 1 : tensor.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  return floatTensor(
    tensor.shape,
    data.map((q, i) => {
      const channel = scales.length > 1 ? Math.floor(i / inner) % scales.length : 0;
      return scales[channel] * (q - (zeroPoints[channel] ?? 0));
    }),
  );
}
