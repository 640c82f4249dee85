/**
 * Loops of TensorFlow 1 as those of TensorFlow 2: a frame of Enter, Merge, LoopCond, Switch, NextIteration and Exit
 * becomes one While with a function for its condition and one for its body ("Implementation of Control Flow in
 * TensorFlow", 2017, section 2).
 */
import { damaged } from './plan.ts';
import type { FunctionDef, GraphDef, NodeDef } from './schema.ts';

/** One state variable of a loop: where it comes from, and the name that its value has in either function. */
interface Variable {
  readonly start: string;
  readonly merge: NodeDef;
  /** What the body reads, and gives to the next turn. */
  readonly inBody: string;
  readonly next: string;
  readonly exits: readonly NodeDef[];
}

/** A graph without such loops is given back as it is. @throws WhittleError for a frame that is no whole loop. */
export function raiseLoops(graph: GraphDef): GraphDef {
  return graph.node.some(({ op }) => op === 'LoopCond') ? new Raiser(graph).run() : graph;
}

function plain(reference: string): string {
  return reference.replace(/:0$/, '');
}

function nameOf({ name = '' }: NodeDef): string {
  return name;
}

function frameOf(enter: NodeDef): string {
  const text = enter.attr.find(({ key }) => key === 'frame_name')?.value?.s;
  return text ? new TextDecoder().decode(text) : '';
}

function isConstantEnter(node: NodeDef): boolean {
  return Boolean(node.attr.find(({ key }) => key === 'is_constant')?.value?.b);
}

function dataInputs({ input }: NodeDef): string[] {
  return input.filter((reference) => !reference.startsWith('^'));
}

class Raiser {
  private readonly graph: GraphDef;
  private readonly nodes: Map<string, NodeDef>;
  /** Nodes by the names that they read. */
  private readonly readers = new Map<string, NodeDef[]>();
  private readonly functions: FunctionDef[] = [];
  private readonly raised = new Set<string>();
  private readonly open = new Set<string>();

  constructor(graph: GraphDef) {
    this.graph = graph;
    this.nodes = new Map(graph.node.map((node) => [nameOf(node), node]));
    for (const node of graph.node) {
      for (const reference of dataInputs(node)) {
        const name = reference.split(':')[0];
        const list = this.readers.get(name);
        if (list) list.push(node);
        else this.readers.set(name, [node]);
      }
    }
  }

  run(): GraphDef {
    for (const node of this.graph.node) if (node.op === 'LoopCond') this.raise(node);
    const library = { function: [...(this.graph.library?.function ?? []), ...this.functions] };
    return { ...this.graph, node: [...this.nodes.values()], library };
  }

  private freeName(wanted: string): string {
    let name = wanted || 'while';
    for (let i = 1; this.nodes.has(name); i++) name = `${wanted}/while_${i}`;
    return name;
  }

  private readersOf(node: NodeDef, op: string): NodeDef[] {
    return (this.readers.get(nameOf(node)) ?? []).filter((reader) => reader.op === op);
  }

  private nodeAt(reference: string | undefined): NodeDef | undefined {
    return reference === undefined ? undefined : this.nodes.get(reference.split(':')[0]);
  }

