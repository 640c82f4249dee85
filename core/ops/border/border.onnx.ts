/** ONNX QuantizeLinear and DequantizeLinear (10, 13: per axis, 19, 21: int16 and 4 bits, 23). */
import type { AddOptions, GraphBuilder } from '../../ir/builder.ts';
import type { DType } from '../../ir/dtype.ts';
import { dtypeBits } from '../../ir/dtype.ts';
import type { QuantParams, Value } from '../../ir/graph.ts';
import { elementCount, type Tensor, toNumbers } from '../../ir/tensor.ts';
import type { OnnxFacet, OnnxNodeView, OnnxReader } from '../facets.ts';
import { input, int, named, type OnnxWriter, only, scalarTensor, since } from '../onnx-helpers.ts';
import { reshaped } from '../pick-elements.ts';

/** Element types that QuantizeLinear's `output_dtype` can name. */
const outputTypes: Readonly<Record<number, DType>> = { 2: 'uint8', 3: 'int8', 4: 'uint16', 5: 'int16' };

/** Scales and zero points of a border, when they are constants: what the quantized value carries. */
function quantOf(scale: Value, zeroPoint: Value | null, axis: number): QuantParams | undefined {
  if (!scale.constant || (zeroPoint && !zeroPoint.constant)) return undefined;
  if (zeroPoint && dtypeBits[zeroPoint.type.dtype] < 8) return undefined;
  const scales = toNumbers(scale.constant);
  const zeroPoints = zeroPoint?.constant ? toNumbers(zeroPoint.constant) : scales.map(() => 0);
  return { scales, zeroPoints, ...(scales.length > 1 && { axis }) };
}

function axisOf(node: OnnxNodeView, x: Value): number {
  only(node, 'block_size', node.int('block_size', 0), 0);
  const axis = node.int('axis', 1);
  return axis < 0 ? axis + x.type.shape.length : axis;
}

function zeroOf(scale: Value, dtype: DType): Tensor {
  const zero = scalarTensor(dtype, 0);
  const count = elementCount(scale.type.shape as number[]);
  return scale.type.shape.length === 0
    ? zero
    : reshaped({ dtype, shape: [count], bytes: new Uint8Array(zero.bytes.length * count) }, [count]);
}

/** Adds a QuantizeLinear whose result carries its parameters. @param zeroPoint 0 of the type where left out */
export function addQuantize(
  builder: GraphBuilder,
  [x, scale, zero]: readonly [Value, Value, Value | null | undefined],
  dtype: DType,
  axis: number,
  options: AddOptions & { readonly name: string },
): void {
  const zeroPoint = zero ?? builder.constant(`${options.name}/zero`, zeroOf(scale, dtype));
  const value = builder.one('QuantizeLinear', [x, scale, zeroPoint], { axis }, options);
  mark(builder, value, quantOf(scale, zeroPoint, axis));
}

/** Adds a DequantizeLinear; a constant that it reads carries its parameters. */
export function addDequantize(
  builder: GraphBuilder,
  [x, scale, zero]: readonly [Value, Value, Value | null | undefined],
  axis: number,
  options: AddOptions & { readonly name: string },
): Value {
  const zeroPoint = zero ?? builder.constant(`${options.name}/zero`, zeroOf(scale, x.type.dtype));
  if (x.constant && !x.quant) mark(builder, x, quantOf(scale, zeroPoint, axis));
  return builder.one('DequantizeLinear', [x, scale, zeroPoint], { axis }, options);
}

const readQuantizeLinear: OnnxReader = (node, builder) => {
  const [x, scale] = [input(node, 0), input(node, 1)];
  const axis = axisOf(node, x);
  // Only 8-bit floats, which are refused, depend on these.
  node.int('saturate', 1);
  node.int('precision', 0);
  const outputType = node.int('output_dtype', 0);
  const dtype = outputTypes[outputType || 2] ?? node.refuse(`output_dtype = ${outputType} is not supported`);
  addQuantize(builder, [x, scale, node.inputs[2]], dtype, axis, { ...named(node), name: node.name });
};

const readDequantizeLinear: OnnxReader = (node, builder) => {
  const [x, scale] = [input(node, 0), input(node, 1)];
  const axis = axisOf(node, x);
  const outputType = node.int('output_dtype', 0);
  if (outputType !== 0 && outputType !== 1) node.refuse(`output_dtype = ${outputType} is not supported`);
  addDequantize(builder, [x, scale, node.inputs[2]], axis, { ...named(node), name: node.name });
};

function mark(builder: GraphBuilder, value: Value, quant: QuantParams | undefined): void {
  if (quant) builder.quantize(value.id, value.type, quant);
}

function writeBorder(opType: string): OnnxWriter {
  return (node, context) => {
    const [x, scale, zeroPoint] = node.inputs;
    const stored = context.value(opType === 'QuantizeLinear' ? node.outputs[0] : x!).type.dtype;
    const needed = dtypeBits[stored] === 4 || stored === 'int16' || stored === 'uint16' ? 21 : 13;
    if (context.opset < needed)
      context.refuse(`${stored} values need opset ${needed}; this is ${context.opset}`);
    const perAxis = context.value(scale!).type.shape.length > 0;
    const inputs = zeroPoint === null || zeroPoint === undefined ? [x, scale] : [x, scale, zeroPoint];
    context.node(opType, inputs, node.outputs, perAxis ? { axis: int(node.attrs.axis as number) } : {});
  };
}

export const borderOnnx = {
  read: {
    QuantizeLinear: since(10, readQuantizeLinear),
    DequantizeLinear: since(10, readDequantizeLinear),
  },
  write: {
    QuantizeLinear: writeBorder('QuantizeLinear'),
    DequantizeLinear: writeBorder('DequantizeLinear'),
  },
} satisfies OnnxFacet;
