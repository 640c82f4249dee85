/** One NodeDef as operator readers see it. */
import { WhittleError } from '../../contract/errors.ts';
import type { DType } from '../../ir/dtype.ts';
import type { Value } from '../../ir/graph.ts';
import type { GraphDefNodeView } from '../../ops/facets.ts';
import { type AttrValue, dataTypeNames, dataTypes, type NodeDef } from './schema.ts';

const utf8 = new TextDecoder();

/** Attributes that say nothing about the result: sizes of lists, hints for kernels, names of resources. */
const silent = new Set([
  'N',
  'num',
  'num_args',
  'num_host_args',
  'use_cudnn_on_gpu',
  'validate_indices',
  'validate_shape',
  'bad_indices_policy',
  'incompatible_shape_error',
  'grad_a',
  'grad_b',
  'grad_x',
  'grad_y',
  'debug_name',
  // Both are of fused operators and are asked for where the fused part needs them.
  'epsilon',
  'leakyrelu_alpha',
]);

/**
 * An operator's view on its node. It keeps count of the attributes that were read, so that one which no reader looked
 * at is refused instead of being ignored: it could change the result.
 */
export class GraphDefNode implements GraphDefNodeView {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly Value[];
  private readonly attributes: ReadonlyMap<string, AttrValue>;
  private readonly seen = new Set<string>();

  constructor(node: NodeDef, name: string, inputs: readonly Value[]) {
    this.op = node.op ?? '';
    this.name = name;
    this.inputs = inputs;
    this.attributes = new Map(node.attr.map(({ key, value }) => [key ?? '', value ?? {}]));
  }

  int(name: string, fallback: number): number {
    return this.attribute(name)?.i ?? fallback;
  }

  float(name: string, fallback: number): number {
    return this.attribute(name)?.f ?? fallback;
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.attribute(name)?.b;
    return value === undefined ? fallback : value !== 0;
  }

  string(name: string, fallback: string): string {
    const text = this.attribute(name)?.s;
    return text ? utf8.decode(text) : fallback;
  }

  ints(name: string): readonly number[] {
    return this.attribute(name)?.list?.i ?? [];
  }

  floats(name: string): readonly number[] {
    return this.attribute(name)?.list?.f ?? [];
  }

  strings(name: string): readonly string[] {
    return (this.attribute(name)?.list?.s ?? []).map((text) => utf8.decode(text));
  }

  dtype(name: string, fallback: DType): DType {
    const type = this.attribute(name)?.type;
    if (type === undefined) return fallback;
    return dataTypes[type] ?? this.refuse(`its ${name} is ${dataTypeNames[type] ?? `type ${type}`}`);
  }

  refuse(message: string, hint?: string): never {
    const sentence = `${this.op} "${this.name}": ${message}.`;
    const code = 'model.unsupported-option';
    throw new WhittleError(code, sentence, {
      hint,
      issues: [{ code, severity: 'error', node: this.name, op: this.op, message: sentence, hint }],
    });
  }

  /** Names of attributes that were never asked for and that could matter. */
  unread(): string[] {
    return [...this.attributes]
      .filter(
        ([name, { type, shape, func, list }]) =>
          !this.seen.has(name) &&
          !silent.has(name) &&
          !name.startsWith('_') &&
          type === undefined &&
          shape === undefined &&
          func === undefined &&
          !list?.type.length,
      )
      .map(([name]) => name);
  }

  private attribute(name: string): AttrValue | undefined {
    this.seen.add(name);
    return this.attributes.get(name);
  }
}
