import { type FindingKind, find, goodDb, keepFloat, qualityOf, readersOf, write } from './finding.ts';

const leastRatio = 8;

/** What is joined has very different ranges, and one scale for all of it. */
export const unbalancedConcat: FindingKind = {
  id: 'unbalanced-concat',
  find: (facts) =>
    facts.operators.flatMap((operator) => {
      if (operator.op !== 'Concat' || operator.mode !== 'integer' || qualityOf(operator) > goodDb) return [];
      const spans = operator.inputs.flatMap((name) => {
        const activation = find(facts, name)?.activation;
        return activation
          ? [{ name, span: Math.max(Math.abs(activation.min), Math.abs(activation.max)) }]
          : [];
      });
      if (spans.length < 2) return [];
      const widest = spans.reduce((a, b) => (b.span > a.span ? b : a));
      const narrowest = spans.reduce((a, b) => (b.span < a.span ? b : a));
      const ratio = widest.span / narrowest.span;
      if (!(ratio >= leastRatio) || !Number.isFinite(ratio)) return [];
      const bits = Math.log2(ratio);
      return [
        {
          severity: 'warning',
          title: 'Joins what has very different ranges',
          text: `${widest.name} reaches ${write(widest.span)} and ${narrowest.name} only ${write(narrowest.span)}. Joined, they share one scale, and the narrower loses ${write(bits)} of its bits.`,
          node: operator.name,
          op: operator.op,
          weight: 6 * bits + goodDb - qualityOf(operator),
          explains: operator.inputs,
          trial: keepFloat('Join in float32, and keep what reads it in float32 too.', [
            operator,
            ...readersOf(facts, operator.name),
          ]),
        },
      ];
    }),
};
