import type { GraphBuilder } from '../../ir/builder.ts';
import type { TfliteOpView } from '../facets.ts';
import {
  constantNumbersOf,
  inputOf,
  onReals,
  staticShapeOf,
  type TfliteReader,
} from '../tflite-read-helpers.ts';
import { amountsOf, type BlockNode, batchToSpace, spaceToBatch } from './blocks.ts';

function blockNode(op: TfliteOpView, builder: GraphBuilder): BlockNode {
  return {
    name: op.name,
    refuse: (message, hint) => op.refuse(message, hint),
    last: (irOp, inputs, attrs) =>
      builder.one(irOp, inputs, attrs, { name: op.name, outputs: [op.outputs[0].name] }),
  };
}

function blockReader(read: typeof spaceToBatch): TfliteReader {
  return onReals((op, builder) => {
    const x = inputOf(op, 0);
    const own = blockNode(op, builder);
    const block = constantNumbersOf(op, 1, 'block sizes');
    const amounts = amountsOf(own, block, constantNumbersOf(op, 2, 'amounts'));
    read(own, builder, x, staticShapeOf(op, x), amounts);
  });
}

export const blockTfliteReaders = {
  SPACE_TO_BATCH_ND: blockReader(spaceToBatch),
  BATCH_TO_SPACE_ND: blockReader(batchToSpace),
};
