import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/** Less is not worth the tens of milliseconds. */
const worthwhileBytes = 32 * 2 ** 20;

/**
 * Gives back at once what nobody holds any more, where that is as much as a model's weights. Left to itself, the
 * collector waits, since what it counts is small: weights lie outside of its heap.
 */
export function letGo(sizeBytes: number): void {
  if (sizeBytes < worthwhileBytes) return;
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
