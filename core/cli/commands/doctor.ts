import { cpus, totalmem } from 'node:os';
import type { DoctorView } from '../../contract/views.ts';
import { engineStatus } from '../../runtime/doctor.ts';
import { whittleVersion } from '../../studio/version.ts';
import { formatBytes } from '../format.ts';
import { type CommandContext, exitCodes, printJson } from '../io.ts';

export async function doctor(options: { json?: boolean }, { io }: CommandContext): Promise<number> {
  const view: DoctorView = {
    version: whittleVersion(),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    cores: cpus().length,
    memoryBytes: totalmem(),
    engines: await engineStatus({ probe: true }),
  };
  io.err(
    `whittle ${view.version} on ${view.platform}, Node ${view.node}, ${view.cores} cores, ${formatBytes(view.memoryBytes)}\n`,
  );
  for (const engine of view.engines) {
    const devices = engine.devices.length > 0 ? ` (${engine.devices.join(', ')})` : '';
    io.err(`${engine.available ? '✓' : '–'} ${engine.name}: ${engine.detail}${devices}\n`);
    if (engine.hint) io.err(`    ${engine.hint}\n`);
    for (const { device, reason, command } of engine.missing ?? [])
      io.err(`    no ${device}: ${reason}${command === undefined ? '' : ` (${command})`}\n`);
  }
  if (options.json) await printJson(io, view);
  return exitCodes.done;
}
