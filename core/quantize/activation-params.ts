import type { Range, Ranges } from '../calibrate/observer.ts';
import { type Graph, type Node, producersOf, valueNamed } from '../ir/graph.ts';
import { toFloat32 } from '../ir/tensor.ts';
import { asymmetricParams, integerRange, symmetricScale } from '../kernels/affine.ts';
import { Groups } from './groups.ts';
import { type NodePlan, operandKey, type ValuePlan } from './plan.ts';
import { floatOperands, isFloatValue, onlyMoves, outputRule, ruleOf } from './rules.ts';

type ActivationType = 'int8' | 'int16';

/** Integers of activations: 16 bits are always symmetric, 8 bits where a runtime wants them so. */
interface Integers {
  readonly type: ActivationType;
  readonly symmetric: boolean;
}

export interface ActivationParams {
  /** Parameters by value name. */
  readonly values: Record<string, ValuePlan>;
  /** Parameters by `operandKey` where an operand differs from its producer. */
  readonly requantized: Record<string, ValuePlan>;
}

/**
 * Scales and zero points of every activation that an integer operator reads or makes. Values that must agree
 * (operands and results of operators that only move elements) form groups that share one range; scales that the
 * specification fixes are kept, and an operand that must differ from a fixed one is requantized.
 * @param extra values that need parameters without an integer operator: the graph's own integer inputs and outputs
 */
export function activationParams(
  graph: Graph,
  nodes: ReadonlyMap<string, NodePlan>,
  ranges: Ranges,
  type: ActivationType,
  extra: readonly string[],
  { symmetric }: { symmetric: boolean } = { symmetric: false },
): ActivationParams {
  const integers: Integers = { type, symmetric };
  const groups = new Groups();
  const fixed = new Map<string, ValuePlan>();
  const edges = new Map<string, string>();
  const producers = producersOf(graph);
  for (const id of extra) groups.find(id);
  for (const node of graph.nodes) {
    const rule = ruleOf(node);
    if (nodes.get(node.id)?.mode !== 'integer' || !rule) continue;
    const operands = floatOperands(graph, node, rule).filter((operand) => operand.rule.kind === 'activation');
    for (const { value } of operands) groups.find(value.id);
    node.outputs.forEach((id, slot) => {
      const out = outputRule(rule, slot);
      if (out.kind === 'plain' || !isFloatValue(valueNamed(graph, id))) return;
      groups.find(id);
      if (out.kind === 'fixed') fixed.set(id, fixedPlan(out, integers));
      if (out.kind !== 'same-as-input') return;
      const sources = operands.filter(({ value }) => !value.constant);
      const given = sources.map(({ value }) => fixed.get(groups.find(value.id)));
      const agreed = given.every((plan) => plan && sameParams(plan, given[0]));
      for (const operand of agreed ? [...sources, ...operands] : operands) {
        const source = operand.value.id;
        if (agreed || !fixed.has(groups.find(source))) groups.unite(source, id);
        else {
          const key = operandKey(node.id, operand.slot);
          groups.unite(key, id);
          edges.set(key, source);
        }
      }
    });
  }
  const values: Record<string, ValuePlan> = {};
  const requantized: Record<string, ValuePlan> = {};
  for (const members of groups.sets().values()) {
    const fixedMember = members.find((member) => fixed.has(member));
    const plan = fixedMember
      ? fixed.get(fixedMember)!
      : rangePlan(
          rangeOf(graph, members, { edges, fixed, groups }, ranges, type),
          integers,
          members,
          producers,
        );
    for (const member of members) {
      if (edges.has(member)) requantized[member] = plan;
      else values[member] = plan;
    }
  }
  return { values, requantized };
}

function fixedPlan(
  rule: { int8: { scale: number; zeroPoint: number }; int16: { scale: number } },
  { type, symmetric }: Integers,
): ValuePlan {
  const reason = 'fixed by the specification';
  if (symmetric && type === 'int8') {
    const { scale, zeroPoint } = rule.int8;
    const [low, high] = integerRange.int8.map((q) => scale * (q - zeroPoint));
    return symmetricPlan({ min: low, max: high }, type, reason);
  }
  return type === 'int8'
    ? { dtype: 'int8', scales: [rule.int8.scale], zeroPoints: [rule.int8.zeroPoint], reason }
    : { dtype: 'int16', scales: [rule.int16.scale], zeroPoints: [0], reason };
}

function sameParams(a: ValuePlan, b: ValuePlan | undefined): boolean {
  return b !== undefined && a.scales[0] === b.scales[0] && a.zeroPoints[0] === b.zeroPoints[0];
}

/** How the members of a group hang together: requantized operands by key, and scales that are given. */
interface Links {
  readonly edges: ReadonlyMap<string, string>;
  readonly fixed: ReadonlyMap<string, ValuePlan>;
  readonly groups: Groups;
}

/** The union of what calibration saw of a group's members and of the constants among them. */
function rangeOf(
  graph: Graph,
  members: readonly string[],
  { edges, fixed, groups }: Links,
  ranges: Ranges,
  type: ActivationType,
): Range {
  let min = 0;
  let max = 0;
  for (const member of members) {
    const id = edges.get(member) ?? member;
    const given = edges.has(member) ? fixed.get(groups.find(id)) : undefined;
    if (given) {
      const [low, high] = integerRange[type];
      min = Math.min(min, given.scales[0] * (low - given.zeroPoints[0]));
      max = Math.max(max, given.scales[0] * (high - given.zeroPoints[0]));
      continue;
    }
    const constant = graph.values.get(id)?.constant;
    if (constant) {
      // An infinite filling (before a maximum) stands for "lowest there is" and does not widen the range.
      for (const x of toFloat32(constant)) {
        if (Number.isFinite(x)) [min, max] = [Math.min(min, x), Math.max(max, x)];
      }
      continue;
    }
    const found = ranges.get(id);
    const range = type === 'int16' ? (found?.seen ?? found) : found;
    if (range) [min, max] = [Math.min(min, range.min), Math.max(max, range.max)];
  }
  return { min, max };
}

function rangePlan(
  { min, max }: Range,
  { type, symmetric }: Integers,
  members: readonly string[],
  producers: ReadonlyMap<string, Node>,
): ValuePlan {
  const origin = members.find((member) => {
    const producer = producers.get(member);
    const rule = producer && ruleOf(producer);
    return !rule || !onlyMoves(rule);
  });
  const span = `range ${short(min)} to ${short(max)}`;
  const reason = members.length > 1 ? `${span}, shared with ${origin ?? members[0]}` : span;
  if (type === 'int16' || symmetric) return symmetricPlan({ min, max }, type, reason);
  const { scale, zeroPoint } = asymmetricParams(min, max, 'int8');
  return { dtype: 'int8', scales: [scale], zeroPoints: [zeroPoint], reason };
}

function symmetricPlan({ min, max }: Range, type: ActivationType, reason: string): ValuePlan {
  return { dtype: type, scales: [symmetricScale(Math.max(-min, max), type)], zeroPoints: [0], reason };
}

function short(x: number): string {
  return String(Number(x.toPrecision(4)));
}
