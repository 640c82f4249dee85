import type { Preprocess } from '../../../core/contract/views.ts';

/** The preprocessing form as it is typed. */
export interface PreprocessDraft {
  height: string;
  width: string;
  fit: Preprocess['fit'];
  colour: Preprocess['colour'];
  mean: string;
  scale: string;
  layout: 'model' | 'NHWC' | 'NCHW';
}

export function toDraft({ size, fit, colour, mean, scale, layout }: Preprocess): PreprocessDraft {
  return {
    height: size ? String(size[0]) : '',
    width: size ? String(size[1]) : '',
    fit,
    colour,
    mean: mean.join(', '),
    scale: scale.join(', '),
    layout: layout ?? 'model',
  };
}

function parseList(text: string): number[] | undefined {
  const parts = text.split(/[\s,;]+/).filter(Boolean);
  const values = parts.map(Number);
  return values.length > 0 && values.every(Number.isFinite) ? values : undefined;
}

export type DraftField = 'size' | 'mean' | 'scale';

/** Reads the form; names the fields that cannot be read and why. */
export function fromDraft(draft: PreprocessDraft): {
  preprocess?: Preprocess;
  problems: Partial<Record<DraftField, string>>;
} {
  const problems: Partial<Record<DraftField, string>> = {};
  const isEmpty = draft.height.trim() === '' && draft.width.trim() === '';
  const [height, width] = [Number(draft.height), Number(draft.width)];
  if (!isEmpty && !(Number.isInteger(height) && Number.isInteger(width) && height > 0 && width > 0))
    problems.size = 'Height and width are whole numbers from 1; leave both empty for the model’s own.';
  const mean = parseList(draft.mean);
  if (!mean || (mean.length !== 1 && mean.length !== 3))
    problems.mean = 'One number for all channels, or one for each of three.';
  const scale = parseList(draft.scale);
  if (!scale || (scale.length !== 1 && scale.length !== 3))
    problems.scale = 'One number for all channels, or one for each of three.';
  else if (scale.includes(0)) problems.scale = 'Values are divided by the scale: it cannot be 0.';
  if (!mean || !scale || Object.keys(problems).length > 0) return { problems };
  return {
    problems,
    preprocess: {
      ...(isEmpty ? {} : { size: [height, width] }),
      fit: draft.fit,
      colour: draft.colour,
      mean,
      scale,
      ...(draft.layout === 'model' ? {} : { layout: draft.layout }),
    },
  };
}

/** Mean and scale pairs that models are commonly trained with, for x in 0…255. */
export const ranges = [
  { name: '0…255', mean: '0', scale: '1' },
  { name: '0…1', mean: '0', scale: '255' },
  { name: '−1…1', mean: '127.5', scale: '127.5' },
  { name: 'ImageNet', mean: '123.675, 116.28, 103.53', scale: '58.395, 57.12, 57.375' },
] as const;
