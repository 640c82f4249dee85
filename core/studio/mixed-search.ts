import type { Ranges } from '../calibrate/observer.ts';
import type { OutputFormat } from '../contract/views.ts';
import { isSane } from '../evaluate/gates.ts';
import type { OperatorPrecision } from '../quantize/decide-mixed.ts';
import { ownNumbers } from '../quantize/onnx-form.ts';
import type { QuantPlan } from '../quantize/plan.ts';
import { planQuantization } from '../quantize/quantize.ts';
import { costOf } from '../quantize/search/costs.ts';
import {
  type Assignment,
  type Choice,
  descent,
  type GroupChoices,
  type Step,
  take,
  walkDown,
} from '../quantize/search/descend.ts';
import { paretoFront } from '../quantize/search/front.ts';
import { groupOperators, type OperatorGroup } from '../quantize/search/operator-groups.ts';
import { dropPercent } from './budget.ts';
import type { MakeContext } from './make-artifact.ts';
import type { ProgressStep } from './progress.ts';
import {
  calibrationSamples,
  openBench,
  type Trial,
  type TrialBench,
  trialFormat,
  tryPlan,
} from './try-plan.ts';

/** One plan of the front. */
export interface MixedPoint {
  readonly plan: QuantPlan;
  /** What it was planned with, by node name. */
  readonly choices: ReadonlyMap<string, OperatorPrecision>;
  readonly sizeBytes: number;
  /** Of the worst output. */
  readonly quality: number;
  readonly meetsBudget: boolean;
}

interface MixedOutcome {
  /** The smallest (or fastest) plan that loses no more than allowed; else the best one there is. */
  readonly best: MixedPoint;
  /** Other plans that nothing found beats in both size and quality, as far as they are of any use. */
  readonly others: readonly MixedPoint[];
}

/** Limits of the work: groups of operators, samples per sensitivity, plans that are looked at on all samples. */
const mostGroups = 40;
const sensitivitySamples = 16;
const mostLooks = 14;
/** What may be lost where the recipe says nothing: percent of answers, and dB of the worst output. */
const defaultDropPercent = 0.5;
const floorDb = { classes: 15, values: 30 };

interface Look extends MixedPoint {
  readonly cost: number;
  readonly isSane: boolean;
}

/**
 * Searches a precision for each group of operators. First the real engine measures what each choice alone costs in
 * quality, on samples that calibration did not see where there are any; then plans are made from the best bargains
 * down, written and run on all samples, until one loses more than allowed. The same inputs give the same plans: no
 * decision hangs on a clock.
 * @throws WhittleError `job.cancelled`, and what planning, writing and the engines throw
 */
export async function searchMixed(
  ranges: Ranges,
  context: MakeContext,
  progress: ProgressStep,
): Promise<MixedOutcome> {
  const search = new MixedSearch(ranges, context);
  return search.run(progress);
}

class MixedSearch {
  private readonly ranges: Ranges;
  private readonly context: MakeContext;
  private readonly groups: readonly OperatorGroup[];
  private readonly looks = new Map<string, Look>();
  /** Of the files that are measured. */
  private readonly format: OutputFormat;

  constructor(ranges: Ranges, context: MakeContext) {
    this.ranges = ranges;
    this.context = context;
    this.format = trialFormat(context);
    this.groups = groupOperators(context.forTflite.graph, mostGroups);
  }

  async run(progress: ProgressStep): Promise<MixedOutcome> {
    const { objective } = this.context.recipe;
    const choices = await this.measureChoices((share) =>
      progress.report(share * 0.6, 'auto: measuring sensitivities'),
    );
    const { start, steps } = descent(choices);
    let looked = 0;
    const accepts = async (assignment: Assignment): Promise<boolean> => {
      progress.report(0.6 + (0.4 * Math.min(looked++, mostLooks)) / mostLooks, 'auto: trying mixed plans');
      return (await this.look(assignment)).meetsBudget;
    };
    const inIntegers = this.groups.filter(({ precisions }) => precisions.includes('int8'));
    await accepts(new Map(inIntegers.map(({ id }) => [id, 'int8'])));
    await walkDown(steps, mostLooks, (taken: readonly Step[]) => accepts(take(start, taken)));
    if (![...this.looks.values()].some(({ meetsBudget }) => meetsBudget)) await accepts(start);
    const points = [...this.looks.values()];
    const good = points.filter(({ meetsBudget }) => meetsBudget);
    const rank = (point: Look) => (objective === 'smallest' ? point.sizeBytes : point.cost);
    const best =
      good.length > 0
        ? good.reduce((a, b) => (rank(b) < rank(a) || (rank(b) === rank(a) && b.quality > a.quality) ? b : a))
        : points.reduce((a, b) => (b.quality > a.quality ? b : a));
    const front = paretoFront(points).filter((point) => point !== best && point.isSane);
    return { best, others: front };
  }

