import { expect, type Locator, type Page } from '@playwright/test';

export type Stage = 'Model' | 'Data' | 'Optimize' | 'Compare' | 'Profile' | 'Export';

/** The studio as a person uses it, the same in the browser and in the desktop window. */
export class StudioPage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name });
  }

  get stage(): Locator {
    return this.page.getByRole('tabpanel');
  }

  async trySample(): Promise<void> {
    await this.button('Try the sample').click();
    await expect(this.stage.getByRole('heading', { name: 'digits.h5' })).toBeVisible();
  }

  async goTo(stage: Stage): Promise<void> {
    await this.page.getByRole('tab', { name: stage }).click();
    await expect(this.page.getByRole('tabpanel', { name: stage })).toBeVisible();
  }

  /** Picks exactly these precisions on the Optimize stage. */
  async pickPrecisions(...names: string[]): Promise<void> {
    await this.goTo('Optimize');
    const cards = this.stage.locator('[data-precision]');
    await expect(cards.first()).toBeVisible();
    for (const card of await cards.all()) {
      const wanted = names.includes((await card.getAttribute('data-precision')) ?? '');
      const box = card.getByRole('checkbox');
      if ((await box.isChecked()) !== wanted) await box.click();
    }
  }

  async run(): Promise<void> {
    await this.button(/^Run \d precisions?$/).click();
  }

  get jobStatus(): Locator {
    return this.page.getByTestId('job-status');
  }

  /** Drops files on the window the way a file manager does. */
  async drop(...paths: string[]): Promise<void> {
    const devtools = await this.page.context().newCDPSession(this.page);
    const data = { items: [], files: paths, dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await devtools.send('Input.dispatchDragEvent', { type, x: 600, y: 400, data });
    }
    await devtools.detach();
  }
}
