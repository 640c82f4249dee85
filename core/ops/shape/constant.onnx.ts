/** ONNX Constant (1, 9, 11, 12, 13): the tensor is one of several attributes. */
import { floatTensor, int64Tensor, type Tensor } from '../../ir/tensor.ts';
import type { OnnxNodeView, OnnxReader } from '../facets.ts';

function storedTensor(node: OnnxNodeView): Tensor {
  const tensor = node.tensor('value');
  if (tensor) return tensor;
  const floats = node.floats('value_floats');
  if (floats) return floatTensor([floats.length], floats);
  const ints = node.ints('value_ints');
  if (ints) return int64Tensor([ints.length], ints);
  const float = node.float('value_float', Number.NaN);
  if (!Number.isNaN(float)) return floatTensor([], [float]);
  const int = node.int('value_int', Number.NaN);
  if (!Number.isNaN(int)) return int64Tensor([], [int]);
  return node.refuse('it holds no tensor of numbers');
}

export const constantReader: OnnxReader = (node, builder) => {
  builder.constant(node.outputs[0], storedTensor(node));
};
