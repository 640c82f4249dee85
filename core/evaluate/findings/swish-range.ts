import {
  type FindingFacts,
  type FindingKind,
  find,
  goodDb,
  keepFloat,
  type OperatorFacts,
  qualityOf,
  write,
} from './finding.ts';

/** Depth of the lobe below zero: of x·σ(x) at −1.278, of x·relu6(x + 3)/6 at −1.5. */
const lobes: Readonly<Record<string, number>> = { Swish: 0.2785, HardSwish: 0.375 };
/** With fewer steps than this the lobe is a staircase. */
const leastSteps = 12;

/** The lobe below zero of swish and hard-swish is shallow beside a wide range above. */
export const swishRange: FindingKind = {
  id: 'swish-range',
  find: (facts) =>
    facts.operators.flatMap((operator) => {
      const kind = swishKind(facts, operator);
      const quantized = operator.activation?.quantized;
      if (!kind || !quantized || quantized.dtype === 'int16' || qualityOf(operator) > goodDb) return [];
      const steps = lobes[kind] / quantized.step;
      if (steps >= leastSteps) return [];
      return [
        {
          severity: 'warning',
          title: `Few steps for the lobe of ${kind === 'Swish' ? 'swish' : 'hard-swish'}`,
          text: `Its range goes up to ${write(quantized.high)} in steps of ${write(quantized.step)}; the ${lobes[kind]} deep lobe below zero has ${write(Math.max(1, Math.floor(steps)))} of them.`,
          node: operator.name,
          op: operator.op,
          weight: 20 * Math.log10(leastSteps / steps),
          trial: keepFloat('Keep it in float32.', [operator]),
        },
      ];
    }),
};

/** Swish by name, or as x times the sigmoid of x. */
function swishKind(facts: FindingFacts, { op, inputs }: OperatorFacts): string | undefined {
  if (op in lobes) return op;
  if (op !== 'Mul') return undefined;
  const isGate = inputs.some((name) => {
    const maker = find(facts, name);
    return maker?.op === 'Sigmoid' && inputs.includes(maker.inputs[0]);
  });
  return isGate ? 'Swish' : undefined;
}
