import { createEngines } from '../../core/runtime/engines.ts';
import { expect, test } from '../fixtures/web-studio.ts';

test('profile: the source and a file in turn, operator by operator', async ({ studio, page }) => {
  await studio.trySample();
  await studio.pickPrecisions('int8');
  await studio.run();
  await expect(studio.jobStatus).toContainText('done', { timeout: 60_000 });

  await studio.goTo('Profile');
  const files = studio.stage.getByRole('group', { name: 'Files to measure' });
  await files.getByText('source').click();
  await files.getByText('int8 · .tflite').click();
  await studio.button('Measure 2 files').click();
  await expect(studio.jobStatus).toContainText(/Profile.*done/, { timeout: 90_000 });

  await expect(studio.stage.getByText(/faster than|No clear difference/)).toBeVisible();
  const measurements = studio.stage.getByRole('region', { name: 'Measurements' });
  await expect(measurements).toContainText('made from digits.h5');
  await expect(measurements).toContainText('CPU (XNNPACK) takes');

  // Only the native runtime tells the time of each operator.
  if (await createEngines().litert.unavailable()) return;
  const operators = studio.stage.getByRole('region', { name: 'Operators of int8 · .tflite' });
  await operators.getByText('Roofline').click();
  await expect(operators.getByRole('img', { name: /CONV_2D.*GFLOP\/s/ }).first()).toBeVisible();
  await operators.getByText('Table').click();
  await operators.getByRole('button', { name: 'conv2d_1' }).click();
  await expect(page.getByRole('tabpanel', { name: 'Model' })).toBeVisible();
  await expect(studio.stage.getByRole('heading', { name: 'conv2d_1' })).toBeVisible();
});
