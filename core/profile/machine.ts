import { writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import type { MachineView } from '../contract/views.ts';

/** What the machine is and how busy, at one moment. Fields that the system does not tell are left out. */
export async function machineState(): Promise<MachineView> {
  const cores = cpus();
  const [load] = loadavg();
  const governor = await lineOf('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor');
  return {
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    ...(cores[0]?.speed ? { mhz: cores[0].speed } : {}),
    ...(process.platform === 'win32' ? {} : { loadAverage: load }),
    ...(governor ? { governor } : {}),
    ...(await batteryState()),
  };
}

async function batteryState(): Promise<{ batteryPercent?: number; onBattery?: boolean }> {
  const folder = '/sys/class/power_supply';
  const names = await readdir(folder).catch(() => []);
  const battery = names.find((name) => name.startsWith('BAT'));
  if (!battery) return {};
  const percent = Number(await lineOf(join(folder, battery, 'capacity')));
  const status = await lineOf(join(folder, battery, 'status'));
  return {
    ...(percent > 0 ? { batteryPercent: percent } : {}),
    ...(status ? { onBattery: status === 'Discharging' } : {}),
  };
}

async function lineOf(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Lets the peak of resident memory start anew, where the system can: else it is the highest of the process so far. */
export function resetPeakRss(): void {
  if (process.platform !== 'linux') return;
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Without the right to, the peak stays that of all that ran before.
  }
}

/** Watches what else keeps the processor busy while something is measured. */
export class LoadWatch {
  private readonly startTime = performance.now();
  private readonly startBusy = busyMs();
  private readonly startOwn = process.cpuUsage();

  /** Mean number of cores that other processes used since the start. */
  otherCores(): number {
    const wall = performance.now() - this.startTime;
    if (wall <= 0) return 0;
    const own = process.cpuUsage(this.startOwn);
    return Math.max(0, (busyMs() - this.startBusy - (own.user + own.system) / 1000) / wall);
  }
}

/** Busy time of all cores, of whatever runs on them. */
function busyMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}

/** Times in milliseconds spread wider than this, (p90 − p10) ÷ median, say little about a device. */
const wideSpread = 0.5;
/** Cores that others may use beside the threads that are measured. */
const patience = 0.3;

/** What speaks against trusting a measurement; empty when nothing does. */
export function doubts(
  { spread, runs }: { readonly spread: number; readonly runs: number },
  otherCores: number,
  threads: number,
  machine: MachineView,
): { valid: boolean; notes: string[] } {
  const notes: string[] = [];
  const wanted = Math.min(threads, machine.cores) + otherCores;
  const busy = wanted > machine.cores + patience;
  if (busy)
    notes.push(
      `The machine was too busy: others used ${otherCores.toFixed(1)} of ${machine.cores} cores while ${threads} ${threads === 1 ? 'thread was' : 'threads were'} measured.`,
    );
  const wide = spread > wideSpread;
  if (wide)
    notes.push(
      `Runs differ widely: the middle 80 % span ${Math.round(spread * 100)} % of the median. The fastest run says more than the median.`,
    );
  if (runs < 20) notes.push(`Only ${runs} runs: the percentiles are rough.`);
  if (threads > machine.cores) notes.push(`${threads} threads share ${machine.cores} cores.`);
  if (machine.onBattery) notes.push('The machine ran on battery, which can slow it down.');
  if (machine.governor && machine.governor !== 'performance')
    notes.push(`The frequency governor is "${machine.governor}": the clock may change between runs.`);
  return { valid: !busy && !wide, notes };
}
