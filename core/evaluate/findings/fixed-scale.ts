import { type FindingKind, keepFloat, lossOf, qualityOf, readersOf, write } from './finding.ts';

const leastLossDb = 3;
/** A fixed step of 1/256 holds results near this. */
const cappedDb = 50;

/** Softmax, sigmoid and tanh have steps that the specification sets, whatever the values are. */
export const fixedScale: FindingKind = {
  id: 'fixed-scale',
  find: (facts) =>
    facts.operators.flatMap((operator) => {
      const { activation, fixedScale: fixed, op, name } = operator;
      if (!fixed || !activation?.quantized || activation.quantized.dtype === 'int16') return [];
      const loss = lossOf(facts, operator);
      if (loss.db < leastLossDb || qualityOf(operator) > cappedDb) return [];
      const { step } = activation.quantized;
      const isLast = readersOf(facts, name).length === 0;
      const tail = isLast && facts.recipe.pureInteger;
      return [
        {
          severity: 'warning',
          title: `${op} has a fixed step`,
          text: `The specification sets its step to 1/${Math.round(1 / step)}. Its values lie between ${write(activation.min)} and ${write(activation.max)}, and what is smaller than half a step is lost: ${write(loss.db)} dB.`,
          node: name,
          op,
          weight: loss.db,
          trial: tail
            ? {
                text: 'Let the end of the network compute in float, with float32 outputs.',
                recipe: { pureInteger: false, io: 'float32' },
              }
            : keepFloat('Keep it, and what reads it, in float32.', [operator, ...readersOf(facts, name)]),
        },
      ];
    }),
};