  /** What each precision of each group costs, and the error that it alone makes. */
  private async measureChoices(onProgress: (share: number) => void): Promise<GroupChoices[]> {
    // Samples that calibration did not see, where there are enough.
    const seen = new Set(calibrationSamples(this.context));
    const bench = await openBench(this.context, seen, sensitivitySamples);
    const cost = costOf(this.groups, this.context.recipe.objective);
    // Rounding to 11 bits is the same everywhere and far below what matters: it is measured once, for all.
    const halves = await this.noiseOf(
      new Map(this.groups.flatMap((group) => this.given(group, 'float16'))),
      bench,
    );
    const total = this.groups.reduce((sum, { precisions }) => sum + precisions.length, 0);
    let done = 0;
    const result: GroupChoices[] = [];
    for (const group of this.groups) {
      const choices: Choice[] = [];
      for (const precision of group.precisions) {
        const noise =
          precision === 'float32'
            ? 0
            : precision === 'float16'
              ? halves / this.groups.length
              : await this.noiseOf(new Map(this.given(group, precision)), bench);
        choices.push({ precision, cost: cost(group, precision), noise });
        onProgress(++done / total);
      }
      result.push({ id: group.id, choices });
    }
    return result;
  }

  private given(group: OperatorGroup, precision: OperatorPrecision): [string, OperatorPrecision][] {
    return group.precisions.includes(precision) ? group.nodes.map((node) => [node, precision]) : [];
  }

  /** Error power over signal power, summed over outputs, of a plan with some operators quantized. */
  private async noiseOf(choices: ReadonlyMap<string, OperatorPrecision>, bench: TrialBench): Promise<number> {
    if (choices.size === 0) return 0;
    const { outputs } = await this.runPlan(this.planOf(this.everyChoice(choices)), bench);
    const noise = outputs.reduce((sum, { sqnrDb }) => sum + (sqnrDb === null ? 0 : 10 ** (-sqnrDb / 10)), 0);
    return Number.isFinite(noise) ? noise : Number.MAX_VALUE;
  }

  /** Writes a plan and runs it on all samples; once, however often it is asked for. */
  private async look(assignment: Assignment): Promise<Look> {
    const key = this.groups.map(({ id }) => assignment.get(id) ?? '').join();
    const known = this.looks.get(key);
    if (known) return known;
    const { recipe, reference } = this.context;
    const choices = new Map(
      this.groups.flatMap((group) => {
        const precision = assignment.get(group.id) ?? 'float32';
        return group.nodes.map((node): [string, OperatorPrecision] => [node, precision]);
      }),
    );
    const every = this.everyChoice(choices);
    const plan = this.planOf(every);
    const { sizeBytes, outputs, quality } = await this.runPlan(plan, {
      context: this.context,
      reference: reference.answers,
    });
    const worst = outputs.reduce((least, { sqnrDb }) => Math.min(least, sqnrDb ?? Infinity), Infinity);
    const drop = dropPercent(quality) ?? 0;
    const floor = reference.answers.classOutput ? floorDb.classes : floorDb.values;
    const meetsBudget =
      drop <= (recipe.maxDropPercent ?? defaultDropPercent) + 1e-9 &&
      worst >= floor &&
      outputs.every(({ notFinite }) => notFinite === 0);
    const cost = costOf(this.groups, recipe.objective);
    const found: Look = {
      plan,
      choices: every,
      sizeBytes,
      quality: Number.isNaN(worst) ? -Infinity : worst,
      meetsBudget,
      isSane: isSane(quality, 'auto'),
      cost: this.groups.reduce((sum, group) => sum + cost(group, assignment.get(group.id) ?? 'float32'), 0),
    };
    this.looks.set(key, found);
    return found;
  }

  /** Choices for all operators, the recipe's own first. */
  private everyChoice(
    choices: ReadonlyMap<string, OperatorPrecision>,
  ): ReadonlyMap<string, OperatorPrecision> {
    const { forTflite, overrides } = this.context;
    return new Map(
      forTflite.graph.nodes.map(({ id }) => [id, overrides.get(id) ?? choices.get(id) ?? 'float32']),
    );
  }

  private planOf(choices: ReadonlyMap<string, OperatorPrecision>): QuantPlan {
    const { forTflite, forOnnx, recipe } = this.context;
    return planQuantization({ tflite: forTflite.graph, onnx: forOnnx.graph }, this.ranges, {
      precision: 'auto',
      io: recipe.io,
      pureInteger: recipe.pureInteger,
      form: ownNumbers(recipe.onnxForm, this.format),
      choices,
    });
  }

  private runPlan(plan: QuantPlan, { context, reference }: TrialBench): Promise<Trial> {
    return tryPlan(plan, this.format, reference, context);
  }
}
