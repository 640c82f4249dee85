import { WhittleError } from '../contract/errors.ts';
import { byteLength } from '../ir/dtype.ts';
import type { PortInfo } from '../ir/engine.ts';
import { contiguous, elementCount, type Tensor } from '../ir/tensor.ts';

/** How a port or tensor is written in messages: `float32 [1, 28, 28, 1]`. */
export function typeLabel(type: { dtype: string; shape: readonly (number | string)[] }): string {
  return `${type.dtype} [${type.shape.join(', ')}]`;
}

/**
 * Checks a run's feeds against the model's inputs and returns their contiguous tensors in the order of `ports`. Open
 * dimensions take any size.
 * @throws WhittleError `data.mismatch` listing every input that is missing, unknown or of another type, both sides stated.
 */
export function checkFeeds(ports: readonly PortInfo[], feeds: Readonly<Record<string, Tensor>>): Tensor[] {
  const problems: string[] = [];
  const tensors: Tensor[] = [];
  for (const port of ports) {
    const tensor = feeds[port.name];
    if (!tensor) problems.push(`input ${port.name} (${typeLabel(port)}) is missing`);
    else if (!fits(port, tensor))
      problems.push(`input ${port.name} takes ${typeLabel(port)} but was given ${typeLabel(tensor)}`);
    else {
      const flat = contiguous(tensor);
      const expected = byteLength(flat.dtype, elementCount(flat.shape));
      if (flat.bytes.byteLength === expected) tensors.push(flat);
      else problems.push(`input ${port.name} needs ${expected} bytes but has ${flat.bytes.byteLength}`);
    }
  }
  for (const name of Object.keys(feeds)) {
    if (!ports.some((port) => port.name === name))
      problems.push(`the model has no input ${name}; it has ${ports.map((port) => port.name).join(', ')}`);
  }
  if (problems.length > 0) throw new WhittleError('data.mismatch', problems.join('; '));
  return tensors;
}

function fits(port: PortInfo, tensor: Tensor): boolean {
  return (
    port.dtype === tensor.dtype &&
    port.shape.length === tensor.shape.length &&
    port.shape.every((dim, axis) => typeof dim === 'string' || dim === tensor.shape[axis])
  );
}
