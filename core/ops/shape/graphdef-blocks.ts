import type { GraphBuilder } from '../../ir/builder.ts';
import type { GraphDefNodeView, GraphDefReader } from '../facets.ts';
import { constantNumbersOf, inputOf, resultOf, staticShapeOf } from '../graphdef-helpers.ts';
import { amountsOf, type BlockNode, batchToSpace, spaceToBatch } from './blocks.ts';

function blockNode(node: GraphDefNodeView, builder: GraphBuilder): BlockNode {
  return {
    name: node.name,
    refuse: (message, hint) => node.refuse(message, hint),
    last: (op, inputs, attrs) => resultOf(node, builder, op, inputs, attrs),
  };
}

function blockReader(read: typeof spaceToBatch): GraphDefReader {
  return (node, builder) => {
    const x = inputOf(node, 0);
    const own = blockNode(node, builder);
    const block = constantNumbersOf(node, 1, 'block sizes');
    const amounts = amountsOf(own, block, constantNumbersOf(node, 2, 'amounts'));
    return [read(own, builder, x, staticShapeOf(node, x), amounts)];
  };
}

export const blockReaders = {
  SpaceToBatchND: blockReader(spaceToBatch),
  BatchToSpaceND: blockReader(batchToSpace),
};
