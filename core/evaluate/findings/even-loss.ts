import type { Precision } from '../../contract/views.ts';
import { endDb, type FindingKind, write } from './finding.ts';

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
    if (!next || facts.operators.every(({ mode }) => mode === 'float')) return [];
    return [
      {
        severity: 'info',
        title: 'Lost a little everywhere',
        text: `The end has ${write(endDb(facts))} dB, and no operator stands out: it is the precision as a whole that costs.`,
        weight: 0,
        trial: { text: next.text, recipe: { precision: next.precision, io: 'float32' } },
      },
    ];
  },
};
