import { consumersOf, type Graph, type Node, type ValueId, valueNamed } from '../ir/graph.ts';
import { tensorOf } from '../ir/tensor.ts';
import { asymmetricParams } from '../kernels/affine.ts';
import type { Extent } from '../kernels/scan.ts';
import { beforeFixedSteps } from './before-fixed.ts';
import { GraphExtension } from './graph-extension.ts';
import { integerRule } from './integer-rules.ts';

/** Ranges to be tried for one value. */
export interface RangeTrial {
  readonly value: ValueId;
  readonly candidates: readonly Extent[];
}

/** A mean square, and by candidate that of the error in the same place: names of outputs of one number each. */
export interface ErrorFigures {
  readonly power: ValueId;
  readonly errors: readonly ValueId[];
}

export interface TrialFigures {
  readonly trial: RangeTrial;
  /** At the output of each operator that reads the value. */
  readonly readers: readonly ErrorFigures[];
}

/**
 * The same graph with the error of every candidate range as its outputs: the value rounded to 8 bits of that range and
 * run through the operators that read it, in the real engine, against what they make of the value itself. Where an
 * operator only moves elements, those behind it are looked at; a value that nobody reads is compared itself.
 */
export function withTrials(
  graph: Graph,
  trials: readonly RangeTrial[],
): { graph: Graph; figures: TrialFigures[] } {
  const extension = new ErrorExtension(graph);
  const consumers = consumersOf(graph);
  const figures = trials.map((trial): TrialFigures => {
    const rounded = trial.candidates.map((range) => extension.round(trial.value, range));
    const readers = pathsFrom(graph, consumers, trial.value).map(({ nodes, output }) => ({
      power: extension.powerOf(output),
      errors: rounded.map((id) => {
        const renamed = new Map([[trial.value, id]]);
        extension.repeat(nodes, renamed);
        return extension.errorOf(renamed.get(output)!, output);
      }),
    }));
    return { trial, readers };
  });
  const outputs = figures.flatMap(({ readers }) =>
    readers.flatMap(({ power, errors }) => [power, ...errors]),
  );
  return { graph: extension.finish(outputs), figures };
}

/**
 * The same graph run once more for each choice of ranges, all values rounded to 8 bits of theirs, and its outputs
 * compared, before a last step that hides most of their error. The outputs themselves are mostly left in float.
 */
export function withChoices(
  graph: Graph,
  choices: readonly ReadonlyMap<ValueId, Extent>[],
): { graph: Graph; figures: ErrorFigures[] } {
  const extension = new ErrorExtension(graph);
  const shown = beforeFixedSteps(graph);
  const outputs = graph.outputs.map((id) => shown.get(id) ?? id).filter((id) => isReal(graph, id));
  const ends = new Set([...graph.outputs, ...outputs]);
  const renamed = choices.map((ranges) => {
    const names = new Map<ValueId, ValueId>();
    extension.repeat(graph.nodes, names, new Map([...ranges].filter(([id]) => !ends.has(id))));
    return names;
  });
  const figures = outputs.map((output) => ({
    power: extension.powerOf(output),
    errors: renamed.map((names) => extension.errorOf(names.get(output) ?? output, output)),
  }));
  return { graph: extension.finish(figures.flatMap(({ power, errors }) => [power, ...errors])), figures };
}

function isReal(graph: Graph, id: ValueId): boolean {
  return valueNamed(graph, id).type.dtype === 'float32';
}

/** A stretch of the graph from a value over moving operators to one that computes. */
interface Path {
  readonly nodes: readonly Node[];
  readonly output: ValueId;
}

function pathsFrom(graph: Graph, consumers: ReadonlyMap<ValueId, readonly Node[]>, of: ValueId): Path[] {
  const found: Path[] = [];
  const follow = (id: ValueId, before: readonly Node[]) => {
    for (const node of consumers.get(id) ?? []) {
      const [output] = node.outputs;
      if (node.outputs.length !== 1 || !isReal(graph, output)) continue;
      const nodes = [...before, node];
      const moves = integerRule(node)?.outputs[0].kind === 'same-as-input';
      if (moves && consumers.has(output)) follow(output, nodes);
      else found.push({ nodes, output });
    }
  };
  follow(of, []);
  return found.length > 0 ? found : [{ nodes: [], output: of }];
}

/** Adds rounded values, repeated operators and the errors that they make. */
class ErrorExtension extends GraphExtension {
  private readonly powers = new Map<ValueId, ValueId>();

  /** A value rounded to 8 bits. */
  round(of: ValueId, range: Extent): ValueId {
    const { scale, zeroPoint } = asymmetricParams(range.min, range.max, 'int8');
    const type = this.typeOf(of);
    const params = [
      this.constant(`${of}/scale`, tensorOf('float32', [], Float32Array.of(scale))),
      this.constant(`${of}/zero`, tensorOf('int8', [], Int8Array.of(zeroPoint))),
    ];
    const axis = { axis: 0 };
    const integers = this.add('QuantizeLinear', `${of}/integers`, [of, ...params], axis, {
      dtype: 'int8',
      shape: type.shape,
    });
    return this.add('DequantizeLinear', `${of}/rounded`, [integers, ...params], axis, type);
  }

  /**
   * Repeats nodes that read renamed values or, with `ranges`, values to be rounded; their outputs go into `renamed`.
   * Nodes with several outputs are not repeated.
   */
  repeat(
    nodes: readonly Node[],
    renamed: Map<ValueId, ValueId>,
    ranges?: ReadonlyMap<ValueId, Extent>,
  ): void {
    const read = (id: ValueId): ValueId => {
      const range = ranges?.get(id);
      if (!range || rounded.has(id)) return renamed.get(id) ?? id;
      renamed.set(id, this.round(renamed.get(id) ?? id, range));
      rounded.add(id);
      return renamed.get(id)!;
    };
    const rounded = new Set<ValueId>();
    for (const node of nodes) {
      const inputs = node.inputs.map((id) => (id === null ? id : read(id)));
      const isSame = inputs.every((id, slot) => id === node.inputs[slot]);
      if (isSame || node.outputs.length !== 1) continue;
      const [output] = node.outputs;
      renamed.set(output, this.add(node.op, `${output}/again`, inputs, node.attrs, this.typeOf(output)));
    }
  }

  powerOf(id: ValueId): ValueId {
    const known = this.powers.get(id) ?? this.meanSquare(id);
    this.powers.set(id, known);
    return known;
  }

  errorOf(id: ValueId, wanted: ValueId): ValueId {
    return this.meanSquare(
      this.add('Sub', `${id}/error`, [id, wanted], { activation: 'none' }, this.typeOf(wanted)),
    );
  }

  private meanSquare(of: ValueId): ValueId {
    const square = this.add('Mul', `${of}/square`, [of, of], { activation: 'none' }, this.typeOf(of));
    return this.add(
      'ReduceMean',
      `${of}/power`,
      [square],
      { keepDims: false },
      { dtype: 'float32', shape: [] },
    );
  }
}
