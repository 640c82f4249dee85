import type { NodeFacts, TensorFacts } from './node-facts.ts';
import type { Check, Fix, Refusal } from './target-rules.ts';

/** The building blocks of rules. Each makes one `Check`. */

export function refuse(reason: string, fix?: Fix): Refusal {
  return fix ? { reason, fix } : { reason };
}

export const float = ['float32'] as const;
export const byte = ['int8', 'uint8'] as const;
export const floatOrByte = ['float32', 'int8', 'uint8'] as const;

const listed = (items: readonly (string | number)[]): string =>
  items.length > 1 ? `${items.slice(0, -1).join(', ')} or ${items.at(-1)}` : String(items[0]);

/** Which inputs a check looks at: by position, or all. */
type Slots = readonly number[] | 'all';

function inputsAt(node: NodeFacts, slots: Slots): TensorFacts[] {
  const picked = slots === 'all' ? node.inputs : slots.map((slot) => node.inputs[slot] ?? null);
  return picked.filter((tensor) => tensor !== null);
}

/** Inputs at `slots` and all outputs have one of the types. */
export function types(allowed: readonly string[], slots: Slots = [0], fix?: Fix): Check {
  return (node) => {
    const wrong = [...inputsAt(node, slots), ...node.outputs].find(
      ({ typeName }) => !allowed.includes(typeName),
    );
    return wrong && refuse(`takes ${listed(allowed)} here, not ${wrong.typeName} (${wrong.name})`, fix);
  };
}

/** Inputs at `slots` have one of the types. */
export function inputTypes(allowed: readonly string[], slots: Slots, fix?: Fix): Check {
  return (node) => {
    const wrong = inputsAt(node, slots).find(({ typeName }) => !allowed.includes(typeName));
    return wrong && refuse(`takes ${listed(allowed)} for ${wrong.name}, not ${wrong.typeName}`, fix);
  };
}

/** Inputs at `slots` and the outputs share one type. */
export function sameTypes(slots: Slots): Check {
  return (node) => {
    const names = new Set([...inputsAt(node, slots), ...node.outputs].map(({ typeName }) => typeName));
    return names.size > 1 ? refuse(`mixes ${[...names].join(' and ')}`) : undefined;
  };
}

export function inputCount(least: number, most = least): Check {
  return ({ inputs }) =>
    inputs.length < least || inputs.length > most
      ? refuse(
          `takes ${least === most ? least : `${least} to ${most}`} ${most === 1 ? 'input' : 'inputs'}, not ${inputs.length}`,
        )
      : undefined;
}

export function outputCount(least: number, most = least): Check {
  return ({ outputs }) =>
    outputs.length < least || outputs.length > most
      ? refuse(`gives ${least === most ? least : `${least} to ${most}`} results, not ${outputs.length}`)
      : undefined;
}

/** Operator version: what a runtime of some age knows. */
export function maxVersion(most: number, fix?: Fix): Check {
  return ({ version }) =>
    version > most ? refuse(`knows version ${most} and older, not ${version}`, fix) : undefined;
}

/** The inputs at `slots`, where they are there, are constants. */
export function constant(...slots: number[]): Check {
  return (node) => {
    const open = inputsAt(node, slots).find(({ isConstant }) => !isConstant);
    return open && refuse(`needs ${open.name} to be constant`);
  };
}

/** The inputs at `slots` are there. */
export function present(slot: number, what: string, fix?: Fix): Check {
  return ({ inputs }) => (inputs[slot] ? undefined : refuse(`needs ${what}`, fix));
}

/** Rank of the inputs at `slots` and of the outputs. */
export function rank(least: number, most: number, slots: Slots = [0]): Check {
  return (node) => {
    const wrong = [...inputsAt(node, slots), ...node.outputs].find(
      ({ shape }) => shape.length < least || shape.length > most,
    );
    const allowed = least === most ? `${least}` : least === 0 ? `at most ${most}` : `${least} to ${most}`;
    return wrong && refuse(`takes ${allowed} axes, not [${wrong.shape.join(', ')}] (${wrong.name})`);
  };
}

/** The option has one of the values (a field that is left out is 0). */
export function option(name: string, allowed: readonly (number | boolean)[], words: string): Check {
  return ({ options }) => {
    const value = options[name] ?? 0;
    return allowed.some((one) => Number(one) === Number(value)) ? undefined : refuse(words);
  };
}

/** Number of the fused activations of the format: none, ReLU, ReLU −1…1, ReLU6, tanh, sign. */
export function activation(allowed: readonly number[], words: string): Check {
  return option('fused_activation_function', allowed, words);
}

/** No open dimension anywhere. */
export const staticShapes: Check = (node) => {
  const open = [...inputsAt(node, 'all'), ...node.outputs].find(({ signature }) =>
    signature?.some((dim) => dim < 0),
  );
  return open && refuse(`needs known shapes, and ${open.name} is open`, { text: 'Settle the shapes.' });
};

/** Ratio of an input's scale to the output's, for 8-bit tensors of one type. Bounds included as the kernel has them. */
export function scaleRatio(slots: readonly number[], least: number, most: number, open = true): Check {
  return (node) => {
    const [output] = node.outputs;
    for (const input of inputsAt(node, slots)) {
      if (input.typeName !== output.typeName || !byte.includes(input.typeName as 'int8')) continue;
      const ratio = Math.fround((input.quant?.scales[0] ?? 1) / (output.quant?.scales[0] ?? 1));
      if (ratio < least || (open ? ratio >= most : ratio > most))
        return refuse(`takes input scales of ${least} to ${most} output scales; ${input.name} has ${ratio}`);
    }
    return undefined;
  };
}

/** Inputs at `slots` and the output share scale and zero point, where they are of one of the types. */
export function sameQuant(slots: Slots, of: readonly string[]): Check {
  return (node) => {
    const [output] = node.outputs;
    if (!of.includes(output.typeName)) return undefined;
    const odd = inputsAt(node, slots).find(
      ({ quant }) =>
        quant?.scales[0] !== output.quant?.scales[0] || quant?.zeroPoints[0] !== output.quant?.zeroPoints[0],
    );
    return odd && refuse(`needs the scale and zero point of ${odd.name} to be those of its result`);
  };
}

/** Any one of several rule sets is met; the last one speaks. */
export function anyOf(...sets: readonly (readonly Check[])[]): Check {
  return (node) => {
    let last: Refusal | undefined;
    for (const set of sets) {
      last = set.map((check) => check(node)).find((refusal) => refusal !== undefined);
      if (!last) return undefined;
    }
    return last;
  };
}

/** Numbers of a constant int32 or int64 tensor. */
export function numbersOf(tensor: TensorFacts | null | undefined): number[] | undefined {
  if (!tensor?.data) return undefined;
  const view = new DataView(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
  if (tensor.typeName === 'int32')
    return Array.from({ length: view.byteLength >> 2 }, (_, i) => view.getInt32(i * 4, true));
  if (tensor.typeName === 'int64')
    return Array.from({ length: view.byteLength >> 3 }, (_, i) => Number(view.getBigInt64(i * 8, true)));
  return undefined;
}
