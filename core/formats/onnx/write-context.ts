/** Collects the nodes and initializers of an ONNX graph that is being written. */
import { type Issue, WhittleError } from '../../contract/errors.ts';
import { type Graph, type Node, type Value, type ValueId, valueNamed } from '../../ir/graph.ts';
import type { Tensor } from '../../ir/tensor.ts';
import type { OnnxAttr, OnnxWriteContext } from '../../ops/facets.ts';
import { Contents } from '../contents.ts';
import type { ExternalWeights } from './external-weights.ts';
import { inOpset, MeaningChanged } from './meanings.ts';
import { opaqueProto, protosOf } from './opaque.ts';
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
  private readonly external: ExternalWeights | undefined;
  private readonly names: Set<string>;
  /** Name of the initializer that holds a constant's content. */
  private readonly initializerOf = new Map<ValueId, ValueId>();
  private readonly contents = new Contents();
  private readonly firstByContent = new Map<string, ValueId>();
  private current: Node | undefined;
  private count = 0;

  constructor(graph: Graph, opset: number, external: ExternalWeights | undefined) {
    this.graph = graph;
    this.external = external;
    this.opset = opset;
    const inner = graph.nodes.flatMap(protosOf).flatMap(({ output }) => output);
    this.names = new Set([...graph.values.keys(), ...inner]);
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
    const id = this.current?.id ?? opType;
    this.nodes.push({
      input: inputs.map((input) => (input === null ? '' : this.operand(input))),
      output: [...outputs],
      name: this.count++ === 0 ? id : `${id}/${this.count - 1}`,
      opType,
      attribute: Object.entries(attrs).map(([name, attr]) => attributeProto(name, attr)),
    });
  }

  /**
   * Adds the NodeProto that an opaque node carries.
   * @param opset of ai.onnx that it is from.
   */
  opaque(node: Node, opset = 1): void {
    const inputs = node.inputs.map((input) => (input === null ? '' : this.operand(input)));
    const proto = opaqueProto(node, inputs, (name) => {
      const alias = this.fresh(name);
      this.node('Identity', [name], [alias]);
      return alias;
    });
    try {
      this.nodes.push(inOpset(proto, opset, this.opset));
    } catch (error) {
      if (!(error instanceof MeaningChanged)) throw error;
      this.refuse(
        `${error.node.opType} of opset ${opset} means something else in opset ${this.opset}`,
        'Convert the source with onnx.version_converter first.',
      );
    }
  }

  /** Writes a value that is known beforehand under its own name, as a graph's output needs it. */
  constant(id: ValueId): void {
    const constant = this.graph.values.get(id)?.constant;
    if (!constant || this.initializerOf.get(id) === id) return;
    this.initializerOf.set(id, id);
    this.initializers.push(tensorToProto(id, constant));
  }

  initializer(name: string, tensor: Tensor): ValueId {
    const free = this.fresh(name);
    return this.shared(free, tensor);
  }

  /** Name under which a node finds a value. */
  private operand(id: ValueId): ValueId {
    const constant = this.graph.values.get(id)?.constant;
    return constant ? (this.initializerOf.get(id) ?? this.shared(id, constant)) : id;
  }

  /** Identical constants stand in the file once. */
  private shared(name: ValueId, tensor: Tensor): ValueId {
    const content = `${tensor.dtype} ${tensor.shape} ${this.contents.numberOf(tensor)}`;
    const first = this.firstByContent.get(content) ?? name;
    if (first === name) {
      this.firstByContent.set(content, name);
      this.initializers.push(this.external?.move(name, tensor) ?? tensorToProto(name, tensor));
    }
    this.initializerOf.set(name, first);
    return first;
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
