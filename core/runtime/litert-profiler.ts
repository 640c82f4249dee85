import type { OperatorTime } from '../ir/engine.ts';
import type { Pointer } from './c-library.ts';
import type { LiteRt } from './litert-open.ts';

/** One `ProfiledEventData` record: char* tag, int32 type at 8, µs elapsed at 24, operator index at 80. */
const recordBytes = 104;
const eventType = { operator: 2, delegateOperator: 8 };
/** The runtime keeps this many events and drops what comes after. */
const capacity = 2048;

/**
 * Runs the model under LiteRT's profiler and returns mean times per operator and run. Operators that a delegate took
 * appear as the delegate's own operators, with its names.
 */
export function profileOperators(litert: LiteRt, compiled: Pointer, runOnce: () => void): OperatorTime[] {
  const { api } = litert;
  const out = new BigUint64Array(1);
  if (api.CompiledModelGetProfiler(compiled, out) !== 0) return [];
  const profiler = out[0];

  const record = (runs: number): number => {
    api.ResetProfiler(profiler);
    api.StartProfiler(profiler);
    for (let i = 0; i < runs; i++) runOnce();
    api.StopProfiler(profiler);
    const count = new Int32Array(1);
    api.GetNumProfilerEvents(profiler, count);
    return count[0];
  };

  const perRun = Math.max(1, record(1));
  const runs = Math.max(1, Math.min(50, Math.floor((capacity * 0.9) / perRun)));
  const count = record(runs);
  const records = new DataView(new ArrayBuffer(count * recordBytes));
  api.GetProfilerEvents(profiler, count, records);
  return summarize(litert, records, count, runs);
}

function summarize({ ffi }: LiteRt, records: DataView, count: number, runs: number): OperatorTime[] {
  const totals = new Map<string, { op: string; us: number; calls: number }>();
  for (let i = 0; i < count; i++) {
    const at = i * recordBytes;
    const type = records.getInt32(at + 8, true);
    if (type !== eventType.operator && type !== eventType.delegateOperator) continue;
    const op = ffi.decode.string(records.getBigUint64(at, true));
    const index = Number(records.getBigInt64(at + 80, true));
    const key = `${op}:${index}`;
    const total = totals.get(key) ?? { op, us: 0, calls: 0 };
    total.us += Number(records.getBigUint64(at + 24, true));
    total.calls++;
    totals.set(key, total);
  }
  // The operator that stands for a whole delegated part would count its time twice.
  const delegated = [...totals.values()].filter((total) => !isDelegateNode(total.op));
  return [...totals]
    .filter(([, total]) => delegated.length === 0 || !isDelegateNode(total.op))
    .map(([name, { op, us, calls }]) => ({ name, op, ms: us / 1000 / runs, calls: calls / runs }));
}

function isDelegateNode(op: string): boolean {
  return /^TfLite.*Delegate|^Delegate/.test(op);
}
