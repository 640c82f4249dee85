/** Writes a graph as an ONNX file. */
import { type Issue, WhittleError } from '../../contract/errors.ts';
import { dtypeBits, isFloat } from '../../ir/dtype.ts';
import { type Graph, type Node, type ValueId, valueNamed } from '../../ir/graph.ts';
import { isOpaque } from '../../ir/opaque.ts';
import { definitionOf, onnxWriters } from '../../ops/registry.ts';
import { type FileContent, joinParts } from '../file-content.ts';
import { encodeContent } from '../protobuf/wire.ts';
import { ExternalWeights, weightBytes } from './external-weights.ts';
import { normalDomain } from './node-view.ts';
import { protosOf } from './opaque.ts';
import {
  dataTypeOf,
  irVersionFor,
  modelTable,
  newestOpset,
  type OperatorSetIdProto,
  oldestWritten,
  type TypeProto,
  type ValueInfoProto,
} from './schema.ts';
import { WriteContext } from './write-context.ts';

export interface WriteOnnxOptions {
  /** Opset to write, 13 to 26. Default: the source's own, but at least 13 (the first with per-axis QDQ). */
  readonly opset?: number;
  /** Inner values to give out besides the graph's outputs, for calibration and comparison. */
  readonly extraOutputs?: readonly ValueId[];
  /** Takes the weights, to be written beside the model. */
  readonly external?: ExternalWeights;
}

/**
 * 16-bit integers between QuantizeLinear and DequantizeLinear, and 4-bit ones there and in Cast, came with opset 21, DFT
 * with opset 17.
 */
function leastOpset(graph: Graph): number {
  for (const node of graph.nodes) {
    const isBorder = node.op === 'QuantizeLinear' || node.op === 'DequantizeLinear';
    if (!isBorder && node.op !== 'Cast') continue;
    for (const id of [...node.inputs.slice(0, 1), ...node.outputs]) {
      const dtype = id === null ? undefined : valueNamed(graph, id).type.dtype;
      const bits = dtype && !isFloat(dtype) ? dtypeBits[dtype] : 0;
      if (bits === 4 || (isBorder && bits === 16)) return 21;
    }
  }
  return graph.nodes.some(({ op }) => op === 'RFFT') ? 17 : oldestWritten;
}

/**
 * The opset that a graph is written in: the source's own, but at least the one that its operators need. A graph of
 * opaque operators alone needs no other than the source's.
 */
export function opsetFor(graph: Graph): number {
  const { opset } = graph.source;
  const isWhole = graph.nodes.every((node) => isOpaque(node.op) || node.op === 'Identity');
  return isWhole && opset !== undefined ? opset : Math.max(opset ?? 0, leastOpset(graph));
}

function valueInfo(graph: Graph, id: ValueId): ValueInfoProto {
  const { dtype, shape, stated } = valueNamed(graph, id).type;
  if (dtype === 'other') return { name: id, type: stated as TypeProto | undefined };
  const dim = shape.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name: id, type: { tensorType: { elemType: dataTypeOf(dtype), shape: { dim } } } };
}

/**
 * Writes a valid ONNX model: initializers as raw data, fused activations as nodes of their own (the value keeps its
 * name after the activation; the one before it is called `name/pre`), dense layers as Gemm or MatMul.
 * Quantized tensors are written where QuantizeLinear and DequantizeLinear nodes stand.
 * @param graph spatial operators in NCHW order.
 * Opaque operators are written as they came.
 * @throws WhittleError `model.unsupported-operator` or `model.unsupported-option` with every node that ONNX of this
 * opset cannot say; `usage` for an opset that is not written.
 */
