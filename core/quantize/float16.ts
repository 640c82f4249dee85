import { GraphBuilder } from '../ir/builder.ts';
import { type Graph, type Node, type Value, valueNamed } from '../ir/graph.ts';
import { tensorOf, toFloat32 } from '../ir/tensor.ts';
import { largestHalf, toHalf, toHalfBalanced } from '../kernels/half.ts';
import { inferTypes } from '../ops/registry.ts';
import { sizeOf } from './constants.ts';
import type { PlanWarning } from './plan.ts';
import { recurrentOperators } from './recurrences.ts';
import { inputRule, isFloatValue, ruleOf } from './rules.ts';

/** Constants of fewer elements stay float32: the operator that widens them again would outweigh what they save. */
export const smallestHalfConstant = 64;

/**
 * The constants that are stored in float16: operands of operators that have rules, large enough to gain.
 * @param takes the operators that are asked for it; all when left out
 */
export function halfConstants(graph: Graph, takes: (node: Node) => boolean = () => true): Set<string> {
  const found = new Set<string>();
  for (const node of graph.nodes) {
    const rule = ruleOf(node);
    if (!rule || !takes(node)) continue;
    node.inputs.forEach((id, slot) => {
      const { kind } = inputRule(rule, slot);
      if (id === null || kind === 'plain' || kind === 'bias') return;
      const value = valueNamed(graph, id);
      if (value.constant && isFloatValue(value) && sizeOf(value.constant) >= smallestHalfConstant)
        found.add(id);
    });
  }
  return found;
}

/**
 * Stores constants in float16 behind a Cast to float32, which the TFLite writer turns into DEQUANTIZE (as TensorFlow's
 * converter does). Rounds so that the errors of each output channel cancel, but to the nearest numbers in recurrences,
 * whose states have either sign and no mean that errors would add up by. Numbers beyond ±65504 are held there, with a
 * warning, and never become infinite.
 * @param takes as in `halfConstants`
 */
export function storeInFloat16(
  graph: Graph,
  takes?: (node: Node) => boolean,
): { graph: Graph; warnings: PlanWarning[] } {
  const halves = halfConstants(graph, takes);
  const recurrent = constantsOf(graph, recurrentOperators(graph));
  const builder = new GraphBuilder(graph.name, inferTypes);
  const values = new Map<string, Value>();
  const warnings: PlanWarning[] = [];
  if (halves.size === 0) {
    const message = `no constants of at least ${smallestHalfConstant} elements that have a use for float16: nothing is stored in it`;
    warnings.push({ code: 'quantize.nothing', message });
  }
  for (const id of graph.inputs) {
    const { type, quant } = valueNamed(graph, id);
    values.set(id, builder.input(id, type, quant));
  }
  const operand = (id: string, half: boolean): Value => {
    const known = values.get(half ? `${id}/float16` : id);
    if (known) return known;
    const { constant: given, quant } = valueNamed(graph, id);
    const constant = given!;
    if (!half) return remember(values, id, builder.constant(id, constant, quant));
    const rows = Math.max(1, constant.shape[0] ?? 1);
    const data = toFloat32(constant);
    const { bits, clamped } = recurrent.has(id) ? toHalf(data) : toHalfBalanced(data, rows);
    if (clamped > 0) warnings.push(clampedWarning(id, clamped));
    const stored = builder.constant(`${id}/float16`, tensorOf('float16', constant.shape, bits));
    const name = builder.freeName(id);
    const wide = builder.one(
      'Cast',
      [stored],
      { to: 'float32' },
      {
        name: `${id}/cast`,
        outputs: [name],
        types: [{ dtype: 'float32', shape: constant.shape }],
      },
    );
    return remember(values, `${id}/float16`, wide);
  };
  for (const node of graph.nodes) {
    const rule = ruleOf(node);
    const inputs = node.inputs.map((id, slot) => {
      if (id === null) return null;
      const half = rule !== undefined && halves.has(id) && inputRule(rule, slot).kind !== 'plain';
      return operand(id, half);
    });
    const types = node.outputs.map((id) => valueNamed(graph, id).type);
    const outputs = builder.add(node.op, inputs, node.attrs, { name: node.id, outputs: node.outputs, types });
    node.outputs.forEach((id, slot) => {
      const { quant } = valueNamed(graph, id);
      values.set(id, quant ? builder.quantize(id, outputs[slot].type, quant) : outputs[slot]);
    });
  }
  for (const id of graph.outputs) if (!values.has(id)) operand(id, false);
  return { graph: builder.finish(graph.outputs, graph.source), warnings };
}

/** The constants that some operators read. */
function constantsOf(graph: Graph, operators: ReadonlySet<string>): Set<string | null> {
  return new Set(graph.nodes.filter(({ id }) => operators.has(id)).flatMap(({ inputs }) => inputs));
}

function remember(values: Map<string, Value>, key: string, value: Value): Value {
  values.set(key, value);
  return value;
}

function clampedWarning(id: string, count: number): PlanWarning {
  return {
    code: 'quantize.float16-overflow',
    message: `${count} ${count === 1 ? 'element' : 'elements'} of ${id} beyond ±${largestHalf} held at float16's largest number`,
    node: id,
  };
}
