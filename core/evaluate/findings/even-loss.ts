import type { Precision } from '../../contract/views.ts';
import { endDb, type FindingKind, lossOf, write } from './finding.ts';

/** The next finer precision, with what it changes. */
const finer: Partial<Record<Precision, { readonly precision: Precision; readonly text: string }>> = {
  int8: { precision: 'int16x8', text: 'Give activations 16 bits; weights stay in 8.' },
  'weights-int4': { precision: 'weights-int8', text: 'Store weights in 8 bits.' },
  'dynamic-int8': { precision: 'float16', text: 'Store weights in float16.' },
  'weights-int8': { precision: 'float16', text: 'Store weights in float16.' },
};

/** Quality is lost, and nowhere in particular. */
export const evenLoss: FindingKind = {
  id: 'even-loss',
  find(facts) {
    const next = finer[facts.precision];
    const losses = facts.operators.filter(({ mode }) => mode !== 'float').map((one) => lossOf(facts, one).db);
    if (!next || losses.length === 0) return [];
    return [
      {
        severity: 'info',
        title: 'Lost a little everywhere',
        text: `The end has ${write(endDb(facts))} dB, and no operator loses more than ${write(Math.max(...losses))} dB: this precision is what costs.`,
        weight: 0,
        trial: { text: next.text, recipe: { precision: next.precision, io: 'float32' } },
      },
    ];
  },
};
