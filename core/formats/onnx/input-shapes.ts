/** Settles the open dimensions of an ONNX model's inputs. */
import type { ReadOptions } from '../model-file.ts';
import { type InputDeclaration, type SettledInputs, settleInputs as settle } from '../settle-inputs.ts';
import { dataTypeNames, dataTypes, type ValueInfoProto } from './schema.ts';

/** Names that exporters write where they mean "unknown": they do not make two dimensions equal. */
export const anonymousDims = new Set(['', '?', '*', '-1', 'None', 'none', 'unknown', 'dynamic']);

/** @see settle for what becomes of open dimensions. */
export function settleInputs(inputs: readonly ValueInfoProto[], options: ReadOptions): SettledInputs {
  return settle(inputs.map(declarationOf), options);
}

function declarationOf(input: ValueInfoProto): InputDeclaration {
  const type = input.type?.tensorType;
  const dtype = dataTypes[type?.elemType ?? 0];
  const kind = type ? (dtype ?? dataTypeNames[type.elemType ?? 0] ?? 'of an unknown type') : 'no tensor';
  const dims = type?.shape?.dim.map(({ dimValue, dimParam }) => {
    // Some exporters write 0 where they do not know the size.
    if (dimValue !== undefined && dimValue > 0 && dimParam === undefined) return dimValue;
    return anonymousDims.has(dimParam ?? '') ? undefined : dimParam;
  });
  return { name: input.name ?? '', kind, dims };
}
