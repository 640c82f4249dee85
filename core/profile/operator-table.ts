import type { PerOp, RooflineView } from '../contract/views.ts';
import type { TfliteModelView } from '../formats/tflite/model-view.ts';
import type { OperatorTime } from '../ir/engine.ts';
import { byte } from '../targets/checks.ts';
import { unpacksConstant } from '../targets/node-facts.ts';
import { mainSubgraph, predict } from '../targets/predict.ts';
import { xnnpack } from '../targets/xnnpack.ts';
import { belowRoof } from './roofline.ts';
import { operatorCost } from './tflite-costs.ts';
import { alignKernels } from './xnnpack-kernels.ts';

/** Name of the entry for what a run takes beside its operators. */
export const besideOperators = 'between operators';

/** `isInteger`: computes in 8 bits, which has a roof of its own. */
type Row = Omit<PerOp, 'share'> & { readonly isInteger?: boolean };

/**
 * A runtime's operator times as a table, the slowest first, named after the graph's operators where they can be told.
 * Shares are of the whole run.
 * @param model the .tflite file that ran; without it names are the runtime's
 * @param roofline what the machine can do
 */
export function operatorTable(
  times: readonly OperatorTime[],
  model?: TfliteModelView,
  roofline?: RooflineView,
): PerOp[] {
  const rows = model ? tfliteRows(times, model) : times.map(plainRow);
  const total = rows.reduce((sum, { ms }) => sum + ms, 0);
  return rows
    .map(({ isInteger = false, ...row }) => ({
      ...withSpeed(row),
      ...(roofline && belowRoof(row, roofline, isInteger)),
      share: total > 0 ? row.ms / total : 0,
    }))
    .sort((a, b) => b.ms - a.ms);
}

function plainRow({ name, op, ms, calls, provider, macs, bytes }: OperatorTime): Row {
  if (name === '') return { name: besideOperators, op: 'runtime', ms, calls };
  return {
    name,
    op,
    ms,
    calls,
    isInteger: /^QLinear|Integer/.test(op),
    ...(provider && { runsOn: provider }),
    ...(macs && { macs }),
    ...(bytes && { bytes }),
  };
}

function withSpeed(row: Omit<PerOp, 'share'>): Omit<PerOp, 'share'> {
  const seconds = row.ms / 1000;
  if (!(seconds > 0)) return row;
  return {
    ...row,
    ...(row.macs && { gflopPerS: (2 * row.macs) / seconds / 1e9 }),
    ...(row.bytes && { gbPerS: row.bytes / seconds / 1e9 }),
  };
}

function tfliteRows(times: readonly OperatorTime[], model: TfliteModelView): Row[] {
  const subgraph = mainSubgraph(model);
  const rows = new Map<number, Row>();
  const rest: Row[] = [];
  const add = (index: number, { ms, op: kernel }: OperatorTime, runsOn: string): void => {
    const operator = subgraph.operators[index];
    const before = rows.get(index);
    const { macs, bytes } = operatorCost(operator, subgraph);
    rows.set(index, {
      name: subgraph.tensors[operator.outputs[0]]?.name ?? operator.builtin,
      op: operator.custom ?? operator.builtin,
      ms: (before?.ms ?? 0) + ms,
      calls: 1,
      isInteger: byte.some((type) => subgraph.tensors[operator.outputs[0]].typeName === type),
      runsOn,
      ...(runsOn === 'XNNPACK' && {
        kernel: before?.kernel && before.kernel !== kernel ? `${before.kernel} + ${kernel}` : kernel,
      }),
      ...(macs > 0 && { macs }),
      bytes,
    });
  };

  for (const time of times) {
    if (time.index !== undefined && subgraph.operators[time.index]) add(time.index, time, 'CPU');
    else if (time.part === undefined) rest.push(plainRow(time));
  }
  const parts = groupByPart(times);
  const stretches = predict(model, xnnpack)
    .parts.filter(({ taken }) => taken)
    .map(({ nodes }) => nodes.filter((index) => !unpacksConstant(subgraph.operators[index], subgraph)))
    .filter((nodes) => nodes.length > 0);
  parts.forEach((kernels, i) => {
    const nodes = parts.length === stretches.length ? stretches[i] : [];
    const ops = nodes.map((index) => subgraph.operators[index].custom ?? subgraph.operators[index].builtin);
    const aligned = alignKernels(
      kernels.map(({ op }) => op),
      ops,
    );
    kernels.forEach((kernel, k) => {
      if (aligned) add(nodes[aligned[k]], kernel, 'XNNPACK');
      else rest.push({ ...plainRow(kernel), runsOn: 'XNNPACK' });
    });
  });
  return [...rows.values(), ...rest];
}

function groupByPart(times: readonly OperatorTime[]): OperatorTime[][] {
  const parts: OperatorTime[][] = [];
  for (const time of times) {
    if (time.part === undefined) continue;
    parts[time.part] ??= [];
    parts[time.part].push(time);
  }
  return parts;
}
