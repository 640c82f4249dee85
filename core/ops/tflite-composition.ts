import type { Node, Value } from '../ir/graph.ts';
import { elementCount } from '../ir/tensor.ts';
import type { TfliteTensorRef, TfliteWriteContext } from './facets.ts';
import {
  activationCodes,
  innerLike,
  inputTensor,
  needFloat,
  numberTensor,
  outputTensor,
  outputValue,
  scalarLike,
} from './tflite-helpers.ts';

/** Steps of a composed function, in float: inside of an integer model between DEQUANTIZE and QUANTIZE. */
export class Composition {
  private readonly node: Node;
  private readonly context: TfliteWriteContext;
  private readonly isInteger: boolean;
  private readonly like: Value;
  private count = 0;
  readonly x: TfliteTensorRef;
  readonly y: TfliteTensorRef;

  /** @param xShape of x, where it differs from that of y. */
  constructor(node: Node, context: TfliteWriteContext, xShape?: readonly number[]) {
    this.node = node;
    this.context = context;
    const output = outputValue(node, context);
    this.isInteger = output.quant !== undefined;
    if (!this.isInteger) needFloat(node, context);
    this.like = { id: output.id, type: { dtype: 'float32', shape: output.type.shape } };
    this.y = this.isInteger ? innerLike(context, `${node.id}/result`, this.like) : context.tensor(output.id);
    this.x = inputTensor(node, context, 0);
    if (this.isInteger) {
      const real = innerLike(context, `${node.id}/real`, this.like, xShape);
      context.op('DEQUANTIZE', [this.x], [real]);
      this.x = real;
    }
  }

  /** Ends the composition once y is written. */
  finish(): void {
    if (this.isInteger) this.context.op('QUANTIZE', [this.y], [outputTensor(this.node, this.context)]);
  }

  number(value: number): TfliteTensorRef {
    return scalarLike(this.like, this.context, `${this.node.id}/number`, value);
  }

  /** Ones in the shape of y, for kernels that do not broadcast. */
  ones(): TfliteTensorRef {
    const shape = this.like.type.shape as number[];
    const values = new Array<number>(elementCount(shape)).fill(1);
    return this.context.constant(`${this.node.id}/ones`, numberTensor('float32', shape, values));
  }

  step(
    builtin: string,
    inputs: readonly TfliteTensorRef[],
    to?: TfliteTensorRef,
    fused: 'none' | 'relu' | 'relu6' = 'none',
  ): TfliteTensorRef {
    const name = `${this.node.id}/${builtin.toLowerCase()}_${this.count++}`;
    const output = to ?? innerLike(this.context, name, this.like);
    const table = { ADD: 'AddOptions', MUL: 'MulOptions', SUB: 'SubOptions', DIV: 'DivOptions' }[builtin];
    const fields = { fused_activation_function: activationCodes[fused] };
    this.context.op(builtin, inputs, [output], table ? { table, fields } : undefined);
    return output;
  }
}
