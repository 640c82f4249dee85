import { WhittleError } from '../contract/errors.ts';
import { isFloat, storageArray, type TypedArray } from '../ir/dtype.ts';
import type { PortInfo } from '../ir/engine.ts';
import { elementCount, type Tensor, tensorOf } from '../ir/tensor.ts';
import { halfBits } from '../kernels/half.ts';
import { mulberry32 } from '../kernels/random.ts';

/**
 * Repeatable inputs for measuring without samples: floats in −1…1, integers in their lower range. An open leading
 * dimension (batch) is 1.
 * @throws WhittleError `model.dynamic-dims` listing every other open dimension
 */
export function randomFeeds(ports: readonly PortInfo[], seed = 0): Record<string, Tensor> {
  const open = ports.flatMap((port) =>
    port.shape.flatMap((dim, axis) =>
      typeof dim === 'string' && axis > 0 ? [`${port.name}[${axis}]: ${dim}`] : [],
    ),
  );
  if (open.length > 0) {
    throw new WhittleError('model.dynamic-dims', `the model leaves dimensions open: ${open.join(', ')}`, {
      hint: 'give concrete shapes with --shape NAME=1x224x224x3',
    });
  }
  const random = mulberry32(seed);
  return Object.fromEntries(
    ports.map((port) => {
      const shape = port.shape.map((dim) => (typeof dim === 'number' ? dim : 1));
      return [port.name, randomTensor(port, shape, random)];
    }),
  );
}

function randomTensor(port: PortInfo, shape: number[], random: () => number): Tensor {
  if (port.dtype === 'string' || port.dtype === 'other')
    throw new WhittleError(
      'model.unsupported-option',
      `the input ${port.name} takes no numbers, which alone are measured`,
    );
  const Storage = storageArray[port.dtype] as new (length: number) => TypedArray;
  const data = new Storage(elementCount(shape));
  for (let i = 0; i < data.length; i++) {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = random() < 0.5 ? 0n : 1n;
    else if (port.dtype === 'float16') data[i] = halfBits(random() * 2 - 1);
    else if (isFloat(port.dtype)) data[i] = random() * 2 - 1;
    else if (port.dtype === 'int8' || port.dtype === 'uint8') data[i] = Math.floor(random() * 256);
    else data[i] = Math.floor(random() * 2);
  }
  return tensorOf(port.dtype, shape, data);
}
