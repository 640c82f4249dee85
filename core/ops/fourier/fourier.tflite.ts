/** RFFT2D over one row; the complex result is taken apart at once. */
import type { TfliteFacet } from '../facets.ts';
import {
  inputTensor,
  inputValue,
  int32Vector,
  reshape,
  shapeOf,
  type TfliteWriter,
} from '../tflite-helpers.ts';

const writeRfft: TfliteWriter = (node, context) => {
  const shape = shapeOf(inputValue(node, context, 0), context);
  const length = shape[shape.length - 1];
  // The kernel transforms the last two axes: here a column of 1.
  const raised = [...shape.slice(0, -1), 1, length];
  const half = [...shape.slice(0, -1), 1, length / 2 + 1];
  const rows = context.inner(`${node.id}/rows`, { dtype: 'float32', shape: raised });
  reshape(context, inputTensor(node, context, 0), rows, `${node.id}/rows`, raised);
  const spectrum = context.inner(`${node.id}/spectrum`, { dtype: 'complex64', shape: half });
  context.op('RFFT2D', [rows, int32Vector(context, `${node.id}/length`, [1, length])], [spectrum], {
    table: 'Rfft2dOptions',
    fields: {},
  });
  node.outputs.forEach((id, i) => {
    if (!context.isRead(id)) return;
    const builtin = ['REAL', 'IMAG'][i];
    const part = context.inner(`${node.id}/${builtin.toLowerCase()}`, { dtype: 'float32', shape: half });
    context.op(builtin, [spectrum], [part]);
    reshape(context, part, context.tensor(id), id, shapeOf(context.value(id), context));
  });
};

export const fourierTflite = { read: {}, write: { RFFT: writeRfft } } satisfies TfliteFacet;
