// `npm run screenshots`: runs the sample in the built studio and keeps a picture of each stage, in light and dark, in
// docs/screenshots.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from '@playwright/test';

const root = join(import.meta.dirname, '..');
const target = join(root, 'docs', 'screenshots');
const home = mkdtempSync(join(tmpdir(), 'whittle-screenshots-'));
const precisions = ['float32', 'float16', 'dynamic-int8', 'weights-int4', 'int8', 'int16x8'];

const server = spawn(process.execPath, ['dist/core/cli.js', 'serve', '--no-open', '--port', '0'], {
  cwd: root,
  env: { ...process.env, WHITTLE_HOME: home },
  stdio: ['ignore', 'pipe', 'pipe'],
});
const address = await new Promise<string>((resolve, reject) => {
  let text = '';
  for (const stream of [server.stdout, server.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /http:\/\/\S+token=\S+/.exec(text);
      if (found) resolve(found[0]);
    });
  }
  server.on('exit', (code) => reject(new Error(`serve ended with ${code}: ${text}`)));
});

const local = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_BIN ?? local,
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
});

async function goTo(page: Page, stage: string): Promise<void> {
  await page.getByRole('tab', { name: stage }).click();
  await page.getByRole('tabpanel', { name: stage }).waitFor();
  await page.waitForTimeout(600);
}

async function keep(page: Page, name: string): Promise<void> {
  mkdirSync(target, { recursive: true });
  await page.screenshot({ path: join(target, `${name}.png`) });
}

async function walk(page: Page, theme: string): Promise<void> {
  const name = (stage: string) => `${stage}-${theme}-1280`;
  await page.goto(address);
  const sample = page.getByRole('button', { name: 'Try the sample' });
  await sample.and(page.locator(':enabled')).waitFor();
  await keep(page, name('empty'));
  await sample.click();
  await page.getByRole('heading', { name: 'digits.h5' }).waitFor();
  await page.waitForTimeout(800);
  await keep(page, name('model'));
  await goTo(page, 'Data');
  await page.getByText('550 samples').waitFor();
  await keep(page, name('data'));
  await goTo(page, 'Optimize');
  for (const card of await page.locator('[data-precision]').all()) {
    const wanted = precisions.includes((await card.getAttribute('data-precision')) ?? '');
    const box = card.getByRole('checkbox');
    if ((await box.isChecked()) !== wanted) await box.click();
  }
  // Few enough for a finding to be shown.
  await page.getByLabel('Samples for calibration').fill('24');
  await keep(page, name('optimize'));
  await page.getByRole('button', { name: /^Run \d/ }).click();
  await page.getByTestId('job-status').filter({ hasText: 'done' }).waitFor({ timeout: 120_000 });
  await goTo(page, 'Compare');
  await keep(page, name('compare'));
  const row = page.getByRole('button', { name: 'int8 · .tflite', exact: true });
  await row.click();
  await page.getByRole('heading', { name: 'Distribution' }).waitFor();
  await row.evaluate((element) => element.scrollIntoView({ block: 'start' }));
  await keep(page, name('diagnosis'));
  await goTo(page, 'Profile');
  for (const file of ['float32', 'int8']) {
    const files = page.getByRole('group', { name: 'Files to measure' });
    await files.getByText(`${file} · .tflite`, { exact: true }).click();
  }
  await page.getByRole('button', { name: /^Measure/ }).click();
  await page
    .getByTestId('job-status')
    .filter({ hasText: /Profile.*done/ })
    .waitFor({ timeout: 120_000 });
  await page.waitForTimeout(600);
  await keep(page, name('profile'));
  await goTo(page, 'Export');
  await page.getByRole('radio', { name: 'int8 · .tflite', exact: true }).check({ force: true });
  await keep(page, name('export'));
  const targets = page.getByRole('region', { name: 'Where it runs' });
  await targets.getByRole('row').filter({ hasText: 'Edge TPU' }).waitFor();
  await targets.evaluate((element) => element.scrollIntoView({ block: 'start' }));
  await keep(page, name('targets'));
}

for (const theme of ['light', 'dark'] as const) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: theme });
  await walk(page, theme);
  await page.close();
}
await browser.close();
const ended = new Promise((resolve) => server.once('exit', resolve));
server.kill('SIGINT');
await ended;
rmSync(home, { recursive: true, force: true });
