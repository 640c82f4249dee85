import type { Graph, GraphSource } from '../../ir/graph.ts';
import { isUnsupported } from '../../ops/facets.ts';
import { tfliteWriters } from '../../ops/registry.ts';
import { type FileContent, joinParts } from '../file-content.ts';
import { type BufferContent, encodeParts } from './flatbuffer.ts';
import { movedPackedFiles, type PackedFiles } from './packed-files.ts';
import { WriteContext } from './write-context.ts';

export interface TfliteParts {
  readonly file: FileContent;
  /** How many of each builtin operator the file has. */
  readonly operators: Record<string, number>;
  /** The oldest TensorFlow Lite runtime that can run the file, "2.3.0". */
  readonly minRuntime: string;
}

export interface WrittenTflite extends Omit<TfliteParts, 'file'> {
  readonly bytes: Uint8Array;
}

export interface WriteTfliteOptions {
  readonly description?: string;
  /** The form of files above 2 GiB, whatever the size. */
  readonly large?: boolean;
}

/** TensorFlow keeps the runtime version in a buffer of this length, filled up with zeros. */
const runtimeBytes = 16;

/** Writes a graph as the bytes of a TFLite file. @throws as `writeTfliteParts` */
export function writeTflite(graph: Graph, options: WriteTfliteOptions = {}): WrittenTflite {
  const { file, ...facts } = writeTfliteParts(graph, options);
  return { bytes: joinParts(file), ...facts };
}

/**
 * Writes a graph as a TFLite file with the signature `serving_default`. The graph is in NHWC form (as
 * `prepareForTflite` leaves it) with every dimension known. Equal graphs give equal bytes.
 * @throws WhittleError `model.unsupported-operator` with all operators that cannot be written, at once.
 */
export function writeTfliteParts(graph: Graph, options: WriteTfliteOptions = {}): TfliteParts {
  const context: WriteContext = new WriteContext(graph);
  for (const id of new Set([...graph.inputs, ...graph.outputs])) {
    if (graph.values.get(id)?.type.shape.includes(0))
      context.issue(`"${id}" has no elements; LiteRT takes and gives no empty tensors`);
  }
  for (const node of graph.nodes) {
    if (context.isDequantizer(node)) continue;
    context.write(node, () => {
      const writer = tfliteWriters[node.op];
      if (!writer) context.refuse(`TFLite has no form of the operator ${node.op}`);
      if (isUnsupported(writer)) context.refuse(writer.unsupported);
      writer(node, context);
    });
  }
  context.throwIssues();
  const outputs = graph.outputs.map((id) => context.output(id));
  const minRuntime = context.minRuntime();
  const runtime = new Uint8Array(runtimeBytes);
  runtime.set(new TextEncoder().encode(minRuntime));
  const kept = keptEntries(graph.source);
  const draft = context.draft(outputs);
  const subgraph = draft.subgraphs![0];
  const file = encodeParts(
    {
      ...draft,
      description: options.description ?? 'Written by Whittle.',
      metadata: ['min_runtime_version', ...kept.keys()].map((name, i) => ({
        name,
        buffer: context.buffers.length + i,
      })),
      signature_defs: [
        {
          signature_key: 'serving_default',
          subgraph_index: 0,
          inputs: graph.inputs.map((name, i) => ({ name, tensor_index: subgraph.inputs![i] })),
          outputs: graph.outputs.map((name, i) => ({ name, tensor_index: subgraph.outputs![i] })),
        },
      ],
    },
    [...context.buffers, ...[runtime, ...kept.values()].map(contentOf)],
    { large: options.large },
  );
  const packed = graph.source.attachments?.packed;
  return {
    file: packed ? withPacked(file, packed) : file,
    operators: context.operatorCounts(),
    minRuntime,
  };
}

function contentOf(data: Uint8Array): BufferContent {
  return { byteLength: data.byteLength, bytes: () => data };
}

/** Metadata entries of a TFLite source as they are, those of an ONNX source as texts. */
function keptEntries({ format, attachments, metadata }: GraphSource): Map<string, Uint8Array> {
  if (attachments) return new Map(Object.entries(attachments.entries));
  const texts = format === 'onnx' ? Object.entries(metadata ?? {}) : [];
  return new Map(texts.map(([key, text]) => [key, new TextEncoder().encode(text)]));
}

/** Files that the source has packed behind it, behind this one. */
function withPacked(file: FileContent, packed: PackedFiles): FileContent {
  return {
    sizeBytes: file.sizeBytes + packed.archive.byteLength,
    *parts() {
      yield* file.parts();
      yield movedPackedFiles(packed, file.sizeBytes);
    },
  };
}
