import type { SubgraphView, TfliteModelView } from '../formats/tflite/model-view.ts';
import { type NodeFacts, nodeFacts, unpacksConstant } from './node-facts.ts';
import { type Part, partition } from './partition.ts';
import type { Refusal, TargetRules } from './target-rules.ts';

/** One operator that a target does not take. */
export interface RefusedNode extends Refusal {
  readonly index: number;
  readonly name: string;
  readonly op: string;
}

export interface Prediction {
  readonly nodes: number;
  /** Operators that the target runs, by their place in the file. */
  readonly taken: ReadonlySet<number>;
  /** In order of the file: each with its reason. Operators that are only left behind are not here. */
  readonly refused: readonly RefusedNode[];
  /** All stretches of operators in order of execution. */
  readonly parts: readonly Part[];
}

/** The graph that a runtime runs by default. */
export function mainSubgraph(model: TfliteModelView): SubgraphView {
  const signature = model.signatures.find(({ key }) => key === 'serving_default') ?? model.signatures[0];
  return model.subgraphs[signature?.subgraph ?? 0];
}

/** Which operators of a file a target takes, and why it does not take the others. Pure: nothing is run. */
export function predict(model: TfliteModelView, rules: TargetRules): Prediction {
  const subgraph = mainSubgraph(model);
  const facts = nodeFacts(subgraph, rules.unpacksConstants);
  const refused: RefusedNode[] = [];
  const refuses = new Set<number>();
  const unpackers = new Set<number>();
  for (const node of facts) {
    if (rules.unpacksConstants && unpacksConstant(subgraph.operators[node.index], subgraph)) {
      unpackers.add(node.index);
      continue;
    }
    const refusal = check(node, rules);
    if (!refusal) continue;
    refuses.add(node.index);
    refused.push({ ...refusal, index: node.index, name: node.name, op: node.op });
  }
  // Stored weights that an operator outside needs are widened outside.
  const neededOutside = new Set([...refuses].flatMap((index) => subgraph.operators[index].inputs));
  for (const index of unpackers) {
    if (subgraph.operators[index].outputs.some((tensor) => neededOutside.has(tensor))) refuses.add(index);
  }
  const fits = new Set(facts.map(({ index }) => index).filter((index) => !refuses.has(index)));
  const taken = limit(subgraph, fits, rules);
  return { nodes: facts.length, taken, refused, parts: partition(subgraph, taken) };
}

function check(node: NodeFacts, rules: TargetRules): Refusal | undefined {
  const own = rules.operators[node.op];
  if (!own) return { reason: `has no ${node.op}`, fix: rules.missing?.(node.op) };
  for (const rule of [...(rules.every ?? []), ...own]) {
    const refusal = rule(node);
    if (refusal) return refusal;
  }
  return undefined;
}

/** What is left of the operators that fit once the target's number of parts is respected. */
function limit(subgraph: SubgraphView, fits: ReadonlySet<number>, rules: TargetRules): ReadonlySet<number> {
  if (rules.parts === 'all' || fits.size === subgraph.operators.length) return fits;
  if (rules.parts === 'none') return new Set();
  const parts = partition(subgraph, fits).filter(({ taken }) => taken);
  const kept =
    rules.parts === 'first'
      ? parts[0]
      : parts.reduce<Part | undefined>(
          (most, part) => (most && most.nodes.length >= part.nodes.length ? most : part),
          undefined,
        );
  return new Set(kept?.nodes ?? []);
}
