// Every page and dialog, light and dark, on a desk and in a hand: axe-core looks at it, and a picture is taken.

import { mkdir, writeFile } from 'node:fs/promises';
import { demoTest, expect, test } from './support/fixtures.js';
import { FLOW, aboutToRetryAll, confirm, fail, report } from './support/orders.js';
import { dialogOf, expectAccessible, expectFits, more, reasonOf, says } from './support/page.js';
import { PICTURES } from './support/paths.js';

const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

/** Writes a picture as WebP, which Playwright's own screenshots cannot be. */
async function picture(page, name) {
  const devtools = await page.context().newCDPSession(page);
  const { data } = await devtools.send('Page.captureScreenshot', { format: 'webp', quality: 80 });
  await devtools.detach();
  await mkdir(PICTURES, { recursive: true });
  await writeFile(`${PICTURES}/${name}.webp`, data, 'base64');
}

/** axe-core and a picture, light and dark; a picture as a phone shows it, and that it fits there. */
async function looks(page, name) {
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    await expectAccessible(page, `${name}, ${colorScheme}`);
    await picture(page, `${name}-${colorScheme}`);
  }
  await expectFits(page);
  await page.setViewportSize(PHONE);
  await expectAccessible(page, `${name}, on a phone`);
  await expectFits(page);
  await picture(page, `${name}-phone`);
  await page.setViewportSize(DESK);
}

demoTest('flows and failures can be used by everybody', async ({ page, stack }) => {
  await stack.report(report('INV-7', { flow: 'invoices' }));
  await page.goto('/console');
  await says(page, 'Orders to partners');
  await looks(page, 'flows');
  await page.goto(FLOW);
  await says(page, 'PO-1008');
  await page.locator('summary', { hasText: 'More filters' }).click();
  await looks(page, 'filters');
  await page.goto(FLOW);
  await says(page, 'PO-1008');
  await says(page, 'connect timeout');
  await page.getByRole('checkbox', { name: 'Tick PO-1003', exact: true }).click();
  await page.getByRole('checkbox', { name: 'Tick PO-1002', exact: true }).click();
  await looks(page, 'flow');
  await page.goto(`${FLOW}?message=nothing+like+it`);
  await says(page, 'Nothing matches');
  await looks(page, 'nothing');
  await page.goto('/console/nowhere');
  await says(page, 'There is no such page');
  await looks(page, 'no-page');
});

demoTest('a message and its payloads can be used by everybody', async ({ page, stack }) => {
  await stack.advance('6m');
  await page.goto('/console/interchanges/PO-1001');
  await says(page, 'UNB+UNOC');
  await says(page, 'Next retry');
  await looks(page, 'interchange');
  await page.goto('/console/interchanges/PO-1007');
  await says(page, 'line-3');
  await looks(page, 'interchange-in-part');
  await page.getByRole('button', { name: 'Restart', exact: true }).click();
  await expect(reasonOf(page)).toBeVisible();
  await looks(page, 'restart-one');
});

test('chosen colours stay', async ({ page, stack }) => {
  await fail(stack, 0);
  const scheme = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
  for (const [label, means] of [['☾ Dark', 'dark'], ['☀ Light', 'light'], ['◐ Auto', 'light dark']]) {
    await page.goto('/console');
    await page.getByRole('combobox', { name: 'Colours', exact: true }).selectOption({ label });
    expect(await scheme()).toBe(means);
    await page.goto('/console/nowhere');
    expect(await scheme(), `${label}, on another page`).toBe(means);
  }
});

test.describe('with refusals', () => {
  test.use({ expectsRefusals: true });

  test('jobs and their dialogs can be used by everybody', async ({ page, stack }) => {
    await fail(stack, 40);
    await aboutToRetryAll(page, 'partners are up again');
    await more(page).click();
    await dialogOf(page).getByRole('spinbutton', { name: 'Canary' }).fill('2');
    await dialogOf(page).getByRole('spinbutton', { name: 'Rate' }).fill('5');
    await says(page, '2 first');
    await looks(page, 'retry-many');
    await confirm(page, 'Retry 40 messages');
    await expect(dialogOf(page)).toHaveCount(0);
    const cancel = page.getByRole('button', { name: 'Cancel job', exact: true });
    await expect(cancel).toBeVisible();
    await looks(page, 'job');
    await cancel.click();
    await expect(dialogOf(page)).toBeVisible();
    await looks(page, 'cancel-job');
  });
});

demoTest.describe('settings', () => {
  demoTest.use({ expectsRefusals: true });

  demoTest('settings can be used by everybody', async ({ page }) => {
    await page.goto('/console/flows/orders/settings');
    await says(page, 'nothing more by itself');
    await looks(page, 'settings');
    await page.getByRole('textbox', { name: 'Delays', exact: true }).first().fill('soon');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await expect(page.getByRole('alert').first()).toBeVisible();
    await looks(page, 'settings-refused');
  });
});
