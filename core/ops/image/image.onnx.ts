/** ONNX Resize (10, 11, 13, 18, 19), Upsample (7, 9), DepthToSpace (1, 11, 13), SpaceToDepth (1, 13). */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { elementCount, floatTensor } from '../../ir/tensor.ts';
import type { OnnxFacet, OnnxNodeView, OnnxReader } from '../facets.ts';
import {
  constantInput,
  float,
  input,
  int,
  integers,
  named,
  type OnnxWriter,
  only,
  requireChannelsFirst,
  since,
} from '../onnx-helpers.ts';
import type { BlockAttrs, OpAttrs, ResizeAttrs } from '../vocabulary.ts';

type Scheme = Omit<ResizeAttrs, 'scales'>;

function readMode(node: OnnxNodeView): ResizeAttrs['mode'] {
  const mode = node.string('mode', 'nearest');
  if (mode === 'nearest' || mode === 'linear' || mode === 'cubic') return mode;
  // Upsample's older name for linear.
  return mode === 'bilinear' ? 'linear' : node.refuse(`mode = ${mode} is not known`);
}

/** Upsample and Resize of opset 10 divide the position by the scale and take the element below. */
function oldScheme(node: OnnxNodeView): Scheme {
  return {
    mode: readMode(node),
    coordinateTransformation: 'asymmetric',
    nearestMode: 'floor',
    cubicCoeffA: -0.75,
  };
}

function scheme(node: OnnxNodeView): Scheme {
  const transformation = node.string('coordinate_transformation_mode', 'half_pixel');
  const nearest = node.string('nearest_mode', 'round_prefer_floor');
  const mode = readMode(node);
  if (mode !== 'nearest') only(node, 'exclude_outside', node.int('exclude_outside', 0), 0);
  else node.int('exclude_outside', 0);
  only(node, 'antialias', node.int('antialias', 0), 0);
  // Only used by tf_crop_and_resize, which is refused below.
  node.float('extrapolation_value', 0);
  if (node.string('keep_aspect_ratio_policy', 'stretch') !== 'stretch') {
    node.refuse('only keep_aspect_ratio_policy = stretch is supported');
  }
  const transformations = [
    'half_pixel',
    'pytorch_half_pixel',
    'align_corners',
    'asymmetric',
    'half_pixel_symmetric',
  ] as const;
  const nearestModes = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] as const;
  return {
    mode,
    coordinateTransformation:
      transformations.find((name) => name === transformation) ??
      node.refuse(`coordinate_transformation_mode = ${transformation} is not supported`),
    nearestMode:
      nearestModes.find((name) => name === nearest) ?? node.refuse(`nearest_mode = ${nearest} is not known`),
    cubicCoeffA: node.float('cubic_coeff_a', -0.75),
  };
}

/** Sizes from scales: ⌊size × scale⌋. Scales that are not the ratio of the sizes are kept. */
function addByScales(
  node: OnnxNodeView,
  builder: GraphBuilder,
  x: Value,
  scales: readonly number[],
  attrs: Scheme,
): void {
  const { shape } = x.type;
  if (scales.length !== shape.length)
    node.refuse(`${scales.length} scales for a tensor of rank ${shape.length}`);
  const sizes = shape.map((dim, axis) => {
    if (typeof dim === 'number') return Math.floor(dim * scales[axis]);
    throw new Error(`${node.opType} "${node.name}" scales axis ${axis} of its input, which is open`);
  });
  const exact = sizes.every((size, axis) => size === (shape[axis] as number) * scales[axis]);
  builder.add(
    'Resize',
    [x, integers(builder, node, 'sizes', sizes)],
    { ...attrs, ...(!exact && { scales: [...scales] }) },
    named(node),
  );
}

const readUpsample7: OnnxReader = (node, builder) => {
  const scales = node.floats('scales') ?? node.refuse('it has no scales');
  addByScales(node, builder, input(node, 0), scales, oldScheme(node));
};

const readResize10: OnnxReader = (node, builder) => {
  addByScales(node, builder, input(node, 0), constantInput(node, 1, 'scales'), oldScheme(node));
};

