/**
 * Every operator with its facets, as one explicit object. A missing definition or writer is a compile error here
 * once `vocabulary.ts` names the operator; a facet that cannot be is `unsupported('why')`.
 */
import { WhittleError } from '../contract/errors.ts';
import type { FoldNode, InferTypes } from '../ir/builder.ts';
import type { Attrs, Node, TensorType, Value } from '../ir/graph.ts';
import { elementCount } from '../ir/tensor.ts';
import { activationGraphDef } from './activation/activation.graphdef.ts';
import { activationKeras } from './activation/activation.keras.ts';
import { activationOnnx } from './activation/activation.onnx.ts';
import { activationDefinitions } from './activation/activation.op.ts';
import { activationTflite } from './activation/activation.tflite.ts';
import { borderKeras } from './border/border.keras.ts';
import { borderOnnx } from './border/border.onnx.ts';
import { borderDefinitions } from './border/border.op.ts';
import { borderTflite } from './border/border.tflite.ts';
import { compositeKeras } from './composite/composite.keras.ts';
import { compositeOnnx } from './composite/composite.onnx.ts';
import { compositeTflite } from './composite/composite.tflite.ts';
import { contribOnnx } from './contrib/contrib.onnx.ts';
import { convGraphDef } from './conv/conv.graphdef.ts';
import { convKeras } from './conv/conv.keras.ts';
import { convOnnx } from './conv/conv.onnx.ts';
import { convDefinitions } from './conv/conv.op.ts';
import { convTflite } from './conv/conv.tflite.ts';
import { denseGraphDef } from './dense/dense.graphdef.ts';
import { denseKeras } from './dense/dense.keras.ts';
import { denseOnnx } from './dense/dense.onnx.ts';
import { denseDefinitions } from './dense/dense.op.ts';
import { denseTflite } from './dense/dense.tflite.ts';
import { elementwiseGraphDef } from './elementwise/elementwise.graphdef.ts';
import { elementwiseKeras } from './elementwise/elementwise.keras.ts';
import { elementwiseOnnx } from './elementwise/elementwise.onnx.ts';
import { elementwiseDefinitions } from './elementwise/elementwise.op.ts';
import { elementwiseTflite } from './elementwise/elementwise.tflite.ts';
import type {
  ComplexReader,
  GraphDefReader,
  KerasReader,
  OnnxFacet,
  OnnxReader,
  OnnxWriteContext,
  OpDefinition,
  QuantRule,
  TfliteFacet,
} from './facets.ts';
import { complexGraphDef, complexTflite } from './fourier/complex-readers.ts';
import { fourierKeras } from './fourier/fourier.keras.ts';
import { fourierOnnx } from './fourier/fourier.onnx.ts';
import { fourierDefinitions } from './fourier/fourier.op.ts';
import { fourierTflite } from './fourier/fourier.tflite.ts';
import { imageGraphDef } from './image/image.graphdef.ts';
import { imageKeras } from './image/image.keras.ts';
import { imageOnnx } from './image/image.onnx.ts';
import { imageDefinitions } from './image/image.op.ts';
import { imageTflite } from './image/image.tflite.ts';
import { normGraphDef } from './norm/norm.graphdef.ts';
import { normKeras } from './norm/norm.keras.ts';
import { normOnnx } from './norm/norm.onnx.ts';
import { normDefinitions } from './norm/norm.op.ts';
import { normTflite } from './norm/norm.tflite.ts';
import { poolGraphDef } from './pool/pool.graphdef.ts';
import { poolKeras } from './pool/pool.keras.ts';
import { poolOnnx } from './pool/pool.onnx.ts';
import { poolDefinitions } from './pool/pool.op.ts';
import { poolTflite } from './pool/pool.tflite.ts';
import { reduceGraphDef } from './reduce/reduce.graphdef.ts';
import { reduceKeras } from './reduce/reduce.keras.ts';
import { reduceOnnx } from './reduce/reduce.onnx.ts';
import { reduceDefinitions } from './reduce/reduce.op.ts';
import { reduceTflite } from './reduce/reduce.tflite.ts';
import { shapeGraphDef } from './shape/shape.graphdef.ts';
import { shapeKeras } from './shape/shape.keras.ts';
import { shapeOnnx } from './shape/shape.onnx.ts';
import { shapeDefinitions } from './shape/shape.op.ts';
import { shapeTflite } from './shape/shape.tflite.ts';
import type { OpAttrs, OpName } from './vocabulary.ts';

type Definitions = { [K in OpName]: OpDefinition<OpAttrs[K]> };

export const definitions = {
  ...convDefinitions,
  ...denseDefinitions,
  ...poolDefinitions,
  ...normDefinitions,
  ...activationDefinitions,
  ...elementwiseDefinitions,
  ...reduceDefinitions,
  ...shapeDefinitions,
  ...imageDefinitions,
  ...fourierDefinitions,
  ...borderDefinitions,
} satisfies Definitions;

