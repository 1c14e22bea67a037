// What a person sees on a page and does with it.

import AxeBuilder from '@axe-core/playwright';
import { expect } from '@playwright/test';

/** Waits until the page shows this text somewhere. */
export const says = (page, text) => expect(page.locator('body')).toContainText(text, { useInnerText: true });

/** Waits until the page shows this text nowhere. */
export const saysNoMore = (page, text) => expect(page.locator('body')).not.toContainText(text, { useInnerText: true });

export const dialogOf = page => page.getByRole('dialog');

export const reasonOf = page => dialogOf(page).getByRole('textbox', { name: 'Reason', exact: true });

/** What opens the limits of a dialog. A summary has no role of its own. */
export const more = page => dialogOf(page).locator('summary', { hasText: /^More/ });

/** Opens the dialog of an action on the page of a message, gives a reason and confirms. */
export async function act(page, action, reason) {
  await page.getByRole('button', { name: action, exact: true }).click();
  await reasonOf(page).fill(reason);
  await dialogOf(page).getByRole('button', { name: `${action} this message`, exact: true }).click();
  await expect(dialogOf(page)).toHaveCount(0);
}

/** Fails when axe-core finds a serious or critical fault in what is on the page now. */
export async function expectAccessible(page, what) {
  // The other mode opens a page of its own, which takes the focus from the one under test.
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] }).analyze();
  const faults = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
  const told = faults.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.slice(0, 5).map(node => `${node.html}\n${node.failureSummary}`).join('\n')}`);
  expect(told, what).toEqual([]);
}

/** Fails when the page is wider than its window: something pushed it apart. */
export async function expectFits(page) {
  const wide = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const out = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > clientWidth + 1);
    return [`${scrollWidth} in ${clientWidth}`, ...out.slice(0, 3).map(e => e.outerHTML.slice(0, 200))];
  });
  expect(wide, 'what is wider than the window').toEqual([]);
}
