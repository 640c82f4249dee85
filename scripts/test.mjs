// `npm test`: the whole gate. Installs what is missing, then types, lint, build, units, the studio in Chromium and the
// shell on a real Electron. Each step runs even when an earlier one failed; the end says what was not run and why.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packagedElectron, testElectron } from './electron-binary.mjs';
import { capture, ensureInstalled, env, run } from './setup.mjs';

await ensureInstalled();

const notRun = [];
const steps = [];
const counts = { passed: 0, failed: 0, skipped: 0 };
const reports = mkdtempSync(join(tmpdir(), 'whittle-test-'));

async function step(name, command, args, options) {
  console.log(`\n── ${name}`);
  const started = Date.now();
  const code = await run(command, args, options);
  steps.push({ name, ok: code === 0, seconds: (Date.now() - started) / 1000 });
  return code === 0;
}

/** Adds up what a runner's JSON report says; a report that is missing counts as one failure. */
function count(file, read) {
  try {
    const { passed, failed, skipped } = read(JSON.parse(readFileSync(file, 'utf8')));
    counts.passed += passed;
    counts.failed += failed;
    counts.skipped += skipped.length;
    for (const line of skipped) notRun.push(line);
  } catch (error) {
    counts.failed += 1;
    console.error(`No readable test report at ${file}: ${error.message}`);
  }
}

function vitestCounts(report) {
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  return {
    passed: report.numPassedTests,
    failed:
      report.numFailedTests +
      report.testResults.filter((f) => f.status === 'failed' && !f.assertionResults.length).length,
    skipped: tests
      .filter((t) => t.status !== 'passed' && t.status !== 'failed')
      .map((t) => `unit: ${t.fullName}`),
  };
}

function playwrightCounts(report) {
  const { expected, unexpected, flaky, skipped } = report.stats;
  return {
    passed: expected + flaky,
    failed: unexpected,
    skipped: new Array(skipped).fill('e2e: a test skipped itself'),
  };
}

/** Debian's Chromium, or Playwright's own where that can be fetched. */
async function chromium() {
  const candidates = [
    process.env.CHROMIUM_BIN,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
  ];
  const found = candidates.find((path) => path && existsSync(path));
  if (found) return found;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    console.log('Installing Chromium…');
    capture('apt-get', ['update']);
    capture('apt-get', ['install', '-y', 'chromium'], { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } });
    if (existsSync('/usr/bin/chromium')) return '/usr/bin/chromium';
  }
  const installed = await run('npx', ['playwright', 'install', 'chromium']);
  return installed === 0 ? 'playwright' : undefined;
}

async function playwright(project, extraEnv, wrapper = []) {
  const file = join(reports, `${project}.json`);
  const command = [
    ...wrapper,
    'npx',
    'playwright',
    'test',
    '--config',
    'e2e/playwright.config.ts',
    '--project',
    project,
  ];
  await step(`e2e: ${project}`, command[0], command.slice(1), {
    env: { ...env, ...extraEnv, PLAYWRIGHT_JSON_OUTPUT_NAME: file },
  });
  count(file, playwrightCounts);
}

await step('types', 'npm', ['run', '--silent', 'typecheck']);
await step('lint', 'npm', ['run', '--silent', 'lint']);
const built = await step('build', 'node', ['scripts/build.mjs']);

const unitReport = join(reports, 'unit.json');
await step('unit', 'npx', [
  'vitest',
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${unitReport}`,
]);
count(unitReport, vitestCounts);

if (!built) {
  notRun.push('e2e: the build failed');
} else {
  const browser = await chromium();
  if (browser) await playwright('web', browser === 'playwright' ? {} : { CHROMIUM_BIN: browser });
  else notRun.push('e2e: web — there is no Chromium and none could be installed');

  const electron = process.env.ELECTRON_BIN ?? packagedElectron() ?? testElectron();
  const hasDisplay = process.platform !== 'linux' || process.env.DISPLAY;
  const xvfb = existsSync('/usr/bin/xvfb-run') ? ['xvfb-run', '-a'] : [];
  if (!electron) {
    notRun.push('e2e: desktop — no Electron (set ELECTRON_BIN, or run: npm run setup:electron-test)');
  } else if (!hasDisplay && xvfb.length === 0) {
    notRun.push('e2e: desktop — no display and no xvfb-run');
  } else {
    await playwright('desktop', { ELECTRON_BIN: electron }, hasDisplay ? [] : xvfb);
  }
}
rmSync(reports, { recursive: true, force: true });

console.log('\n── summary');
for (const { name, ok, seconds } of steps)
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${seconds.toFixed(0)} s)`);
for (const line of notRun) console.log(`not run: ${line}`);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(steps.every(({ ok }) => ok) && counts.failed === 0 ? 0 : 1);
