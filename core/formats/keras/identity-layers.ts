import type { LayerConfig } from './config.ts';

/** Layers that act in training only, or that only record something: they leave no operator behind. */
const identities = new Set([
  'ActivityRegularization',
  'AlphaDropout',
  'AugMix',
  'AutoContrast',
  'CutMix',
  'Dropout',
  'Equalization',
  'GaussianDropout',
  'GaussianNoise',
  'Identity',
  'MixUp',
  'RandAugment',
  'SpatialDropout1D',
  'SpatialDropout2D',
  'SpatialDropout3D',
]);

/** `Random*` layers that change an image at inference too. */
const activeRandom = new Set(['RandomCrop', 'RandomHeight', 'RandomWidth']);

export function isIdentityLayer({ className, kind }: LayerConfig): boolean {
  if (kind === 'operation') return className === 'Identity';
  return identities.has(className) || (className.startsWith('Random') && !activeRandom.has(className));
}
