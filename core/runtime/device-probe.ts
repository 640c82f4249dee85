import type { Engine } from '../ir/engine.ts';
import { wordsOf } from './failure.ts';

/** |x| of four floats, as a model of each format: the least that a device can be asked to do. */
const models = {
  onnx: 'CAgSADo6CgsKAXgSAXkiA0FicxIBcFoTCgF4Eg4KDAgBEggKAggBCgIIBGITCgF5Eg4KDAgBEggKAggBCgIIBEIECgAQDQ==',
  tflite:
    'IAAAAFRGTDMAAAAAFAAgABwAGAAUABAADAAAAAgABAAUAAAAHAAAAIQAAAC0AAAAvAAAANAAAACgAQAAAwAAAAEAAAAQAAAAAAAKABAADAAIAAQACgAAAAwAAAAcAAAANAAAAA8AAABzZXJ2aW5nX2RlZmF1bHQAAQAAAAQAAADM////AQAAAAQAAAABAAAAeQAAAAEAAAAEAAAAov7//wQAAAABAAAAeAAAAAEAAAAMAAAACAAMAAgABAAIAAAAAQAAAAQAAAATAAAAbWluX3J1bnRpbWVfdmVyc2lvbgACAAAAKAEAABgBAAATAAAAV3JpdHRlbiBieSBXaGl0dGxlLgABAAAAFAAAAAAADgAYABQAEAAMAAgABAAOAAAAFAAAABwAAABIAAAATAAAAFAAAAAEAAAAbWFpbgAAAAABAAAAEAAAAAAACgAMAAAACAAEAAoAAAAIAAAADAAAAAEAAAABAAAAAQAAAAAAAAABAAAAAQAAAAEAAAAAAAAAAgAAADQAAAAEAAAA4P///wgAAAAMAAAAAQAAAHkAAAACAAAAAQAAAAQAAAAMAAwACAAAAAAABAAMAAAACAAAAAwAAAABAAAAeAAAAAIAAAABAAAABAAAAAEAAAAQAAAADAAOAAcAAAAAAAgADAAAAAAAAGVlAAAAAAAGAAgABAAGAAAAGAAAAAQABAAEAAAAAAAAAAAAAAAAAAAAEAAAADEuMTMuMAAAAAAAAAAAAAA=',
};

/** Runs a tiny model on a device. @returns why it cannot be used, in the runtime's own words; undefined when it can */
export async function whyUnusable(engine: Engine, device: string): Promise<string | undefined> {
  try {
    const session = await engine.open(Buffer.from(models[engine.format], 'base64'), { device, threads: 1 });
    try {
      await session.run({ x: { dtype: 'float32', shape: [1, 4], bytes: new Uint8Array(16) } });
      return undefined;
    } finally {
      await session.close();
    }
  } catch (cause) {
    return wordsOf(cause).replace(/^\w+ could not (open|run) a model of \d+ bytes: /, '');
  }
}
