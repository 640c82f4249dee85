/** One NodeProto as operator readers see it. */
import { WhittleError } from '../../contract/errors.ts';
import type { Graph, Value } from '../../ir/graph.ts';
import type { Tensor } from '../../ir/tensor.ts';
import type { OnnxNodeView } from '../../ops/facets.ts';
import { type AttributeProto, attributeTypes, type NodeProto } from './schema.ts';
import { type ExternalBytes, tensorFromProto } from './tensors.ts';

const utf8 = new TextDecoder();

/** "Conv", or "domain::Op" outside of ai.onnx. */
export function operatorName(node: NodeProto): string {
  const domain = normalDomain(node.domain);
  return domain ? `${domain}::${node.opType ?? ''}` : (node.opType ?? '');
}

/** The default domain has two spellings. */
export function normalDomain(domain: string | undefined): string {
  return domain === undefined || domain === 'ai.onnx' ? '' : domain;
}

export function nodeName(node: NodeProto): string {
  return node.name || node.output.find((output) => output) || operatorName(node);
}

/**
 * An operator's view on its node. It keeps count of the attributes that were read, so that one which no reader looked
 * at is refused instead of being ignored: it could change the result.
 */
export class OnnxNode implements OnnxNodeView {
  readonly opType: string;
  readonly domain: string;
  readonly name: string;
  readonly opset: number;
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly string[];
  private readonly attributes: Map<string, AttributeProto>;
  private readonly external: ExternalBytes | undefined;
  private readonly seen = new Set<string>();

  constructor(
    node: NodeProto,
    opset: number,
    inputs: readonly (Value | null)[],
    outputs: readonly string[],
    external: ExternalBytes | undefined,
  ) {
    this.opType = node.opType ?? '';
    this.domain = normalDomain(node.domain);
    this.name = nodeName(node);
    this.opset = opset;
    this.inputs = inputs;
    this.outputs = outputs;
    this.external = external;
    this.attributes = new Map(node.attribute.map((attribute) => [attribute.name ?? '', attribute]));
  }

  int(name: string, fallback: number): number {
    const attribute = this.attribute(name, 'int');
    return attribute ? (attribute.i ?? 0) : fallback;
  }

  ints(name: string): readonly number[] | undefined {
    return this.attribute(name, 'ints')?.ints;
  }

  float(name: string, fallback: number): number {
    const attribute = this.attribute(name, 'float');
    return attribute ? (attribute.f ?? 0) : fallback;
  }

  floats(name: string): readonly number[] | undefined {
    return this.attribute(name, 'floats')?.floats;
  }

  string(name: string, fallback: string): string {
    const attribute = this.attribute(name, 'string');
    return attribute ? utf8.decode(attribute.s) : fallback;
  }

  strings(name: string): readonly string[] | undefined {
    return this.attribute(name, 'strings')?.strings.map((text) => utf8.decode(text));
  }

  tensor(name: string): Tensor | undefined {
    const attribute = this.attribute(name, 'tensor');
    return attribute?.t && tensorFromProto(attribute.t, this.external, `${this.name}.${name}`);
  }

  graph(name: string): Graph | undefined {
    if (!this.attribute(name, 'graph')) return undefined;
    return this.refuse(`the subgraph ${name} cannot be read`);
  }

  refuse(message: string, hint?: string): never {
    const sentence = `${this.opType} "${this.name}": ${message}.`;
    throw new WhittleError('model.unsupported-option', sentence, {
      hint,
      issues: [
        {
          code: 'model.unsupported-option',
          severity: 'error',
          node: this.name,
          op: this.opType,
          message: sentence,
          hint,
        },
      ],
    });
  }

  /** Names of attributes that were never asked for. */
  unread(): string[] {
    return [...this.attributes.keys()].filter((name) => !this.seen.has(name));
  }

  private attribute(name: string, kind: keyof typeof attributeTypes): AttributeProto | undefined {
    this.seen.add(name);
    const attribute = this.attributes.get(name);
    if (!attribute) return undefined;
    if (attribute.refAttrName) this.refuse(`the attribute ${name} refers to a function's parameter`);
    // Files of IR version 1 and 2 leave the type out.
    if (attribute.type && attribute.type !== attributeTypes[kind]) {
      const message = `${this.opType} "${this.name}": the attribute ${name} is not of kind ${kind}.`;
      throw new WhittleError('model.invalid', message);
    }
    return attribute;
  }
}
