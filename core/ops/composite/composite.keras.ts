import type { KerasFacet } from '../facets.ts';
import { attentionKeras } from './keras-attention.ts';
import { dotAttentionKeras } from './keras-dot-attention.ts';
import { encodingKeras } from './keras-encodings.ts';
import { recurrentKeras } from './keras-recurrent.ts';
import { spectrogramKeras } from './keras-spectrograms.ts';
import { wrapperKeras } from './keras-wrappers.ts';

/** Layers that are no operator of their own: they are written out in operators of the other families. */
export const compositeKeras: KerasFacet = {
  ...attentionKeras,
  ...dotAttentionKeras,
  ...encodingKeras,
  ...recurrentKeras,
  ...spectrogramKeras,
  ...wrapperKeras,
};
