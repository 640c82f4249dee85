import type { OperatorTime } from '../ir/engine.ts';
import type { Pointer } from './c-library.ts';
import type { LiteRt } from './litert-open.ts';

/** One `ProfiledEventData` record: char* tag, int32 type at 8, µs elapsed at 24, operator index at 80. */
const recordBytes = 104;
const eventType = { whole: 1, operator: 2, delegateOperator: 8 };
const wholeRun = 'Invoke';
/** The runtime keeps this many events and drops what comes after. */
const capacity = 2048;
const wantedRuns = 40;
const patienceMs = 1500;

interface Event {
  readonly tag: string;
  readonly type: number;
  readonly us: number;
  readonly index: number;
}

/** One run: its whole time, and its operators in the order in which they ran. */
export interface RecordedRun {
  readonly us: number;
  readonly operators: readonly Event[];
}

/**
 * Runs the model under LiteRT's profiler and returns mean times per operator, from the quicker half of the runs.
 * Operators that a delegate took appear as the delegate's own, with its names and the `part` of the graph that they
 * are of; others carry the place of their node in the file. The last entry, without a name, is what a run took beside
 * its operators: the entries sum to the whole.
 */
export function profileOperators(litert: LiteRt, compiled: Pointer, runOnce: () => void): OperatorTime[] {
  const { api, ffi } = litert;
  const out = new BigUint64Array(1);
  if (api.CompiledModelGetProfiler(compiled, out) !== 0) return [];
  const profiler = out[0];

  const record = (runs: number): Event[] => {
    api.ResetProfiler(profiler);
    api.StartProfiler(profiler);
    for (let i = 0; i < runs; i++) runOnce();
    api.StopProfiler(profiler);
    const count = new Int32Array(1);
    api.GetNumProfilerEvents(profiler, count);
    const records = new DataView(new ArrayBuffer(count[0] * recordBytes));
    api.GetProfilerEvents(profiler, count[0], records);
    return Array.from({ length: count[0] }, (_, i) => {
      const at = i * recordBytes;
      return {
        tag: ffi.decode.string(records.getBigUint64(at, true)),
        type: records.getInt32(at + 8, true),
        us: Number(records.getBigUint64(at + 24, true)),
        index: Number(records.getBigInt64(at + 80, true)),
      };
    });
  };

  const perRun = Math.max(1, record(1).length);
  const batch = Math.max(1, Math.min(wantedRuns, Math.floor((capacity * 0.9) / perRun)));
  const runs: RecordedRun[] = [];
  const start = performance.now();
  do runs.push(...splitRuns(record(batch)));
  while (runs.length < wantedRuns && performance.now() - start < patienceMs);
  return summarizeRuns(runs);
}

/** Cuts events into runs: each begins with the event of the whole. */
function splitRuns(events: readonly Event[]): RecordedRun[] {
  const runs: { us: number; operators: Event[] }[] = [];
  for (const event of events) {
    if (event.type === eventType.whole && event.tag === wholeRun) runs.push({ us: event.us, operators: [] });
    else if (event.type === eventType.operator || event.type === eventType.delegateOperator)
      runs.at(-1)?.operators.push(event);
  }
  return runs;
}

/** Mean times by position, over the quicker half of the runs that did the same. */
export function summarizeRuns(runs: readonly RecordedRun[]): OperatorTime[] {
  const first = runs[0];
  if (!first) return [];
  const alike = runs.filter((run) => run.operators.length === first.operators.length);
  const quick = [...alike].sort((a, b) => a.us - b.us).slice(0, Math.max(1, alike.length >> 1));
  const mean = (pick: (run: RecordedRun) => number): number =>
    quick.reduce((sum, run) => sum + pick(run), 0) / 1000 / quick.length;

  let part = -1;
  let previous = -1;
  const times = first.operators.map((event, i): OperatorTime => {
    const ms = mean((run) => run.operators[i].us);
    if (event.type === eventType.operator) {
      previous = -1;
      return { name: `${event.tag}:${event.index}`, op: event.tag, ms, calls: 1, index: event.index };
    }
    // A delegate counts its operators from 0 in each part of the graph.
    if (previous < 0 || event.index <= previous) part++;
    previous = event.index;
    return { name: `${event.tag}:${event.index}`, op: event.tag, ms, calls: 1, part };
  });
  const whole = mean((run) => run.us);
  const inOperators = times.reduce((sum, { ms }) => sum + ms, 0);
  return [...times, { name: '', op: '', ms: Math.max(0, whole - inOperators), calls: 1 }];
}
