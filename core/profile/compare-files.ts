import { basename } from 'node:path';
import type { ComparisonView } from '../contract/views.ts';
import type { Engine } from '../ir/engine.ts';
import { randomFeeds } from './feeds.ts';
import { interleavedRatio, type OpenSide, type Ratio, type RatioOptions } from './interleaved-ratio.ts';

/** One side of a comparison. */
export interface Contender {
  /** What it is called in the result. */
  readonly path: string;
  readonly artifactId?: string;
  readonly engine: Engine;
  readonly model: string | Uint8Array;
}

export interface CompareOptions extends RatioOptions {
  readonly device: string;
  readonly threads: number;
}

/** Differences below this matter to nobody, and are not called. */
const leastDifference = 0.01;

/**
 * Runs two files in turn and says which is faster, as far as the machine lets it be told.
 * @throws WhittleError what opening, running or cancelling throw
 */
export async function compareFiles(
  a: Contender,
  b: Contender,
  options: CompareOptions,
): Promise<ComparisonView> {
  const { device, threads } = options;
  const side =
    ({ engine, model }: Contender): OpenSide =>
    async () => {
      const session = await engine.open(model, { device, threads });
      return { session, feeds: randomFeeds(session.inputs) };
    };
  const ratio = await interleavedRatio(side(a), side(b), options);
  return {
    a: a.path,
    b: b.path,
    ...(a.artifactId !== undefined && { artifactIdA: a.artifactId }),
    ...(b.artifactId !== undefined && { artifactIdB: b.artifactId }),
    ...ratio,
    ...judge(ratio, a.path, b.path),
  };
}

/** The verdict on a ratio, and as a sentence. */
export function judge(
  { ratio, low, high }: Pick<Ratio, 'ratio' | 'low' | 'high'>,
  a: string,
  b: string,
): Pick<ComparisonView, 'verdict' | 'words'> {
  const interval = `99 % interval ${low.toFixed(3)} to ${high.toFixed(3)}`;
  const isClear = (low > 1 || high < 1) && Math.abs(Math.log(ratio)) >= Math.log1p(leastDifference);
  if (!isClear)
    return {
      verdict: 'unclear',
      words: `No clear difference: ${basename(a)} takes ${ratio.toFixed(3)} × the time of ${basename(b)} (${interval}).`,
    };
  const aIsFaster = ratio < 1;
  const [fast, slow] = aIsFaster ? [a, b] : [b, a];
  const factor = aIsFaster ? 1 / ratio : ratio;
  return {
    verdict: aIsFaster ? 'a-faster' : 'b-faster',
    words: `${basename(fast)} is ${factor.toFixed(2)} × as fast as ${basename(slow)} (time ratio ${ratio.toFixed(3)}, ${interval}).`,
  };
}
