import type { IoType, Precision } from '../contract/views.ts';
import type { NodeFacts } from './node-facts.ts';

/** What to do about a refusal; `recipe` where the studio can do it. */
export interface Fix {
  readonly text: string;
  readonly recipe?: {
    readonly precision?: Precision;
    readonly io?: IoType;
    readonly pureInteger?: boolean;
  };
}

/** Why an operator is not taken. */
export interface Refusal {
  readonly reason: string;
  readonly fix?: Fix;
}

/** A rule: looks at one operator and says nothing when it is fine. */
export type Check = (node: NodeFacts) => Refusal | undefined;

/** What a runtime or an accelerator takes, as data. */
export interface TargetRules {
  readonly id: string;
  readonly name: string;
  /** Where the rules come from. */
  readonly source: string;
  /** Rules of each operator that it has at all. */
  readonly operators: Readonly<Record<string, readonly Check[]>>;
  /** Rules of every operator, before its own. */
  readonly every?: readonly Check[];
  /** What to do about an operator that it lacks. */
  readonly missing?: (op: string) => Fix | undefined;
  /**
   * What becomes of a graph in several parts: `all` of them run there; only the `largest`; only the `first`, with all
   * that comes after a refused operator left to the CPU; `none` unless everything fits.
   */
  readonly parts: 'all' | 'largest' | 'first' | 'none';
  /** Widens stored float16 and int8 weights itself, once. */
  readonly unpacksConstants?: boolean;
  /** Where what is not taken runs; without it, the model does not run at all. */
  readonly rest?: string;
}
