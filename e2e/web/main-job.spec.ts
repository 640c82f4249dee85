import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { floatTensor, toFloat32 } from '../../core/ir/tensor.ts';
import { createEngines } from '../../core/runtime/engines.ts';
import { expect, root, test } from '../fixtures/web-studio.ts';

const samples = join(root, 'assets', 'samples', 'digits');

test('drop, int8, compare, export: the exported bytes run in LiteRT', async ({ studio, page }) => {
  await studio.drop(join(samples, 'digits.h5'));
  await expect(studio.stage.getByRole('heading', { name: 'digits.h5' })).toBeVisible();
  await studio.drop(join(samples, 'samples.npz'));
  await studio.goTo('Data');
  await expect(studio.stage.getByText('550 samples')).toBeVisible();

  await studio.pickPrecisions('int8');
  await studio.run();
  await expect(studio.jobStatus).toContainText('done', { timeout: 60_000 });

  await studio.goTo('Compare');
  const row = studio.stage.getByRole('row').filter({ hasText: 'int8' }).filter({ hasText: 'dB' });
  await expect(row.first()).toContainText('%');

  await studio.goTo('Export');
  const download = page.waitForEvent('download');
  await studio.button('Export .tflite').click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/^[\w.-]+\.tflite$/);
  const bytes = readFileSync(await file.path());

  const session = await (await createEngines().tflite()).open(new Uint8Array(bytes));
  expect(session.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape }))).toEqual([
    { name: 'input_layer_1', dtype: 'float32', shape: [1, 8, 8, 1] },
  ]);
  const result = await session.run({ input_layer_1: floatTensor([1, 8, 8, 1], new Float32Array(64)) });
  const scores = toFloat32(result.dense_4);
  expect(scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 2);
  await session.close();
});

test('the sample runs three precisions and shows them all', async ({ studio }) => {
  await studio.trySample();
  await studio.pickPrecisions('float32', 'float16', 'int8');
  await studio.run();
  await expect(studio.jobStatus).toContainText('done', { timeout: 60_000 });
  await studio.goTo('Compare');
  for (const name of ['source', 'float32', 'float16', 'int8']) {
    await expect(studio.stage.getByRole('row').filter({ hasText: name }).first()).toBeVisible();
  }
});

test('a job can be cancelled and run again', async ({ studio }) => {
  await studio.trySample();
  await studio.pickPrecisions('float32', 'float16', 'int8');
  await studio.run();
  await studio
    .button(/cancel/i)
    .first()
    .click();
  await expect(studio.jobStatus).toContainText('cancelled');
  await studio.pickPrecisions('float16');
  await studio.run();
  await expect(studio.jobStatus).toContainText('done', { timeout: 60_000 });
});

test('a file that is no model is refused in words, and the studio goes on', async ({ studio, page }) => {
  const folder = mkdtempSync(join(tmpdir(), 'whittle-bad-'));
  const bad = join(folder, 'notes.h5');
  writeFileSync(bad, 'These are not the weights you are looking for.');
  await studio.drop(bad);
  await expect(page.getByRole('alert')).toContainText('notes.h5');
  await studio.button('Dismiss').first().click();
  await studio.trySample();
  rmSync(folder, { recursive: true, force: true });
});

test('every command is in the palette', async ({ studio, page }) => {
  await studio.trySample();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Find a command' }).fill('go to compare');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('tabpanel', { name: 'Compare' })).toBeVisible();
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`nothing runs out of the window, ${colorScheme}`, async ({ studio, page }) => {
    await page.emulateMedia({ colorScheme });
    await studio.trySample();
    for (const width of [900, 1280, 1920]) {
      await page.setViewportSize({ width, height: 800 });
      for (const stage of ['Model', 'Data', 'Optimize', 'Compare', 'Profile', 'Export'] as const) {
        await studio.goTo(stage);
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(overflow, `${stage} at ${width}`).toBeLessThanOrEqual(0);
      }
    }
  });
}
