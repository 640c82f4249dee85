import type { OperatorTime } from '../ir/engine.ts';

interface TraceEvent {
  cat?: string;
  name?: string;
  /** Microseconds. */
  dur?: number;
  args?: { op_name?: string };
}

const kernelSuffix = '_kernel_time';

/**
 * Operator times from the profile that onnxruntime writes (Chrome trace events; a kernel's event has category `Node`
 * and the node's name with `_kernel_time` behind it). The first run is left out where there are more: it pays for
 * allocation.
 * @param runs how often the model ran while the profile was recorded
 * @returns one entry per node, in order of first execution: mean milliseconds and calls within one run
 */
export function operatorTimesOf(profile: string, runs: number): OperatorTime[] {
  const kernels = new Map<string, { op: string; us: number[] }>();
  for (const event of JSON.parse(profile) as TraceEvent[]) {
    if (event.cat !== 'Node' || !event.name?.endsWith(kernelSuffix)) continue;
    const name = event.name.slice(0, -kernelSuffix.length);
    const kernel = kernels.get(name) ?? { op: event.args?.op_name ?? name, us: [] };
    kernel.us.push(event.dur ?? 0);
    kernels.set(name, kernel);
  }
  return [...kernels].map(([name, { op, us }]) => {
    const calls = us.length / Math.max(1, runs);
    const counted = runs > 1 ? us.slice(Math.round(calls)) : us;
    const countedRuns = Math.max(1, runs - 1);
    const total = counted.reduce((sum, value) => sum + value, 0);
    return { name, op, ms: total / 1000 / countedRuns, calls };
  });
}
