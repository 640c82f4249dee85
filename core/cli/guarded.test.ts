import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runGuarded } from './guarded.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whittle-guarded-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs a script as the guarded process and returns the exit code with what was printed here. */
async function guard(name: string, script: string, args: string[] = []) {
  const path = join(folder, `${name}.mjs`);
  await writeFile(path, script);
  const printed = { out: '', err: '' };
  const code = await runGuarded(path, args, {
    out: async (text) => {
      printed.out += text;
    },
    err: (text) => {
      printed.err += text;
    },
    isTerminal: false,
  });
  return { code, ...printed };
}

describe('a guarded command', () => {
  it('passes its arguments and its exit code on', async () => {
    expect(await guard('exit', 'process.exit(Number(process.argv[2]));', ['3'])).toEqual({
      code: 3,
      out: '',
      err: '',
    });
  });

  it('tells a crash as an error and takes half-written files away', async () => {
    const half = join(folder, '.model.tflite.partial');
    await writeFile(half, '');
    const script = `process.send({ unfinished: [${JSON.stringify(half)}] }, () => process.kill(process.pid, 'SIGSEGV'));`;
    const { code, out, err } = await guard('abort', script, ['--json']);
    expect(code).toBe(1);
    expect(JSON.parse(out).error).toMatchObject({
      code: 'job.crashed',
      message: expect.stringContaining('SIGSEGV'),
    });
    expect(err).toContain('crash');
    expect(existsSync(half)).toBe(false);
  });
});
