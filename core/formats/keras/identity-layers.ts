import type { LayerConfig } from './config.ts';

/** Layers that act in training only, or that only record something: they leave no operator behind. */
const identities = new Set([
  'ActivityRegularization',
  'AlphaDropout',
  'AugMix',
  'CutMix',
  'Dropout',
  'GaussianDropout',
  'GaussianNoise',
  'Identity',
  'MixUp',
  'RandAugment',
  'Solarization',
  'SpatialDropout1D',
  'SpatialDropout2D',
  'SpatialDropout3D',
]);

/** `RandomCrop` of Keras 1 and 2 takes the middle part at inference; Keras 3 leaves the image as it is. */
export function isIdentityLayer({ className, kind }: LayerConfig, dialect: 1 | 2 | 3): boolean {
  if (kind === 'operation') return className === 'Identity';
  if (className === 'RandomCrop' && dialect !== 3) return false;
  return identities.has(className) || className.startsWith('Random');
}
