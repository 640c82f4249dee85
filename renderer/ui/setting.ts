import { plural } from './format.ts';

/** In what a time was measured: `LiteRT 2.3.0 native, XNNPACK, 2 threads`. Leaves out what the engine's name says. */
export function describeSetting(setting: { engine: string; device: string; threads: number }): string {
  const { engine, device, threads } = setting;
  const parts = [engine];
  if (device !== '' && !engine.toLowerCase().includes(device.toLowerCase()) && !/xnnpack/i.test(engine))
    parts.push(device);
  if (!/thread/.test(engine)) parts.push(plural(threads, 'thread'));
  return parts.join(', ');
}
