/** TensorFlow's convolutions. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { addFused, fusedBias } from '../activation/graphdef-fused.ts';
import type { GraphDefFacet, GraphDefNodeView, GraphDefReader } from '../facets.ts';
import {
  constantNumbersOf,
  innerOf,
  inputOf,
  layoutOf,
  padsOf,
  reshapeOf,
  resultOf,
  spatialEntries,
  staticShapeOf,
} from '../graphdef-helpers.ts';
import { noteSpacedConv } from '../shape/blocks.ts';
import { spatialAxes } from '../spatial.ts';
import type { Layout } from '../vocabulary.ts';

/** `[…kernel, in, out]` as the IR's `[out, in, …kernel]`; transposed filters have `[…kernel, out, in]`. */
function channelsFirst(node: GraphDefNodeView, builder: GraphBuilder, filter: Value): Value {
  const rank = filter.type.shape.length;
  const perm = [rank - 1, rank - 2, ...Array.from({ length: rank - 2 }, (_, i) => i)];
  return innerOf(node, builder, 'Transpose', [filter], { perm });
}

interface Site {
  readonly x: Value;
  readonly layout: Layout;
  readonly sizes: readonly number[];
  readonly channels: number;
}

function siteOf(node: GraphDefNodeView, x: Value, axes: number): Site {
  const layout = layoutOf(node);
  const shape = staticShapeOf(node, x);
  if (shape.length !== axes + 2) return node.refuse(`its input has the shape [${shape.join(', ')}]`);
  return {
    x,
    layout,
    sizes: spatialAxes(layout, shape.length).map((axis) => shape[axis]),
    channels: layout === 'NHWC' ? shape[shape.length - 1] : shape[1],
  };
}

/** Weights in the IR's order, the kernel's size and the number of groups. */
interface Filter {
  readonly weights: Value;
  readonly kernel: readonly number[];
  readonly group: number;
}

function plainFilter(node: GraphDefNodeView, builder: GraphBuilder, { channels }: Site): Filter {
  const filter = inputOf(node, 1);
  const shape = staticShapeOf(node, filter);
  return {
    weights: channelsFirst(node, builder, filter),
    kernel: shape.slice(0, -2),
    group: channels / shape[shape.length - 2],
  };
}

/** A depthwise filter `[h, w, C, multiplier]` is, element for element, `[h, w, 1, C × multiplier]`. */
function depthwiseFilter(node: GraphDefNodeView, builder: GraphBuilder, { channels }: Site): Filter {
  const filter = inputOf(node, 1);
  const [height, width, inputs, multiplier] = staticShapeOf(node, filter);
  const flat = reshapeOf(node, builder, filter, [height, width, 1, inputs * multiplier]);
  return { weights: channelsFirst(node, builder, flat), kernel: [height, width], group: channels };
}

function conv(axes: number, isDepthwise: boolean): GraphDefReader {
  return (node, builder) => {
    const site = siteOf(node, inputOf(node, 0), axes);
    const { weights, kernel, group } = (isDepthwise ? depthwiseFilter : plainFilter)(node, builder, site);
    const rank = axes + 2;
    const strides = spatialEntries(node, 'strides', site.layout, rank);
    // Old depthwise nodes leave the list empty, and some list the two spatial entries alone.
    const listed = node.ints('dilations');
    const dilations =
      listed.length === axes ? [...listed] : spatialEntries(node, 'dilations', site.layout, rank, listed);
    const pads = padsOf(node, site.layout, site.sizes, { kernel, strides, dilations });
    const attrs = { layout: site.layout, strides, dilations, pads, group, activation: 'none' } as const;
    const { bias, rest } = fusedBias(node, 2);
    const inputs = [site.x, weights, bias] as const;
    const result = rest.length
      ? addFused(node, builder, innerOf(node, builder, 'Conv', inputs, attrs), rest)
      : resultOf(node, builder, 'Conv', inputs, attrs);
    if (rest.length === 0)
      noteSpacedConv(result, site.x, { weights, bias, group, activation: 'none' }, attrs);
    return [result];
  };
}

/** The gradient of a convolution is a transposed one: its crop is what `padding` would pad from result to input. */
function transposed(axes: number): GraphDefReader {
  return (node, builder) => {
    const filter = inputOf(node, 1);
    const site = siteOf(node, inputOf(node, 2), axes);
    const rank = axes + 2;
    const wanted = constantNumbersOf(node, 0, 'output sizes');
    const sizes =
      wanted.length === axes ? wanted : spatialAxes(site.layout, rank).map((axis) => wanted[axis]);
    const kernel = staticShapeOf(node, filter).slice(0, -2);
    const strides = spatialEntries(node, 'strides', site.layout, rank);
    const dilations = spatialEntries(node, 'dilations', site.layout, rank);
    const pads = padsOf(node, site.layout, sizes, { kernel, strides, dilations });
    const outputPadding = sizes.map((size, i) => {
      const reach = (kernel[i] - 1) * dilations[i] + 1;
      return size - ((site.sizes[i] - 1) * strides[i] + reach - pads[i] - pads[i + axes]);
    });
    if (outputPadding.some((size) => size < 0)) node.refuse(`its output sizes are [${sizes.join(', ')}]`);
    return [
      resultOf(node, builder, 'ConvTranspose', [site.x, channelsFirst(node, builder, filter), null], {
        layout: site.layout,
        strides,
        dilations,
        pads,
        group: 1,
        outputPadding,
        activation: 'none',
      }),
    ];
  };
}

export const convGraphDef = {
  Conv2D: conv(2, false),
  _FusedConv2D: conv(2, false),
  Conv3D: conv(3, false),
  DepthwiseConv2dNative: conv(2, true),
  _FusedDepthwiseConv2dNative: conv(2, true),
  FusedDepthwiseConv2dNative: conv(2, true),
  Conv2DBackpropInput: transposed(2),
  Conv3DBackpropInputV2: transposed(3),
} satisfies GraphDefFacet;
