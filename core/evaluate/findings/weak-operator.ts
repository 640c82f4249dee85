import { type FindingKind, keepFloat, lossOf, readersOf, weighsAtEnd, writeLoss } from './finding.ts';

const leastLossDb = 6;

/** Where the network loses most, whatever the cause. */
export const weakOperator: FindingKind = {
  id: 'weak-operator',
  find: (facts) =>
    facts.operators.flatMap((operator) => {
      if (operator.mode === 'float') return [];
      const loss = lossOf(facts, operator);
      if (loss.db < leastLossDb || !weighsAtEnd(facts, operator)) return [];
      return [
        {
          severity: 'info',
          title: 'Quality falls here',
          text: writeLoss(operator, loss),
          node: operator.name,
          op: operator.op,
          weight: loss.db,
          trial: keepFloat('Keep it, and what reads it, in float32.', [
            operator,
            ...readersOf(facts, operator.name),
          ]),
        },
      ];
    }),
};
