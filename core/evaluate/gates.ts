import type { GateView, Precision, QualityView } from '../contract/views.ts';
import type { OperatorAtFault } from './operator-at-fault.ts';
import type { WatchedOutput } from './output-watch.ts';

export interface GateFacts {
  readonly precision: Precision;
  /** The source rounds its activations (`GraphSource.rounds`). */
  readonly sourceRounds?: boolean;
  /** How the file was opened: the session's description and load time, and by what else; or why it was not. */
  readonly opened:
    | { readonly description: string; readonly loadMs: number; readonly also?: string }
    | { readonly failure: string };
  readonly sizeBytes: number;
  /** What a file of this plan should weigh. */
  readonly expectedSize: { readonly minBytes: number; readonly maxBytes: number };
  /** Absent when there were no samples or the file did not run. */
  readonly evaluation?: { readonly quality: QualityView; readonly outputs: readonly WatchedOutput[] };
  /** The same plan written in the other format, compared with this one. */
  readonly agreement?: {
    readonly otherFormat: string;
    readonly samples: number;
    /** Part of the output elements that differ by at most one step. */
    readonly withinOneStep: number;
    /** Of the difference between the two files. */
    readonly sqnrDb: number | null;
    /** Of the other file against the source. */
    readonly otherSqnrDb: number | null;
  };
}

/**
 * SQNR below which something is wrong and not merely coarse, in dB. These are floors for sanity, far below what a good
 * plan reaches; a file that still gives the source's class for nearly all samples passes too.
 */
export const qualityFloorDb: Record<Precision, number> = {
  float32: 60,
  float16: 30,
  'dynamic-int8': 12,
  'weights-int8': 12,
  'weights-int4': 5,
  int8: 10,
  int16x8: 12,
  auto: 10,
};
const agreementFloor = 0.95;

/** Step of a softmax output: fixed by the LiteRT quantization specification where it is integer. */
const softmaxStep: Partial<Record<Precision, number>> = { int8: 1 / 256, int16x8: 1 / 32768, auto: 1 / 256 };

/** Checks one written file. Each gate says in words, with numbers, what was found; all must be ok for the file to be. */
export function checkGates(facts: GateFacts): GateView[] {
  const gates = [opensGate(facts)];
  const { evaluation } = facts;
  if (evaluation) {
    gates.push(finiteGate(evaluation.outputs), variesGate(evaluation.outputs, evaluation.quality.samples));
    const distributions = evaluation.outputs.filter((output) => output.worstSum !== undefined);
    if (distributions.length > 0) gates.push(softmaxGate(distributions, facts.precision));
  }
  gates.push(sizeGate(facts));
  if (evaluation) gates.push(qualityGate(evaluation.quality, facts));
  if (evaluation && facts.agreement) gates.push(agreementGate(evaluation.quality, facts.agreement));
  return gates;
}

/** Adds to a failed quality gate where in the network the quality goes. */
export function blame(gates: readonly GateView[], fault: OperatorAtFault | undefined): GateView[] {
  if (!fault) return [...gates];
  const before = fault.beforeDb === Infinity ? 'exact' : inDb(fault.beforeDb);
  const words = `${fault.op} ${fault.name} loses the most: ${before} before it, ${inDb(fault.afterDb)} after`;
  return gates.map((gate) =>
    gate.id === 'quality' && !gate.ok ? { ...gate, detail: `${gate.detail}; ${words}` } : gate,
  );
}

function opensGate({ opened }: GateFacts): GateView {
  if ('failure' in opened) return { id: 'opens', ok: false, detail: opened.failure };
  const also = opened.also ? `, and by ${opened.also}` : '';
  const detail = `opened by ${opened.description} in ${opened.loadMs.toFixed(0)} ms${also}`;
  return { id: 'opens', ok: true, detail };
}

function finiteGate(outputs: readonly WatchedOutput[]): GateView {
  const bad = outputs.filter((output) => output.notFinite > 0);
  const total = outputs.reduce((sum, output) => sum + output.values, 0);
  const detail =
    bad.length === 0
      ? `all ${total} output values are finite`
      : bad
          .map(
            (output) =>
              `${output.notFinite} of ${output.values} values of ${output.name} are NaN or infinite, first in sample ${output.firstNotFinite}`,
          )
          .join('; ');
  return { id: 'finite', ok: bad.length === 0, detail };
}

/** Share of the source's spread below which an output counts as not reacting to its input. */
const deadShare = 1e-6;