function isGiven(value: Value | null | undefined): value is Value {
  return !!value && !(value.constant && elementCount(value.constant.shape) === 0);
}

/** Numbers for the axes that `axes` names; `rest` for the others. */
function spread(
  values: readonly number[],
  axes: readonly number[] | undefined,
  rest: readonly number[],
): number[] {
  if (!axes) return [...values];
  const out = [...rest];
  axes.forEach((axis, i) => {
    out[axis < 0 ? axis + rest.length : axis] = values[i];
  });
  return out;
}

const readResize11: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const attrs = scheme(node);
  const axes = node.ints('axes');
  const rank = x.type.shape.length;
  if (isGiven(node.inputs[2])) {
    const ones = new Array<number>(rank).fill(1);
    addByScales(node, builder, x, spread(constantInput(node, 2, 'scales'), axes, ones), attrs);
    return;
  }
  let sizes = input(node, 3);
  if (axes) {
    const shape = x.type.shape.map((dim, axis) => {
      if (typeof dim === 'number' || axes.includes(axis)) return Number(dim);
      throw new Error(`Resize "${node.name}" keeps axis ${axis} of its input, which is open`);
    });
    sizes = integers(builder, node, 'sizes', spread(constantInput(node, 3, 'sizes'), axes, shape));
  }
  builder.add('Resize', [x, sizes], { ...attrs }, named(node));
};

const readDepthToSpace: OnnxReader = (node, builder) => {
  const mode = node.string('mode', 'DCR');
  if (mode !== 'DCR' && mode !== 'CRD') node.refuse(`mode = ${mode} is not known`);
  const attrs = { layout: 'NCHW', blockSize: node.int('blocksize', 0), mode };
  builder.add('DepthToSpace', [input(node, 0)], attrs, named(node));
};

const readSpaceToDepth: OnnxReader = (node, builder) => {
  const attrs = { layout: 'NCHW', blockSize: node.int('blocksize', 0) };
  builder.add('SpaceToDepth', [input(node, 0)], attrs, named(node));
};

const writeResize: OnnxWriter = (node, context) => {
  const attrs = node.attrs as unknown as ResizeAttrs;
  const { mode, coordinateTransformation } = attrs;
  if (coordinateTransformation === 'half_pixel_symmetric' && context.opset < 19) {
    context.refuse('half_pixel_symmetric needs opset 19');
  }
  const [x, sizes] = [node.inputs[0]!, node.inputs[1]!];
  const inputs = attrs.scales
    ? [
        x,
        null,
        context.initializer(`${node.outputs[0]}/scales`, floatTensor([attrs.scales.length], attrs.scales)),
      ]
    : [x, null, null, sizes];
  context.node('Resize', inputs, node.outputs, {
    mode: { string: mode },
    coordinate_transformation_mode: { string: coordinateTransformation },
    ...(mode === 'nearest' && { nearest_mode: { string: attrs.nearestMode } }),
    ...(mode === 'cubic' && { cubic_coeff_a: float(attrs.cubicCoeffA) }),
  });
};

const writeBlocks =
  (opType: string): OnnxWriter =>
  (node, context) => {
    requireChannelsFirst(node, context);
    const { blockSize, mode } = node.attrs as unknown as BlockAttrs & Partial<OpAttrs['DepthToSpace']>;
    context.node(opType, node.inputs, node.outputs, {
      blocksize: int(blockSize),
      ...(mode && { mode: { string: mode } }),
    });
  };

export const imageOnnx = {
  read: {
    Resize: { 10: readResize10, 11: readResize11 },
    Upsample: { 7: readUpsample7, 9: readResize10 },
    DepthToSpace: since(1, readDepthToSpace),
    SpaceToDepth: since(1, readSpaceToDepth),
  },
  write: {
    Resize: writeResize,
    DepthToSpace: writeBlocks('DepthToSpace'),
    SpaceToDepth: writeBlocks('SpaceToDepth'),
  },
} satisfies OnnxFacet;