export function writeOnnxContent(graph: Graph, options: WriteOnnxOptions = {}): FileContent {
  const opset = options.opset ?? opsetFor(graph);
  if (options.opset !== undefined && (opset < oldestWritten || opset > newestOpset)) {
    throw new WhittleError(
      'usage',
      `ONNX is written in opsets ${oldestWritten} to ${newestOpset}, not ${opset}.`,
    );
  }
  const context = new WriteContext(graph, opset, options.external);
  const issues: Issue[] = [];
  for (const node of graph.nodes) {
    try {
      writeNode(graph, node, context);
    } catch (error) {
      if (!(error instanceof WhittleError)) throw error;
      issues.push(...error.issues);
    }
  }
  if (issues.length) {
    const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
    throw new WhittleError('model.unsupported-option', `${issues[0].message}${more}`, { issues });
  }
  const outputs = [...new Set([...graph.outputs, ...(options.extraOutputs ?? [])])];
  for (const id of outputs) context.constant(id);
  refuseTooLarge(graph, context);
  return encodeContent(
    {
      irVersion: irVersionFor(opset),
      opsetImport: [{ domain: '', version: opset }, ...foreignDomains(graph)],
      producerName: 'whittle',
      docString: `Written by Whittle from ${graph.name}.`,
      graph: {
        node: context.nodes,
        name: graph.name,
        initializer: context.initializers,
        sparseInitializer: [],
        input: graph.inputs.map((id) => valueInfo(graph, id)),
        output: outputs.map((id) => valueInfo(graph, id)),
      },
      metadataProps: Object.entries(graph.source.metadata ?? {}).map(([key, value]) => ({ key, value })),
      functions: [],
    },
    modelTable,
  );
}

/** The same as one array of bytes. @throws as `writeOnnxContent` */
export function writeOnnx(graph: Graph, options: WriteOnnxOptions = {}): Uint8Array {
  return joinParts(writeOnnxContent(graph, options));
}

/** Of a protobuf message; weights that go into a file of their own do not count. */
const mostBytes = 0x7fff_0000;
/** What nodes, names and small constants may take beside the weights. */
const tableBytes = 64 * 2 ** 20;

/**
 * The content of an ONNX file, and of the one beside it that holds its weights where they are too much for one file.
 * @param dataName name of the second file
 * @param mostWeights bytes of weights that one file takes
 * @throws WhittleError as `writeOnnxContent`
 */
export function writeOnnxFiles(
  graph: Graph,
  dataName: string,
  mostWeights = mostBytes - tableBytes,
): { readonly model: FileContent; readonly data?: ExternalWeights } {
  if (weightBytes(graph) <= mostWeights) return { model: writeOnnxContent(graph) };
  const external = new ExternalWeights(dataName);
  return { model: writeOnnxContent(graph, { external }), data: external };
}

function refuseTooLarge({ name }: Graph, { initializers }: WriteContext): void {
  const bytes = initializers.reduce((sum, { rawData }) => sum + (rawData?.byteLength ?? 0), 0);
  if (bytes <= mostBytes) return;
  throw new WhittleError(
    'format.unsupported',
    `${name} has ${(bytes / 2 ** 30).toFixed(1)} GiB of weights, and an ONNX file holds 2 GiB.`,
    { hint: 'Choose .tflite, which holds more, or a precision with smaller weights.' },
  );
}

/** Opsets of the domains that opaque operators are of. */
function foreignDomains({ nodes, source }: Graph): OperatorSetIdProto[] {
  const used = new Set(nodes.flatMap(protosOf).map((node) => normalDomain(node.domain)));
  return Object.entries(source.domains ?? {})
    .filter(([domain]) => used.has(domain))
    .map(([domain, version]) => ({ domain, version }));
}

function writeNode(graph: Graph, node: Node, context: WriteContext): void {
  context.begin(node);
  if (isOpaque(node.op)) {
    context.opaque(node, graph.source.opset);
    return;
  }
  const write = onnxWriters[node.op];
  if (!write) context.refuse('ONNX has no such operator');
  if (node.op !== 'QuantizeLinear' && node.op !== 'DequantizeLinear') {
    // Weights of an operator that quantizes its activations at run time.
    const stored = definitionOf(node.op)?.quant?.onnxDynamicInt8 ? node.inputs[1] : null;
    for (const id of [...node.inputs, ...node.outputs]) {
      if (id !== null && id !== stored && valueNamed(graph, id).quant) {
        context.refuse(`"${id}" is quantized; QuantizeLinear and DequantizeLinear must stand around it`);
      }
    }
  }
  write(node, context);
}
