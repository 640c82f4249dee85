import { expect, test } from '../fixtures/web-studio.ts';

test('targets: what stands in the way, the file that gets it out, and its place in the graph', async ({
  studio,
  page,
}) => {
  await studio.trySample();
  await studio.pickPrecisions('int8');
  await studio.run();
  await expect(studio.jobStatus).toContainText('done', { timeout: 60_000 });

  await studio.goTo('Export');
  const targets = studio.stage.getByRole('region', { name: 'Where it runs' });
  const edgeTpu = targets.getByRole('row').filter({ hasText: 'Edge TPU' });
  await expect(edgeTpu).toContainText('in part');
  await expect(targets.getByRole('row').filter({ hasText: 'XNNPACK' })).toContainText('all of it');
  await edgeTpu.getByRole('button', { name: 'Try pure integer' }).click();
  await edgeTpu.getByRole('button', { name: 'Show pure integer' }).click({ timeout: 60_000 });
  await expect(edgeTpu).toContainText('all of it');

  await studio.stage.getByRole('radio', { name: 'int8 · .tflite', exact: true }).check({ force: true });
  await targets.getByRole('button', { name: 'dense_4/pre' }).first().click();
  await expect(page.getByRole('tabpanel', { name: 'Model' })).toBeVisible();
  await expect(studio.stage.getByRole('heading', { name: 'dense_4/pre' })).toBeVisible();
});

test('findings: too few samples are said, more are tried, and an operator gets its own precision', async ({
  studio,
}) => {
  await studio.trySample();
  await studio.pickPrecisions('int8');
  await studio.stage.getByLabel('Samples for calibration').fill('8');
  await studio.run();
  await expect(studio.jobStatus).toContainText('done', { timeout: 60_000 });

  await studio.goTo('Compare');
  await studio.stage.getByRole('button', { name: 'int8 · .tflite', exact: true }).click();
  await expect(studio.stage.getByText('Too few samples for the ranges')).toBeVisible();
  await studio.stage.getByRole('button', { name: 'Try 200 samples' }).click();
  await studio.stage.getByRole('button', { name: 'Show 200 samples' }).click({ timeout: 60_000 });
  const tried = studio.stage.getByRole('button', { name: 'int8 · 200 samples · .tflite', exact: true });
  await expect(tried).toHaveAttribute('aria-expanded', 'true');
  await studio.stage.getByRole('button', { name: 'Use its recipe' }).click();

  await studio.stage
    .getByRole('button', { name: /^dense_3 FullyConnected/ })
    .first()
    .click();
  await expect(studio.stage.getByRole('figure').filter({ hasText: 'Distribution' }).first()).toBeVisible();
  await studio.stage.getByLabel('In the next run').first().selectOption('float32');
  await studio.goTo('Optimize');
  await expect(studio.stage.getByLabel('Samples for calibration')).toHaveValue('200');
  const own = studio.stage.getByRole('region', { name: 'Precision by operator' });
  await expect(own.getByRole('listitem')).toContainText('dense_3');
  await studio.stage.getByText('Recipe as text').click();
  await expect(studio.stage.getByText('"match": "dense_3"')).toBeVisible();
  await own.getByRole('button', { name: 'Remove dense_3' }).click();
  await expect(own.getByRole('listitem')).toHaveCount(0);
});
