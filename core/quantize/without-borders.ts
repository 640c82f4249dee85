/** A QDQ graph as the graph on reals that it was made from, with the ranges that its scales stand for. */
import type { Range, Ranges } from '../calibrate/observer.ts';
import { GraphBuilder } from '../ir/builder.ts';
import { type Graph, type Node, type QuantParams, type Value, valueNamed } from '../ir/graph.ts';
import { elementCount, floatTensor, type Tensor, toFloat32 } from '../ir/tensor.ts';
import { foldNode, inferTypes } from '../ops/registry.ts';
import { inputRule, onlyMoves, ruleOf } from './rules.ts';

export interface WithoutBorders {
  readonly graph: Graph;
  /** Of every value that had a border. */
  readonly ranges: Ranges;
}

const integerRange: Readonly<Record<string, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
};

/**
 * Takes the borders out: constants become reals, and what a QuantizeLinear rounded keeps its range. Quantized anew with
 * these ranges it has the same steps. Undefined where integers are more than what stands between two borders: as inputs,
 * as outputs, or under operators that work on them.
 */
export function withoutBorders(graph: Graph): WithoutBorders | undefined {
  if (!graph.nodes.some(isBorder)) return undefined;
  try {
    return new Removal(graph).run();
  } catch (error) {
    if (error instanceof NotReal) return undefined;
    throw error;
  }
}

/** Whether an operator hands the elements of its first input on, whatever they stand for. */
function isMove(node: Node): boolean {
  const rule = ruleOf(node);
  const isAlone =
    (rule && node.inputs.every((_, slot) => slot === 0 || inputRule(rule, slot).kind === 'plain')) ?? false;
  return rule !== undefined && isAlone && onlyMoves(rule);
}

/** Whether the results of an operator may be below zero although those before it are not: it mixes several operands. */
function mayBeNegative(node: Node): boolean {
  const rule = ruleOf(node);
  if ((node.attrs.activation ?? 'none') !== 'none') return false;
  if (!rule) return true;
  const isReal = (id: string | null, slot: number) => id !== null && inputRule(rule, slot).kind !== 'plain';
  return node.inputs.filter(isReal).length > 1 && !onlyMoves(rule);
}

class NotReal extends Error {}

function isBorder({ op }: Node): boolean {
  return op === 'QuantizeLinear' || op === 'DequantizeLinear';
}

/** Reals of integers, each with the scale of its place along an axis, or with the one there is. */
function realsOf(constant: Tensor, { scales, zeroPoints, axis = 0 }: QuantParams): Tensor {
  const inner = elementCount(constant.shape.slice(axis + 1));
  const size = constant.shape[axis] ?? 1;
  const reals = toFloat32(constant).map((q, i) => {
    const at = scales.length > 1 ? Math.floor(i / inner) % size : 0;
    return scales[at] * (q - (zeroPoints[at] ?? 0));
  });
  return floatTensor(constant.shape, reals);
}

class Removal {
  private readonly graph: Graph;
  private readonly builder: GraphBuilder;
  /** What stands for each value of the source. */
  private readonly values = new Map<string, Value>();
  private readonly ranges = new Map<string, Range>();
  /** Integers by the real value that was rounded to them. */
  private readonly rounded = new Map<string, { readonly real: Value; readonly range: Range }>();
  private readonly names: ReadonlyMap<string, string>;
  /** Values that may be below zero. */
  private readonly signed = new Set<string>();

  constructor(graph: Graph) {
    this.graph = graph;
    this.builder = new GraphBuilder(graph.name, inferTypes, foldNode);
    this.names = outputNames(graph);
  }

  run(): WithoutBorders {
    for (const id of this.graph.inputs) {
      const { type, quant } = valueNamed(this.graph, id);
      if (quant) throw new NotReal();
      this.values.set(id, this.builder.input(id, type));
    }
    for (const node of this.graph.nodes) this.node(node);
    const outputs = this.graph.outputs.map((id) => {
      const value = this.valueOf(id);
      return value.id === id ? id : this.builder.one('Identity', [value], {}, { outputs: [id] }).id;
    });
    const graph = this.builder.finish(outputs, { ...this.graph.source, rounds: true });
    return { graph, ranges: this.ranges };
  }

  private node(node: Node): void {
    const [input] = node.inputs;
    if (node.op === 'QuantizeLinear') {
      const { type, quant } = valueNamed(this.graph, node.outputs[0]);
      const limits = integerRange[type.dtype];
      if (quant?.scales.length !== 1 || !limits) throw new NotReal();
      const [min, max] = limits.map((q) => quant.scales[0] * (q - (quant.zeroPoints[0] ?? 0)));
      const real = this.valueOf(input!);
      // Quantizers leave a ReLU out where no integer stands for less than zero.
      const isCut = min === 0 && this.signed.has(real.id);
      const kept = isCut ? this.builder.one('Relu', [real], {}, { name: `${real.id}/relu` }) : real;
      this.rounded.set(node.outputs[0], { real: kept, range: { min, max } });
      return;
    }
    const integers = this.rounded.get(input ?? '');
    if (integers && isMove(node)) {
      const others = node.inputs.slice(1).map((id) => (id === null ? null : this.valueOf(id)));
      const made = this.builder.add(node.op, [integers.real, ...others], node.attrs, { name: node.id });
      node.outputs.forEach((id, i) => {
        this.rounded.set(id, { real: made[i], range: integers.range });
      });
      return;
    }
    if (node.op === 'DequantizeLinear') {
      this.values.set(node.outputs[0], this.dequantized(input!));
      return;
    }
    const inputs = node.inputs.map((id) => (id === null ? null : this.valueOf(id)));
    const outputs = node.outputs.map((id) => this.names.get(id) ?? id);
    const types = node.outputs.map((id) => valueNamed(this.graph, id).type);
    const made = this.builder.add(node.op, inputs, node.attrs, { name: node.id, outputs, types });
    node.outputs.forEach((id, i) => {
      this.values.set(id, made[i]);
      if (mayBeNegative(node)) this.signed.add(made[i].id);
    });
  }

  private dequantized(id: string): Value {
    const found = this.rounded.get(id);
    if (found) {
      const before = this.ranges.get(found.real.id);
      // Readers that see one value in different steps are not told apart.
      if (before && (before.min !== found.range.min || before.max !== found.range.max)) throw new NotReal();
      if (!found.real.constant) this.ranges.set(found.real.id, found.range);
      return found.real;
    }
    const { constant, quant } = valueNamed(this.graph, id);
    if (!constant || !quant) throw new NotReal();
    return this.builder.constant(`${id}/reals`, realsOf(constant, quant));
  }

  private valueOf(id: string): Value {
    const known = this.values.get(id);
    if (known) return known;
    const { constant, quant } = valueNamed(this.graph, id);
    // Integers that no DequantizeLinear reads.
    if (!constant || quant) throw new NotReal();
    const value = this.builder.constant(id, constant);
    this.values.set(id, value);
    return value;
  }
}

/** What is rounded just before it is given out takes the output's name. */
function outputNames({ nodes, outputs, inputs }: Graph): Map<string, string> {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((id): [string, Node] => [id, node])));
  const names = new Map<string, string>();
  for (const output of outputs) {
    const last = makers.get(output);
    const rounding = last?.op === 'DequantizeLinear' ? makers.get(last.inputs[0] ?? '') : undefined;
    const real = rounding?.op === 'QuantizeLinear' ? rounding.inputs[0] : undefined;
    const isFree = real && !inputs.includes(real) && !outputs.includes(real) && !names.has(real);
    if (isFree && makers.has(real)) names.set(real, output);
  }
  return names;
}
