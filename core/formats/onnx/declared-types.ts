/** Types of values as an ONNX file states them. */
import type { TensorType } from '../../ir/graph.ts';
import { anonymousDims } from './input-shapes.ts';
import { dataTypes, type GraphProto, type ValueInfoProto } from './schema.ts';

/** What is neither stated nor inferred. */
export const unknownType: TensorType = { dtype: 'other', shape: [] };

/**
 * What a graph states of its inner values and outputs.
 * @param sizes of the dimensions that have a name and were settled.
 */
export function declaredTypes(
  graph: GraphProto,
  sizes: ReadonlyMap<string, number>,
): Map<string, TensorType> {
  const stated = [...(graph.valueInfo ?? []), ...graph.output];
  return new Map(stated.map((value) => [value.name ?? '', typeOf(value, sizes)]));
}

function typeOf({ name, type }: ValueInfoProto, sizes: ReadonlyMap<string, number>): TensorType {
  const dtype = dataTypes[type?.tensorType?.elemType ?? 0];
  const dims = type?.tensorType?.shape?.dim;
  if (!dtype || dtype === 'string' || !dims) return { ...unknownType, ...(type && { stated: type }) };
  const shape = dims.map(({ dimValue, dimParam = '' }, axis) => {
    // Some exporters write 0 where they do not know the size.
    if (dimValue !== undefined && dimValue > 0) return dimValue;
    if (anonymousDims.has(dimParam)) return `${name}.${axis}`;
    return sizes.get(dimParam) ?? dimParam;
  });
  return { dtype, shape };
}