const everyOnnxWriter = {
  ...convOnnx.write,
  ...denseOnnx.write,
  ...poolOnnx.write,
  ...normOnnx.write,
  ...activationOnnx.write,
  ...elementwiseOnnx.write,
  ...reduceOnnx.write,
  ...shapeOnnx.write,
  ...imageOnnx.write,
  ...fourierOnnx.write,
  ...borderOnnx.write,
} satisfies Record<OpName, (node: Node, context: OnnxWriteContext) => void>;

export const onnxWriters: OnnxFacet['write'] = everyOnnxWriter;

export const onnxReaders: Readonly<Record<string, Readonly<Record<number, OnnxReader>>>> = {
  ...convOnnx.read,
  ...denseOnnx.read,
  ...poolOnnx.read,
  ...normOnnx.read,
  ...activationOnnx.read,
  ...elementwiseOnnx.read,
  ...reduceOnnx.read,
  ...shapeOnnx.read,
  ...imageOnnx.read,
  ...fourierOnnx.read,
  ...borderOnnx.read,
  ...compositeOnnx.read,
  ...contribOnnx.read,
};

const everyTfliteWriter = {
  ...convTflite.write,
  ...denseTflite.write,
  ...poolTflite.write,
  ...normTflite.write,
  ...activationTflite.write,
  ...elementwiseTflite.write,
  ...reduceTflite.write,
  ...shapeTflite.write,
  ...imageTflite.write,
  ...fourierTflite.write,
  ...borderTflite.write,
} satisfies Record<OpName, TfliteFacet['write'][string]>;

export const tfliteWriters: TfliteFacet['write'] = everyTfliteWriter;

export const tfliteReaders: TfliteFacet['read'] = {
  ...convTflite.read,
  ...denseTflite.read,
  ...poolTflite.read,
  ...normTflite.read,
  ...activationTflite.read,
  ...elementwiseTflite.read,
  ...reduceTflite.read,
  ...shapeTflite.read,
  ...imageTflite.read,
  ...borderTflite.read,
  ...compositeTflite.read,
};

export const kerasReaders: Readonly<Record<string, KerasReader>> = {
  ...convKeras,
  ...denseKeras,
  ...poolKeras,
  ...normKeras,
  ...activationKeras,
  ...elementwiseKeras,
  ...reduceKeras,
  ...shapeKeras,
  ...imageKeras,
  ...fourierKeras,
  ...borderKeras,
  ...compositeKeras,
};

export const graphdefReaders: Readonly<Record<string, GraphDefReader>> = {
  ...convGraphDef,
  ...denseGraphDef,
  ...poolGraphDef,
  ...normGraphDef,
  ...activationGraphDef,
  ...elementwiseGraphDef,
  ...reduceGraphDef,
  ...shapeGraphDef,
  ...imageGraphDef,
};

/** Of operators that take or give complex numbers, by TensorFlow's names and by TFLite's. */
export const complexGraphDefReaders: Readonly<Record<string, ComplexReader>> = complexGraphDef;
export const complexTfliteReaders: Readonly<Record<string, ComplexReader>> = complexTflite;

/** The definition of an operator, or undefined for one that only passes through. */
export function definitionOf(op: string): OpDefinition | undefined {
  return (definitions as unknown as Record<string, OpDefinition>)[op];
}

const noKernels = { int8: false, int16x8: false, dynamicInt8: false };

/** The quantization rule of a node; undefined when it always stays in float. */
export function quantRuleOf({ op, attrs }: Node): QuantRule | undefined {
  const rule = definitionOf(op)?.quant;
  if (!rule || !(rule.takes?.(attrs) ?? true)) return undefined;
  return (rule.hasKernels?.(attrs) ?? true) ? rule : { ...rule, tflite: noKernels };
}

/** Infers output types through the registry; hand it to `GraphBuilder`. */
export const inferTypes: InferTypes = (
  op: string,
  inputs: readonly (Value | null)[],
  attrs: Attrs,
  node: string,
): TensorType[] => {
  const definition = definitionOf(op);
  if (!definition) throw new Error(`${node}: no operator named ${op}`);
  return definition.infer({
    inputs,
    attrs,
    node,
    fail(message, code = 'model.invalid'): never {
      throw new WhittleError(code, `${node} (${op}): ${message}`);
    },
  });
};

/** Folding may grow constants (Expand, Range) up to this many elements; beyond it the runtime does the work. */
const foldLimit = 1 << 20;

/**
 * Computes a node over constants; hand it to `GraphBuilder`. Nodes whose types cannot be computed here, or whose
 * result would be much larger than what it is made of, stay.
 */
export const foldNode: FoldNode = (op, inputs, attrs, types) => {
  const fold = definitionOf(op)?.fold;
  const present = inputs.filter((value) => value !== null);
  if (!fold || present.length === 0 || present.some((value) => !value.constant)) return undefined;
  const tensors = inputs.map((value) => value?.constant ?? null);
  const before = present.reduce((sum, value) => sum + elementCount(value.type.shape as number[]), 0);
  const after = types.reduce((sum, type) => sum + elementCount(type.shape as number[]), 0);
  if (after > Math.max(foldLimit, before)) return undefined;
  try {
    return fold(tensors, attrs, types);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
};
