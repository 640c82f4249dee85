import type { Session } from '../../core/ir/engine.ts';
import { floatTensor, type Tensor } from '../../core/ir/tensor.ts';

/** An input or output of a corpus model, as its meta.json has it. */
export interface Port {
  name: string;
  key: string;
  shape: number[];
}

/** Feeds an image that the source takes as NCHW to a file that takes NHWC. */
export function feed(session: Session, port: Port, values: Float32Array): Tensor {
  const wanted = session.inputs.find(({ name }) => name === port.name) ?? session.inputs[0];
  const shape = wanted.shape.map(Number);
  if (shape.length !== 4 || shape.every((dim, axis) => dim === port.shape[axis]))
    return floatTensor(shape, values);
  const [, height, width, channels] = shape;
  const moved = new Float32Array(values.length);
  for (let c = 0, from = 0; c < channels; c++) {
    for (let at = 0; at < height * width; at++, from++) moved[at * channels + c] = values[from];
  }
  return floatTensor(shape, moved);
}
