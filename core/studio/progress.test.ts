import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createProgress, type ProgressStep, type ProgressUpdate } from './progress.ts';

type Action =
  | { kind: 'report'; at: number; fraction: number }
  | { kind: 'split'; at: number; weights: number[] }
  | { kind: 'finish'; at: number }
  | { kind: 'wait'; ms: number };

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    kind: fc.constant('report' as const),
    at: fc.nat(20),
    fraction: fc.double({ min: -1, max: 2 }),
  }),
  fc.record({
    kind: fc.constant('split' as const),
    at: fc.nat(20),
    weights: fc.array(fc.double({ min: -1, max: 100, noNaN: true }), { minLength: 1, maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant('finish' as const), at: fc.nat(20) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(500) }),
);

test('whatever is reported, the fraction never goes back, stays in 0…1 and is told at most ten times a second', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      let now = 0;
      const updates: (ProgressUpdate & { at: number })[] = [];
      const root = createProgress((update) => updates.push({ ...update, at: now }), { now: () => now });
      const steps: ProgressStep[] = [root];
      for (const each of actions) {
        if (each.kind === 'wait') {
          now += each.ms;
          continue;
        }
        const step = steps[each.at % steps.length];
        if (each.kind === 'report') step.report(each.fraction, `at ${each.at}`);
        else if (each.kind === 'finish') step.finish();
        else
          steps.push(
            ...Object.values(step.split(Object.fromEntries(each.weights.map((w, i) => [`s${i}`, w])))),
          );
      }
      root.finish();
      root.flush();
      for (const [i, update] of updates.entries()) {
        expect(update.fraction).toBeGreaterThanOrEqual(i === 0 ? 0 : updates[i - 1].fraction);
        expect(update.fraction).toBeLessThanOrEqual(1);
        // The last one may follow at once: it is the end.
        if (i > 0 && i < updates.length - 1)
          expect(update.at - updates[i - 1].at).toBeGreaterThanOrEqual(100);
      }
      expect(updates.at(-1)?.fraction).toBe(1);
    }),
    { numRuns: 300 },
  );
});

test('weights decide how much a step counts', () => {
  let now = 0;
  let last: ProgressUpdate | undefined;
  const root = createProgress(
    (update) => {
      last = update;
    },
    { now: () => now },
  );
  const steps = root.split({ read: 1, work: 3 });
  steps.read.finish();
  now += 1000;
  steps.work.report(0.5, 'int8: calibrating 50/100');
  expect(last).toEqual({
    stage: 'int8: calibrating 50/100',
    fraction: 0.625,
    secondsLeft: expect.closeTo(0.6, 5),
  });
});

test('an update that came too soon is sent a little later', async () => {
  const stages: string[] = [];
  const root = createProgress((update) => stages.push(update.stage), { intervalMs: 20 });
  root.report(0.1, 'one');
  root.report(0.2, 'two');
  root.report(0.3, 'three');
  expect(stages).toEqual(['one']);
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(stages).toEqual(['one', 'three']);
});
