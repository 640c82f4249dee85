/** What readers of larger ONNX operators build with: IR nodes under names of the ONNX node. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { DType } from '../../ir/dtype.ts';
import type { Attrs, Value } from '../../ir/graph.ts';
import { int64Tensor, type Tensor } from '../../ir/tensor.ts';
import type { OnnxNodeView } from '../facets.ts';
import { scalarTensor } from '../onnx-helpers.ts';

export type Arithmetic = 'Add' | 'Sub' | 'Mul' | 'Div';
export type Reduction = 'ReduceMean' | 'ReduceSum' | 'ReduceMax' | 'ReduceMin';

/** Adds nodes named `node/what` and gives the results of the last ones the node's own output names. */
export class OnnxSteps {
  readonly node: OnnxNodeView;
  readonly builder: GraphBuilder;

  constructor(node: OnnxNodeView, builder: GraphBuilder) {
    this.node = node;
    this.builder = builder;
  }

  /** A required input. */
  input(index: number): Value {
    return this.node.inputs[index] ?? this.node.refuse(`input ${index} is missing`);
  }

  /** A shape as numbers. @throws Error for an open dimension, which is not this node's fault. */
  shape(x: Value): number[] {
    return x.type.shape.map((dim) => {
      if (typeof dim === 'number') return dim;
      throw new Error(`${this.node.opType} "${this.node.name}" works on an open dimension, ${dim}`);
    });
  }

  one(op: string, inputs: readonly (Value | null)[], attrs: Attrs, what: string): Value {
    return this.builder.one(op, inputs, attrs, { name: `${this.node.name}/${what}` });
  }

  two(op: Arithmetic, a: Value, b: Value, what: string): Value {
    return this.one(op, [a, b], { activation: 'none' }, what);
  }

  constant(tensor: Tensor, what: string): Value {
    return this.builder.constant(`${this.node.name}/${what}`, tensor);
  }

  scalar(dtype: DType, value: number, what: string): Value {
    return this.constant(scalarTensor(dtype, value), what);
  }

  ints(values: readonly number[], what: string): Value {
    return this.constant(int64Tensor([values.length], values), what);
  }

  reshape(x: Value, shape: readonly number[], what: string): Value {
    const wanted = this.ints(shape, `${what}/shape`);
    return this.one('Reshape', [x, wanted], { allowZero: true }, what);
  }

  transpose(x: Value, perm: readonly number[], what: string): Value {
    return this.one('Transpose', [x], { perm }, what);
  }

  cast(x: Value, to: DType, what: string): Value {
    return x.type.dtype === to ? x : this.one('Cast', [x], { to }, what);
  }

  reduce(op: Reduction, x: Value, axes: readonly number[] | null, keepDims: boolean, what: string): Value {
    const list = axes === null ? null : this.ints(axes, `${what}/axes`);
    return this.one(op, [x, list], { keepDims }, what);
  }

  /** Elements `start`, `start + step`, … before `end` along one axis. */
  slice(x: Value, axis: number, start: number, end: number, step: number, what: string): Value {
    const part = (value: number, name: string) => this.ints([value], `${what}/${name}`);
    const inputs = [x, part(start, 'start'), part(end, 'end'), part(axis, 'axis'), part(step, 'step')];
    return this.one('Slice', inputs, {}, what);
  }

  concat(parts: readonly Value[], axis: number, what: string): Value {
    return parts.length === 1 ? parts[0] : this.one('Concat', parts, { axis }, what);
  }

  /** Whether somebody may read an output. */
  wants(output: number): boolean {
    return this.node.outputs[output] !== undefined;
  }

  /** Adds the node whose result is one of the ONNX node's outputs. */
  last(op: string, inputs: readonly (Value | null)[], attrs: Attrs = {}, output = 0): void {
    const name = output === 0 ? this.node.name : `${this.node.name}/output${output}`;
    this.builder.add(op, inputs, attrs, { name, outputs: [this.node.outputs[output]] });
  }

  /** Gives a value out under an output's name. */
  give(value: Value, output: number): void {
    if (this.wants(output)) this.last('Identity', [value], {}, output);
  }
}
