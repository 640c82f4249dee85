/** ONNX Resize (10, 11, 13, 18, 19), Upsample (7, 9), GridSample (16, 20), DepthToSpace (1, 11, 13), SpaceToDepth (1, 13). */
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
  requireChannelsFirst,
  since,
} from '../onnx-helpers.ts';
import type { BlockAttrs, GridSampleAttrs, OpAttrs, ResizeAttrs } from '../vocabulary.ts';

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

const transformations = [
  'half_pixel',
  'pytorch_half_pixel',
  'align_corners',
  'asymmetric',
  'half_pixel_symmetric',
  'tf_crop_and_resize',
] as const;
const nearestModes = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] as const;

function scheme(node: OnnxNodeView): Scheme {
  const transformation = node.string('coordinate_transformation_mode', 'half_pixel');
  const nearest = node.string('nearest_mode', 'round_prefer_floor');
  const mode = readMode(node);
  const isCubic = mode === 'cubic';
  const excludeOutside = node.int('exclude_outside', 0) === 1;
  const antialias = node.int('antialias', 0) === 1 && mode !== 'nearest';
  if (excludeOutside && mode === 'linear') node.refuse('exclude_outside = 1 is for mode = cubic');
  const coordinateTransformation =
    transformations.find((name) => name === transformation) ??
    node.refuse(`coordinate_transformation_mode = ${transformation} is not supported`);
  const extrapolation = node.float('extrapolation_value', 0);
  const isCropped = coordinateTransformation === 'tf_crop_and_resize';
  if (isCropped && (mode === 'nearest' || antialias)) {
    node.refuse(`tf_crop_and_resize with ${antialias ? 'antialias = 1' : `mode = ${mode}`} is not supported`);
  }
  return {
    mode,
    coordinateTransformation,
    nearestMode:
      nearestModes.find((name) => name === nearest) ?? node.refuse(`nearest_mode = ${nearest} is not known`),
    cubicCoeffA: node.float('cubic_coeff_a', -0.75),
    ...(antialias && { antialias }),
    ...(excludeOutside && isCubic && { excludeOutside }),
    ...(isCropped && { extrapolation }),
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

/** The part of x that tf_crop_and_resize takes: all of it along axes that are not named. */
function region(
  node: OnnxNodeView,
  axes: readonly number[] | undefined,
  ones: readonly number[],
): Pick<ResizeAttrs, 'roi'> {
  if (node.string('coordinate_transformation_mode', '') !== 'tf_crop_and_resize') return {};
  const roi = constantInput(node, 1, 'the region');
  const [starts, ends] = [roi.slice(0, roi.length / 2), roi.slice(roi.length / 2)];
  const zeros = ones.map(() => 0);
  return { roi: [...spread(starts, axes, zeros), ...spread(ends, axes, ones)] };
}

/** The one scale by which no axis exceeds, or falls below, the sizes that are asked for. */
function keptAspect(node: OnnxNodeView, x: Value, axes: readonly number[] | undefined): number[] {
  const sizes = constantInput(node, 3, 'the sizes');
  const given = axes ?? sizes.map((_, axis) => axis);
  const dims = given.map((axis) => Number(x.type.shape.at(axis)));
  const ratios = sizes.map((size, i) => size / dims[i]);
  const isSmaller = node.string('keep_aspect_ratio_policy', '') === 'not_larger';
  const scale = Math.fround(isSmaller ? Math.min(...ratios) : Math.max(...ratios));
  // Sizes are rounded here and cut off where scales are given; those that differ have no other form.
  if (!dims.every((dim) => Math.round(scale * dim) === Math.floor(scale * dim))) {
    node.refuse(`keep_aspect_ratio_policy gives sizes that are no multiple of the scale ${scale}`);
  }
  return sizes.map(() => scale);
}

const readResize11: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const axes = node.ints('axes');
  const rank = x.type.shape.length;
  const ones = new Array<number>(rank).fill(1);
  const attrs = { ...scheme(node), ...region(node, axes, ones) };
  if (node.string('keep_aspect_ratio_policy', 'stretch') !== 'stretch') {
    addByScales(node, builder, x, spread(keptAspect(node, x, axes), axes, ones), attrs);
    return;
  }
  if (isGiven(node.inputs[2])) {
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
  if (attrs.antialias && context.opset < 18) context.refuse('antialias needs opset 18');
  const [x, sizes] = [node.inputs[0]!, node.inputs[1]!];
  const { roi } = attrs;
  const region = roi ? context.initializer(`${node.outputs[0]}/roi`, floatTensor([roi.length], roi)) : null;
  const inputs = attrs.scales
    ? [
        x,
        region,
        context.initializer(`${node.outputs[0]}/scales`, floatTensor([attrs.scales.length], attrs.scales)),
      ]
    : [x, region, null, sizes];
  context.node('Resize', inputs, node.outputs, {
    mode: { string: mode },
    coordinate_transformation_mode: { string: coordinateTransformation },
    ...(mode === 'nearest' && { nearest_mode: { string: attrs.nearestMode } }),
    ...(mode === 'cubic' && { cubic_coeff_a: float(attrs.cubicCoeffA) }),
    ...(attrs.antialias && { antialias: int(1) }),
    ...(attrs.excludeOutside && { exclude_outside: int(1) }),
    ...(roi && { extrapolation_value: float(attrs.extrapolation ?? 0) }),
  });
};

const gridModes: Readonly<Record<string, GridSampleAttrs['mode']>> = {
  nearest: 'nearest',
  linear: 'linear',
  cubic: 'cubic',
  // Names before opset 20.
  bilinear: 'linear',
  bicubic: 'cubic',
};

const readGridSample: OnnxReader = (node, builder) => {
  const [mode, padding] = [node.string('mode', 'linear'), node.string('padding_mode', 'zeros')];
  const attrs: GridSampleAttrs = {
    layout: 'NCHW',
    mode: gridModes[mode] ?? node.refuse(`mode = ${mode} is not known`),
    padding:
      (['zeros', 'border', 'reflection'] as const).find((name) => name === padding) ??
      node.refuse(`padding_mode = ${padding} is not known`),
    alignCorners: node.int('align_corners', 0) !== 0,
  };
  builder.add('GridSample', [input(node, 0), input(node, 1)], { ...attrs }, named(node));
};

const writeGridSample: OnnxWriter = (node, context) => {
  requireChannelsFirst(node, context);
  const { mode, padding, alignCorners } = node.attrs as unknown as GridSampleAttrs;
  const rank = context.value(node.inputs[0]!).type.shape.length;
  if (context.opset < (rank === 4 ? 16 : 20)) context.refuse(`it needs opset ${rank === 4 ? 16 : 20}`);
  const old = context.opset < 20 && mode !== 'nearest';
  context.node('GridSample', node.inputs, node.outputs, {
    mode: { string: old ? `bi${mode}` : mode },
    padding_mode: { string: padding },
    align_corners: int(alignCorners),
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
    GridSample: since(16, readGridSample),
    DepthToSpace: since(1, readDepthToSpace),
    SpaceToDepth: since(1, readSpaceToDepth),
  },
  write: {
    Resize: writeResize,
    GridSample: writeGridSample,
    DepthToSpace: writeBlocks('DepthToSpace'),
    SpaceToDepth: writeBlocks('SpaceToDepth'),
  },
} satisfies OnnxFacet;
