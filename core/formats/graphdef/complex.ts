/** TensorFlow operators on complex numbers, which are pairs of real tensors while the graph is read. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { elementCount, floatTensor } from '../../ir/tensor.ts';
import { type Complex, isComplex, type RealOrComplex } from '../../ops/facets.ts';
import { partwiseGraphDef } from '../../ops/fourier/complex-readers.ts';
import { complexGraphDefReaders, graphdefReaders } from '../../ops/registry.ts';
import { GraphDefNode } from './node-view.ts';
import { dataTypeNames, type NodeDef } from './schema.ts';
import { closedShape, invalid } from './tensors.ts';

/** DT_COMPLEX64. */
const complex64 = 8;
/** Of a complex constant: 128 MiB. */
const mostElements = 1 << 24;
const types = new Set([1, complex64]);

function typeOf(node: NodeDef, key: string): number | undefined {
  return node.attr.find((attr) => attr.key === key)?.value?.type;
}

/** A constant of complex64; undefined for one of real numbers. */
export function complexConstant(node: NodeDef, name: string, builder: GraphBuilder): Complex | undefined {
  const proto = node.attr.find(({ key }) => key === 'value')?.value?.tensor;
  if (proto?.dtype !== complex64) return undefined;
  const shape = closedShape(name, proto.tensorShape);
  const count = elementCount(shape);
  const bytes = new Uint8Array(
    proto.tensorContent?.byteLength ? proto.tensorContent : (proto.scomplexVal ?? []),
  );
  const pairs = bytes.byteLength / 8;
  if (!Number.isInteger(pairs) || pairs > count || (pairs === 0 && count > 0) || count > mostElements) {
    throw invalid(
      name,
      `The complex constant "${name}" of shape [${shape.join(', ')}] has ${bytes.byteLength} bytes.`,
    );
  }
  const stored = new Float32Array(bytes.buffer);
  // The last number stands for all that follow.
  const part = (offset: number, what: string) => {
    const values = Float32Array.from(
      { length: count },
      (_, i) => stored[2 * Math.min(i, pairs - 1) + offset],
    );
    return builder.constant(`${name}/${what}`, floatTensor(shape, values));
  };
  return { real: part(0, 'real'), imaginary: part(1, 'imaginary') };
}

/** Whether an operator takes or gives complex numbers, whatever its operands. */
export function isOnComplex(node: NodeDef): boolean {
  const op = node.op ?? '';
  if (op === 'Cast') return typeOf(node, 'DstT') === complex64;
  return complexGraphDefReaders[op] !== undefined && !graphdefReaders[op];
}

/**
 * @param perPart reads the operator as one on real numbers, under a name
 * @returns its outputs
 */
export function readComplex(
  node: NodeDef,
  name: string,
  operands: readonly RealOrComplex[],
  builder: GraphBuilder,
  perPart: (name: string, values: readonly Value[]) => readonly (Value | undefined)[],
): readonly (RealOrComplex | undefined)[] {
  const op = node.op ?? '';
  if (partwiseGraphDef.has(op)) {
    const [real, imaginary] = (['real', 'imaginary'] as const).map((part) =>
      perPart(
        `${name}/${part}`,
        operands.map((item) => (isComplex(item) ? item[part] : item)),
      ),
    );
    return real.map((value, i): Complex | undefined => {
      const other = imaginary[i];
      return value && other && { real: value, imaginary: other };
    });
  }
  const view = new GraphDefNode(node, name, []);
  for (const key of ['T', 'Tcomplex', 'Treal', 'Tout', 'SrcT', 'DstT']) {
    const type = typeOf(node, key);
    // Casts may come from any real type.
    const isFree = key === 'SrcT' && !operands.some((item) => isComplex(item));
    if (type !== undefined && !types.has(type) && !isFree) {
      view.refuse(
        `its numbers are of ${dataTypeNames[type] ?? `type ${type}`}; complex64 and float32 are read`,
      );
    }
  }
  const reader = complexGraphDefReaders[op];
  if (!reader) return view.refuse('it works on complex numbers, which is not read');
  const result = reader(
    { name, inputs: operands, refuse: (message, hint) => view.refuse(message, hint) },
    builder,
  );
  const unread = view.unread();
  return unread.length > 0 ? view.refuse(`the attribute ${unread.join(', ')} is not known`) : [result];
}
