import { byteLength } from '../ir/dtype.ts';
import type { PortInfo } from '../ir/engine.ts';
import type { QuantParams } from '../ir/graph.ts';
import { elementCount } from '../ir/tensor.ts';
import type { Pointer } from './c-library.ts';
import { dtypeOfElementType } from './element-types.ts';
import { runtimeFailed } from './failure.ts';
import { type LiteRtCall, statusInWords } from './litert-api.ts';
import type { Compiled, LiteRt } from './litert-open.ts';

/** A port with its own tensor buffer in the runtime. */
export interface BoundPort extends PortInfo {
  readonly shape: readonly number[];
  readonly buffer: Pointer;
  readonly bytes: number;
}

export interface BoundPorts {
  readonly signature: number;
  readonly inputs: readonly BoundPort[];
  readonly outputs: readonly BoundPort[];
}

const maxRank = 8;
/** int32 words of `LiteRtLayout`: rank in the low 7 bits of the first, then dimensions, then strides. */
const layoutWords = 1 + 2 * maxRank;
const perTensor = 1;

/**
 * Names, types and quantization of one signature, with a buffer for each. `serving_default` is taken where a model has
 * several signatures; one without signatures gets the names of its tensors. Open dimensions have the size that the
 * file allocates them with (1 for a batch).
 * @throws WhittleError `runtime.failed` naming the call and the port.
 */
export function bindPorts(litert: LiteRt, compiled: Compiled, label: string): BoundPorts {
  const { api, ffi } = litert;
  const out = new BigUint64Array(1);

  const get = (call: LiteRtCall, ...args: Parameters<typeof api.LockTensorBuffer>): Pointer => {
    out[0] = 0n;
    const status = api[call](...args, out);
    if (status !== 0) throw runtimeFailed('LiteRT', `open ${label}`, `${call}: ${statusInWords(status)}`);
    return out[0];
  };
  const text = (address: Pointer): string => ffi.decode.string(address);

  const signature = chooseSignature();
  const handle = get('GetModelSignature', compiled.model, signature);
  const inputs = bind('Input', Number(get('GetNumSignatureInputs', handle)));
  const outputs = bind('Output', Number(get('GetNumSignatureOutputs', handle)));
  return { signature, inputs, outputs };

  function chooseSignature(): number {
    const count = Number(get('GetNumModelSignatures', compiled.model));
    for (let i = 0; i < count; i++) {
      const key = text(get('GetSignatureKey', get('GetModelSignature', compiled.model, i)));
      if (key === 'serving_default') return i;
    }
    return 0;
  }

  function bind(side: 'Input' | 'Output', count: number): BoundPort[] {
    const layouts = layoutsOf(side, count);
    return Array.from({ length: count }, (_, i) => {
      const name = text(get(`GetSignature${side}Name`, handle, i));
      const tensor = get(`GetSignature${side}TensorByIndex`, handle, i);
      const type = new Int32Array(1 + layoutWords);
      const status = api.GetRankedTensorType(tensor, type);
      if (status !== 0)
        throw runtimeFailed(
          'LiteRT',
          `open ${label}`,
          `${name} has no ranked type: ${statusInWords(status)}`,
        );
      const dtype = dtypeOfElementType(type[0]);
      // The declared type has -1 for open dimensions; the compiled model knows what they were allocated with.
      type.set(layouts[i], 1);
      const rank = type[1] & 0x7f;
      const shape = Array.from(type.subarray(2, 2 + rank));
      const requirements = get(`GetCompiledModel${side}BufferRequirements`, compiled.compiled, signature, i);
      const buffer = get(
        'CreateManagedTensorBufferFromRequirements',
        compiled.environment,
        type,
        requirements,
      );
      compiled.handles.own(() => api.DestroyTensorBuffer(buffer));
      const quant = quantOf(tensor);
      return {
        name,
        dtype,
        shape,
        buffer,
        bytes: byteLength(dtype, elementCount(shape)),
        ...(quant && { quant }),
      };
    });
  }

  function layoutsOf(side: 'Input' | 'Output', count: number): Int32Array[] {
    const all = new Int32Array(layoutWords * count);
    const each = Array.from({ length: count }, (_, i) =>
      all.subarray(i * layoutWords, (i + 1) * layoutWords),
    );
    const statuses =
      side === 'Input'
        ? each.map((layout, i) =>
            api.GetCompiledModelInputTensorLayout(compiled.compiled, signature, i, layout),
          )
        : [api.GetCompiledModelOutputTensorLayouts(compiled.compiled, signature, count, all, true)];
    const failed = statuses.find((status) => status !== 0);
    if (failed !== undefined)
      throw runtimeFailed('LiteRT', `open ${label}`, `${side} layouts: ${statusInWords(failed)}`);
    return each;
  }

  function quantOf(tensor: Pointer): QuantParams | undefined {
    const kind = new Int32Array(1);
    if (api.GetQuantizationTypeId(tensor, kind) !== 0 || kind[0] !== perTensor) return undefined;
    const params = new DataView(new ArrayBuffer(16));
    if (api.GetPerTensorQuantization(tensor, params) !== 0) return undefined;
    return { scales: [params.getFloat32(0, true)], zeroPoints: [Number(params.getBigInt64(8, true))] };
  }
}
