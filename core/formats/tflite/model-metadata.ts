/** TFLite Metadata (metadata_schema.fbs): who made a model, and how its inputs are normalized. */
import { decodeTable } from './flatbuffer.ts';
import type { Row } from './schema.ts';

/** Name of the metadata entry that holds it. */
export const modelMetadataEntry = 'TFLITE_METADATA';

/** What it says, as names and texts. Empty where it cannot be read: nothing depends on it. */
export function describeModelMetadata(data: Uint8Array): Record<string, string> {
  let root: Row<'ModelMetadata'>;
  try {
    root = decodeTable(data, 'ModelMetadata', 'M001');
  } catch {
    return {};
  }
  const said: Record<string, string | undefined> = {
    name: root.name,
    description: root.description,
    version: root.version,
    author: root.author,
    license: root.license,
  };
  const [graph] = root.subgraph_metadata ?? [];
  for (const [i, tensor] of (graph?.input_tensor_metadata ?? []).entries()) {
    for (const { options } of tensor.process_units ?? []) {
      const { mean, std } = (options ?? {}) as { mean?: readonly number[]; std?: readonly number[] };
      if (!mean || !std) continue;
      said[`normalization of ${tensor.name ?? `input ${i}`}`] = `(x − ${list(mean)}) ÷ ${list(std)}`;
    }
  }
  return Object.fromEntries(
    Object.entries(said).flatMap(([key, text]): [string, string][] => (text ? [[key, text]] : [])),
  );
}

function list(values: readonly number[]): string {
  return values.length === 1 ? String(values[0]) : `[${values.join(', ')}]`;
}
