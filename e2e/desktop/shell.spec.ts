import { join } from 'node:path';
import { expect, root, test } from '../fixtures/desktop-studio.ts';

const samples = join(root, 'assets', 'samples', 'digits');

test('the page gets the bridge and nothing else', async ({ desktop }) => {
  const { page } = desktop.studio;
  expect(page.url()).toBe('app://studio/');
  await expect(desktop.studio.button('Try the sample')).toBeVisible();
  const world = await page.evaluate(() => ({
    bridge: Object.keys((window as unknown as { whittle: object }).whittle).sort(),
    node: [
      typeof (globalThis as { require?: unknown }).require,
      typeof (globalThis as { process?: unknown }).process,
    ],
  }));
  expect(world).toEqual({
    bridge: [
      'onClose',
      'onMessage',
      'openFileDialog',
      'pathForFile',
      'post',
      'saveFileDialog',
      'showInFolder',
    ],
    node: ['undefined', 'undefined'],
  });
});

test('navigation away is refused', async ({ desktop }) => {
  const { page } = desktop.studio;
  await expect(desktop.studio.button('Try the sample')).toBeVisible();
  await page.evaluate(() => {
    location.href = 'https://example.org/';
  });
  await page.waitForTimeout(500);
  expect(page.url()).toBe('app://studio/');
});

test('a dropped path reaches the core, and the main job runs', async ({ desktop }) => {
  const { studio } = desktop;
  const { page } = studio;
  // A synthetic drop carries no path; a file input gives real files, as the system's file manager does.
  await page.evaluate(() => {
    const input = document.createElement('input');
    input.type = 'file';
    input.id = 'dropped';
    document.body.append(input);
  });
  for (const [file, arrived] of [
    ['digits.h5', 'Model'],
    ['samples.npz', 'Data'],
  ] as const) {
    await page.setInputFiles('#dropped', join(samples, file));
    const path = await page.evaluate(() => {
      const [chosen] = (document.querySelector('#dropped') as HTMLInputElement).files ?? [];
      const data = new DataTransfer();
      data.items.add(chosen);
      for (const type of ['dragenter', 'dragover', 'drop']) {
        document.body.dispatchEvent(
          new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }),
        );
      }
      const dropped = data.items[0].getAsFile();
      return (window as unknown as { whittle: { pathForFile(f: File | null): string } }).whittle.pathForFile(
        dropped,
      );
    });
    expect(path).toBe(join(samples, file));
    await expect(page.getByRole('tab', { name: arrived })).toHaveAttribute('aria-selected', 'true');
  }
  await studio.pickPrecisions('int8');
  await studio.run();
  await expect(studio.jobStatus).toContainText('done', { timeout: 90_000 });
  await studio.goTo('Compare');
  const row = studio.stage.getByRole('row').filter({ hasText: 'int8' }).filter({ hasText: 'dB' });
  await expect(row.first()).toBeVisible();
});

test('a core that dies is told, and comes back', async ({ desktop }) => {
  const { app, studio } = desktop;
  await studio.trySample();
  await app.evaluate(() => {
    const { corePid } = globalThis as unknown as { corePid?: number };
    if (!corePid) throw new Error('the core has no process');
    process.kill(corePid, 'SIGKILL');
  });
  await expect(studio.page.getByRole('alert').first()).toContainText('ended unexpectedly');
  await studio.pickPrecisions('float16');
  await studio.run();
  await expect(studio.jobStatus).toContainText('done', { timeout: 60_000 });
});
