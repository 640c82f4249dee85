/** Functions that LiteRT has no kernel for, composed of those that it has. */
import { Composition } from '../tflite-composition.ts';
import type { TfliteWriter } from '../tflite-helpers.ts';

function composed(compute: (steps: Composition) => void): TfliteWriter {
  return (node, context) => {
    const steps = new Composition(node, context);
    compute(steps);
    steps.finish();
  };
}

/** √(1 − x²) as √((1 − x)(1 + x)), which keeps its digits near ±1. */
function coRoot(steps: Composition) {
  const one = steps.number(1);
  return steps.step('SQRT', [
    steps.step('MUL', [steps.step('SUB', [one, steps.x]), steps.step('ADD', [steps.x, one])]),
  ]);
}

/** sign(x) × log(|x| + √(x² + 1)). */
function asinh(steps: Composition): void {
  const size = steps.step('ABS', [steps.x]);
  const root = steps.step('SQRT', [steps.step('ADD', [steps.step('MUL', [size, size]), steps.number(1)])]);
  const log = steps.step('LOG', [steps.step('ADD', [size, root])]);
  steps.step('MUL', [steps.step('SIGN', [steps.x]), log], steps.y);
}

/** log(x + √(x² − 1)). */
function acosh(steps: Composition): void {
  const one = steps.number(1);
  const root = steps.step('SQRT', [
    steps.step('MUL', [steps.step('SUB', [steps.x, one]), steps.step('ADD', [steps.x, one])]),
  ]);
  steps.step('LOG', [steps.step('ADD', [steps.x, root])], steps.y);
}

/** log((1 + x) / (1 − x)) / 2. */
function atanh(steps: Composition): void {
  const one = steps.number(1);
  const ratio = steps.step('DIV', [steps.step('ADD', [steps.x, one]), steps.step('SUB', [one, steps.x])]);
  steps.step('MUL', [steps.step('LOG', [ratio]), steps.number(0.5)], steps.y);
}

/** Coefficients of Abramowitz and Stegun, 7.1.26: at most 1.5e-7 off. */
const erfTerms = [0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429];

/** sign(x) × (1 − (a1 t + … + a5 t⁵) exp(−x²)) with t = 1 / (1 + 0.3275911 |x|). */
function erf(steps: Composition): void {
  const size = steps.step('ABS', [steps.x]);
  const one = steps.number(1);
  const t = steps.step('DIV', [
    one,
    steps.step('ADD', [steps.step('MUL', [size, steps.number(0.3275911)]), one]),
  ]);
  const sum = erfTerms.reduceRight(
    (inner, term, i) =>
      steps.step('MUL', [
        i === erfTerms.length - 1 ? steps.number(term) : steps.step('ADD', [inner, steps.number(term)]),
        t,
      ]),
    t,
  );
  const decay = steps.step('EXP', [steps.step('NEG', [steps.step('MUL', [size, size])])]);
  const tail = steps.step('SUB', [one, steps.step('MUL', [sum, decay])]);
  steps.step('MUL', [steps.step('SIGN', [steps.x]), tail], steps.y);
}

export const functionTfliteWriters = {
  Atan: composed((steps) => steps.step('ATAN2', [steps.x, steps.ones()], steps.y)),
  Asin: composed((steps) => steps.step('ATAN2', [steps.x, coRoot(steps)], steps.y)),
  Acos: composed((steps) => steps.step('ATAN2', [coRoot(steps), steps.x], steps.y)),
  Asinh: composed(asinh),
  Acosh: composed(acosh),
  Atanh: composed(atanh),
  Erf: composed(erf),
};
