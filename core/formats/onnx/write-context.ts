/** Collects the nodes and initializers of an ONNX graph that is being written. */
import { type Issue, WhittleError } from '../../contract/errors.ts';
import { type Graph, type Node, type Value, type ValueId, valueNamed } from '../../ir/graph.ts';
import type { Tensor } from '../../ir/tensor.ts';
import type { OnnxAttr, OnnxWriteContext } from '../../ops/facets.ts';
import { type AttributeProto, attributeTypes, type NodeProto, type TensorProto } from './schema.ts';
import { tensorToProto } from './tensors.ts';

const utf8 = new TextEncoder();

export function attributeProto(name: string, attr: OnnxAttr): AttributeProto {
  const base: AttributeProto = { name, floats: [], ints: [], strings: [] };
  if ('int' in attr) return { ...base, i: attr.int, type: attributeTypes.int };
  if ('ints' in attr) return { ...base, ints: [...attr.ints], type: attributeTypes.ints };
  if ('float' in attr) return { ...base, f: attr.float, type: attributeTypes.float };
  if ('floats' in attr) return { ...base, floats: [...attr.floats], type: attributeTypes.floats };
  if ('string' in attr) return { ...base, s: utf8.encode(attr.string), type: attributeTypes.string };
  if ('strings' in attr) {
    return { ...base, strings: attr.strings.map((text) => utf8.encode(text)), type: attributeTypes.strings };
  }
  return { ...base, t: tensorToProto('', attr.tensor), type: attributeTypes.tensor };
}

export class WriteContext implements OnnxWriteContext {
  readonly opset: number;
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  private readonly graph: Graph;
  private readonly names: Set<string>;
  private readonly written = new Set<ValueId>();
  private current: Node | undefined;
  private count = 0;

  constructor(graph: Graph, opset: number) {
    this.graph = graph;
    this.opset = opset;
    this.names = new Set(graph.values.keys());
  }

  /** The node that what follows is written for: it names NodeProtos and refusals. */
  begin(node: Node): void {
    this.current = node;
    this.count = 0;
  }

  value(id: ValueId): Value {
    return valueNamed(this.graph, id);
  }

  node(
    opType: string,
    inputs: readonly (ValueId | null)[],
    outputs: readonly ValueId[],
    attrs: Record<string, OnnxAttr> = {},
  ): void {
    for (const input of inputs) if (input !== null) this.constant(input);
    const id = this.current?.id ?? opType;
    this.nodes.push({
      input: inputs.map((input) => input ?? ''),
      output: [...outputs],
      name: this.count++ === 0 ? id : `${id}/${this.count - 1}`,
      opType,
      attribute: Object.entries(attrs).map(([name, attr]) => attributeProto(name, attr)),
    });
  }

  /** Writes a value that is known beforehand, once. */
  constant(id: ValueId): void {
    const constant = this.graph.values.get(id)?.constant;
    if (!constant || this.written.has(id)) return;
    this.written.add(id);
    this.initializers.push(tensorToProto(id, constant));
  }

  initializer(name: string, tensor: Tensor): ValueId {
    const free = this.fresh(name);
    this.initializers.push(tensorToProto(free, tensor));
    return free;
  }

  fresh(base: string): ValueId {
    let name = base;
    for (let i = 1; this.names.has(name); i++) name = `${base}_${i}`;
    this.names.add(name);
    return name;
  }

  refuse(message: string, hint?: string): never {
    const sentence = `${this.current?.op} "${this.current?.id}" cannot be written as ONNX: ${message}.`;
    const issue: Issue = {
      code: 'model.unsupported-option',
      severity: 'error',
      node: this.current?.id,
      op: this.current?.op,
      message: sentence,
      hint,
    };
    throw new WhittleError('model.unsupported-option', sentence, { hint, issues: [issue] });
  }
}
