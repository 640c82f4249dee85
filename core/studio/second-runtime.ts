import { WhittleError } from '../contract/errors.ts';
import type { Engine, Session } from '../ir/engine.ts';
import type { Tensor } from '../ir/tensor.ts';

/** What LiteRT's WASM build says of a file that the native runtime has opened. */
export type SecondOpinion = { readonly opened: string } | { readonly refusal: string } | undefined;

/**
 * Opens a .tflite in a second runtime and runs one sample: a file that runs in LiteRT's native and in its WASM build
 * does not hang on one machine's kernels.
 * @param session the one that the file was checked in; nothing is tried when it is of the same runtime
 */
export async function tryInSecondRuntime(
  path: string,
  session: Session,
  feeds: Readonly<Record<string, Tensor>>,
  engine: Engine,
): Promise<SecondOpinion> {
  if (session.engine === engine.id || (await engine.unavailable())) return undefined;
  try {
    const second = await engine.open(path);
    try {
      await second.run(feeds);
      return { opened: `${second.description} in ${second.loadMs.toFixed(0)} ms` };
    } finally {
      await second.close();
    }
  } catch (error) {
    if (error instanceof WhittleError) return { refusal: error.message };
    throw error;
  }
}
