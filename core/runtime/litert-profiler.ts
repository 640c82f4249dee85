import type { OperatorTime } from '../ir/engine.ts';
import type { Pointer } from './c-library.ts';
import type { LiteRt } from './litert-open.ts';
import { meanOfQuickerHalf, type RecordedRun } from './operator-runs.ts';

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

/**
 * Runs the model under LiteRT's profiler and returns mean times per operator, from the quicker half of the runs.
 * Operators that a delegate took appear as the delegate's own, with its names and the `part` of the graph that they
 * are of; others carry the place of their node in the file. The last entry, without a name, is what a run took beside
 * its operators: the entries sum to the whole.
 * @param once the model can run no more than once
 */
export function profileOperators(
  litert: LiteRt,
  compiled: Pointer,
  runOnce: () => void,
  once = false,
): OperatorTime[] {
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

  const first = record(1);
  if (once) return timesOf(splitRuns(first));
  const batch = Math.max(1, Math.min(wantedRuns, Math.floor((capacity * 0.9) / Math.max(1, first.length))));
  const runs: RecordedRun<Event>[] = [];
  const start = performance.now();
  do runs.push(...splitRuns(record(batch)));
  while (runs.length < wantedRuns && performance.now() - start < patienceMs);
  return timesOf(runs);
}

/** Cuts events into runs: each begins with the event of the whole. */
function splitRuns(events: readonly Event[]): RecordedRun<Event>[] {
  const runs: { us: number; operators: Event[] }[] = [];
  for (const event of events) {
    if (event.type === eventType.whole && event.tag === wholeRun) runs.push({ us: event.us, operators: [] });
    else if (event.type === eventType.operator || event.type === eventType.delegateOperator)
      runs.at(-1)?.operators.push(event);
  }
  return runs;
}

/** The delegate's clock drops what is below a microsecond: half of one on average. */
const droppedMs = 0.0005;

function timesOf(runs: readonly RecordedRun<Event>[]): OperatorTime[] {
  const { operators, besideMs } = meanOfQuickerHalf(runs);
  const delegated = operators.filter(({ event }) => event.type === eventType.delegateOperator).length;
  const dropped = Math.min(droppedMs, besideMs / Math.max(1, delegated));
  let part = -1;
  let previous = -1;
  const times = operators.map(({ event, ms }): OperatorTime => {
    const time = { name: `${event.tag}:${event.index}`, op: event.tag, ms, calls: 1 };
    if (event.type === eventType.operator) {
      previous = -1;
      return { ...time, index: event.index };
    }
    // A delegate counts its operators from 0 in each part of the graph.
    if (previous < 0 || event.index <= previous) part++;
    previous = event.index;
    return { ...time, ms: ms + dropped, part };
  });
  return [...times, { name: '', op: '', ms: besideMs - dropped * delegated, calls: 1 }];
}