  private raise(end: NodeDef): void {
    const name = nameOf(end);
    if (this.raised.has(name)) return;
    if (this.open.has(name)) throw damaged(`The loop of "${name}" stands within itself.`);
    this.open.add(name);
    const variables = this.variablesOf(end);
    const frames = new Set(
      variables.flatMap(({ merge }) => {
        const enter = this.nodeAt(dataInputs(merge)[0]);
        return enter?.op === 'Enter' ? [frameOf(enter)] : [];
      }),
    );
    const constants = this.graph.node.filter(
      (node) => node.op === 'Enter' && isConstantEnter(node) && frames.has(frameOf(node)),
    );
    const path = this.freeName(name.replace(/\/?LoopCond(_\d+)?(\/_\d+)?$/, ''));
    const make = (what: string, states: readonly string[], outputs: readonly string[]): string => {
      const key = `${path}/${what}`;
      const inputs = [...states, ...constants.map(nameOf)];
      this.functions.push(
        this.functionOf(key, inputs, [...outputs, ...(what === 'body' ? constants.map(nameOf) : [])]),
      );
      return key;
    };
    const cond = make(
      'cond',
      variables.map(({ merge }) => nameOf(merge)),
      [dataInputs(end)[0] ?? ''],
    );
    const body = make(
      'body',
      variables.map(({ inBody }) => inBody),
      variables.map(({ next }) => next),
    );
    const loop: NodeDef = {
      name: path,
      op: 'While',
      input: [
        ...variables.map(({ start }) => start),
        ...constants.map((enter) => dataInputs(enter)[0] ?? ''),
      ],
      attr: [
        { key: 'cond', value: { func: { name: cond } } },
        { key: 'body', value: { func: { name: body } } },
      ],
    };
    this.nodes.set(path, loop);
    variables.forEach(({ exits }, i) => {
      for (const exit of exits) {
        this.nodes.set(nameOf(exit), { name: exit.name, op: 'Identity', input: [`${path}:${i}`], attr: [] });
      }
    });
    this.open.delete(name);
    this.raised.add(name);
  }

  /** The state that the Switch nodes of a LoopCond pass on or out. */
  private variablesOf(end: NodeDef): Variable[] {
    return this.readersOf(end, 'Switch').map((turn): Variable => {
      const merge = this.nodeAt(dataInputs(turn)[0]);
      const [entered, next] = merge?.op === 'Merge' ? dataInputs(merge) : [];
      const enter = this.nodeAt(entered);
      const again = this.nodeAt(next);
      if (!merge || enter?.op !== 'Enter' || again?.op !== 'NextIteration') {
        throw damaged(`The loop of "${end.name}" has a Switch "${turn.name}" that is none of its states.`);
      }
      return {
        start: dataInputs(enter)[0] ?? '',
        merge,
        inBody: `${turn.name}:1`,
        next: dataInputs(again)[0] ?? '',
        exits: this.readersOf(turn, 'Exit'),
      };
    });
  }

  /** Everything between arguments and outputs as a function; inner loops are raised first. */
  private functionOf(name: string, inputs: readonly string[], outputs: readonly string[]): FunctionDef {
    const known = new Set(inputs);
    const needed = new Map<string, NodeDef>();
    const waiting = outputs.filter((output) => !known.has(plain(output)));
    for (let reference = waiting.pop(); reference !== undefined; reference = waiting.pop()) {
      const at = reference.split(':')[0];
      if (needed.has(at)) continue;
      if (this.nodes.get(at)?.op === 'Exit') this.raiseOf(this.nodes.get(at)!);
      const node = this.nodes.get(at);
      if (!node) throw damaged(`A loop reads "${reference}", which is not in ${name}.`);
      needed.set(at, node);
      waiting.push(...dataInputs(node).filter((input) => !known.has(plain(input))));
    }
    const outputNames = outputs.map((_, i) => `out${i}`);
    return {
      signature: {
        name,
        inputArg: inputs.map((input) => ({ name: input })),
        outputArg: outputNames.map((output) => ({ name: output })),
      },
      nodeDef: [...needed.values()],
      ret: outputs.map((value, i) => ({ key: outputNames[i], value })),
    };
  }

  /** The loop that an Exit ends. */
  private raiseOf(exit: NodeDef): void {
    const turn = this.nodeAt(dataInputs(exit)[0]);
    const end = turn && this.nodeAt(dataInputs(turn)[1]);
    if (end?.op !== 'LoopCond') throw damaged(`The Exit "${exit.name}" belongs to no loop.`);
    this.raise(end);
  }
}
