import { type FindingKind, type Found, keepFloat, lossOf, weighsAtEnd, writeLoss } from './finding.ts';

/** Less than this lost at one operator is its share of the noise of all. */
const leastLossDb = 4;

/** The first or the last operator with weights loses more than its share. */
export const edgeOperators: FindingKind = {
  id: 'edge-operator',
  find(facts): Found[] {
    const weighted = facts.operators.filter((operator) => operator.weighted);
    if (weighted.length < 3) return [];
    const edges = [
      { operator: weighted[0], place: 'first', why: 'All that follows works on what it made.' },
      {
        operator: weighted[weighted.length - 1],
        place: 'last',
        why: 'Nothing after it evens its error out.',
      },
    ];
    return edges.flatMap(({ operator, place, why }) => {
      const loss = lossOf(facts, operator);
      if (operator.mode === 'float' || loss.db < leastLossDb || !weighsAtEnd(facts, operator)) return [];
      return [
        {
          severity: 'warning',
          title: `The ${place} operator with weights loses much`,
          text: `${writeLoss(operator, loss)} ${why}`,
          node: operator.name,
          op: operator.op,
          weight: loss.db + 1,
          trial: keepFloat('Keep it in float32; it is seldom where the size is.', [operator]),
        },
      ];
    });
  },
};