function variesGate(outputs: readonly WatchedOutput[], samples: number): GateView {
  const reacting = outputs.filter((output) => output.referenceSpread > 0);
  if (samples < 2 || reacting.length === 0) {
    const why = samples < 2 ? 'there is only one sample' : "the source's outputs do not vary either";
    return { id: 'varies', ok: true, detail: `not told: ${why}` };
  }
  const dead = reacting.filter((output) => output.spread <= output.referenceSpread * deadShare);
  const detail =
    dead.length === 0
      ? `outputs differ between the ${samples} samples (${reacting
          .map(
            (output) => `${output.name} by ${short(output.spread)}, source ${short(output.referenceSpread)}`,
          )
          .join('; ')})`
      : dead
          .map(
            (output) =>
              `${output.name} is the same for all ${samples} samples, while the source's varies by ${short(output.referenceSpread)}`,
          )
          .join('; ');
  return { id: 'varies', ok: dead.length === 0, detail };
}

function softmaxGate(outputs: readonly WatchedOutput[], precision: Precision): GateView {
  const step = softmaxStep[precision] ?? 0;
  const rows = outputs.map((output) => {
    // Each value may be half a step off; the rounding of many small values adds up, but not to half of the whole.
    const tolerance = Math.min(0.5, Math.max(0.01, (step * output.perSample) / 2));
    const sum = output.worstSum!;
    return {
      ok: Math.abs(sum - 1) <= tolerance,
      text: `${output.name} sums to ${short(sum)} at worst (1 ± ${short(tolerance)})`,
    };
  });
  return { id: 'softmax', ok: rows.every((row) => row.ok), detail: rows.map((row) => row.text).join('; ') };
}

function sizeGate({ sizeBytes, expectedSize }: GateFacts): GateView {
  const ok = sizeBytes >= expectedSize.minBytes && sizeBytes <= expectedSize.maxBytes;
  return {
    id: 'size',
    ok,
    detail: `${sizeBytes} bytes, ${ok ? 'within' : 'outside of'} the expected ${expectedSize.minBytes} to ${expectedSize.maxBytes}`,
  };
}

/** Whether a file's quality is one that its precision can be expected to have. */
export function isSane(
  { sqnrDb, top1Agreement, maxAbsError }: QualityView,
  precision: Precision,
  sourceRounds = false,
): boolean {
  const above = sqnrDb === null || sqnrDb >= floorOf(precision, sourceRounds);
  const agrees = top1Agreement !== undefined && top1Agreement >= agreementFloor;
  // Finite outputs are another gate's matter: agreement cannot excuse them.
  return above || (agrees && Number.isFinite(maxAbsError));
}

/** A source that rounds while it runs is met no better by any other engine than a file that rounds is by its source. */
function floorOf(precision: Precision, sourceRounds: boolean): number {
  const floor = qualityFloorDb[precision];
  return sourceRounds ? Math.min(floor, qualityFloorDb['dynamic-int8']) : floor;
}

function qualityGate(quality: QualityView, { precision, sourceRounds = false }: GateFacts): GateView {
  const floor = floorOf(precision, sourceRounds);
  const share =
    quality.top1Agreement === undefined
      ? ''
      : `, same class in ${(quality.top1Agreement * 100).toFixed(1)} %`;
  return {
    id: 'quality',
    ok: isSane(quality, precision, sourceRounds),
    detail: `SQNR ${inDb(quality.sqnrDb)} over ${quality.samples} samples${share} (floor for ${precision}: ${floor} dB${
      quality.top1Agreement === undefined ? '' : ` or ${agreementFloor * 100} %`
    })`,
  };
}

/** Two files of one plan may differ by rounding, so by no more than the worse of them differs from the source. */
const agreementSlackDb = 6;
const agreementEnoughDb = 60;

function agreementGate(own: QualityView, other: NonNullable<GateFacts['agreement']>): GateView {
  const worse = Math.min(
    own.sqnrDb ?? Infinity,
    other.otherSqnrDb ?? Infinity,
    agreementEnoughDb + agreementSlackDb,
  );
  const floor = worse - agreementSlackDb;
  return {
    id: 'formats-agree',
    ok: other.sqnrDb === null || other.sqnrDb >= floor,
    detail: `against the ${other.otherFormat} of the same plan: ${inDb(other.sqnrDb)} (at least ${floor.toFixed(1)} dB), ${(other.withinOneStep * 100).toFixed(2)} % of outputs within one step`,
  };
}

function inDb(db: number | null): string {
  return db === null ? 'without any error' : `${db.toFixed(1)} dB`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
