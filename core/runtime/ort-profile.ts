import type { OperatorTime } from '../ir/engine.ts';
import { meanOfQuickerHalf, type RecordedRun } from './operator-runs.ts';

/** One Chrome trace event; times in microseconds. */
interface TraceEvent {
  cat?: string;
  name?: string;
  ts?: number;
  dur?: number;
  args?: {
    op_name?: string;
    provider?: string;
    /** Type to shape, one for each tensor. */
    input_type_shape?: Record<string, number[]>[];
    output_type_shape?: Record<string, number[]>[];
    activation_size?: string;
    parameter_size?: string;
    output_size?: string;
  };
}

interface Kernel {
  readonly name: string;
  readonly us: number;
  readonly args: NonNullable<TraceEvent['args']>;
}

const kernelSuffix = '_kernel_time';
const wholeRun = 'model_run';

/**
 * Operator times from the profile that onnxruntime writes (a kernel's event has category `Node` and the node's name
 * with `_kernel_time` behind it; a run's is `model_run`). The first run is left out where there are more: it pays for
 * allocation. What runs inside of another operator (the body of a loop) counts as part of that.
 * @returns one entry per node, in order of execution, and one without a name for what a run takes beside them
 */
export function operatorTimesOf(profile: string): OperatorTime[] {
  const events = JSON.parse(profile) as TraceEvent[];
  const wholes = events
    .filter(({ cat, name }) => cat === 'Session' && name === wholeRun)
    .sort((a, b) => (a.ts ?? 0) - (b.ts ?? 0));
  const kernels = events
    .filter(({ cat, name }) => cat === 'Node' && name?.endsWith(kernelSuffix))
    .sort((a, b) => (a.ts ?? 0) - (b.ts ?? 0) || (b.dur ?? 0) - (a.dur ?? 0));
  const runs: RecordedRun<Kernel>[] = [];
  let next = 0;
  for (const { ts = 0, dur = 0 } of wholes) {
    const operators: Kernel[] = [];
    let busyUntil = ts;
    for (; next < kernels.length && (kernels[next].ts ?? 0) <= ts + dur; next++) {
      const { name = '', ts: start = 0, dur: us = 0, args = {} } = kernels[next];
      if (start < ts || (start < busyUntil - 1 && start + us <= busyUntil + 1)) continue;
      busyUntil = Math.max(busyUntil, start + us);
      operators.push({ name: name.slice(0, -kernelSuffix.length), us, args });
    }
    runs.push({ us: dur, operators });
  }
  const { operators, besideMs } = meanOfQuickerHalf(runs.length > 1 ? runs.slice(1) : runs);
  return [
    ...operators.map(({ event: { name, args }, ms }): OperatorTime => {
      const macs = macsOf(args);
      const bytes = [args.activation_size, args.parameter_size, args.output_size].reduce(
        (sum, size) => sum + Number(size ?? 0),
        0,
      );
      return {
        name,
        op: args.op_name ?? name,
        ms,
        calls: 1,
        ...(args.provider && { provider: args.provider.replace(/ExecutionProvider$/, '') }),
        ...(macs > 0 && { macs }),
        ...(bytes > 0 && { bytes }),
      };
    }),
    { name: '', op: '', ms: besideMs, calls: 1 },
  ];
}

const count = (shape: readonly number[] | undefined): number => (shape ?? []).reduce((a, b) => a * b, 1);

/** Multiply-accumulates from the shapes that an event tells. */
function macsOf({
  op_name: op = '',
  input_type_shape: inputs,
  output_type_shape: outputs,
}: Kernel['args']): number {
  const shapes = (inputs ?? []).map((one) => Object.values(one)[0] ?? []);
  const output = Object.values(outputs?.[0] ?? {})[0];
  const [first] = shapes;
  if (!first || !output) return 0;
  if (/ConvTranspose/.test(op)) {
    const weight = shapes[1];
    return weight ? (count(first) * count(weight)) / Math.max(1, weight[0]) : 0;
  }
  // Quantized forms have scales and zero points between input and weights.
  if (/Conv/.test(op)) {
    const weight = shapes.slice(1).find((shape) => shape.length >= 3);
    return weight ? (count(output) * count(weight)) / Math.max(1, weight[0]) : 0;
  }
  if (/Gemm/.test(op)) return output[0] > 0 ? (count(output) * count(first)) / output[0] : 0;
  if (/MatMul/.test(op)) return count(output) * (first.at(-1) ?? 0);
  return 0;
}
