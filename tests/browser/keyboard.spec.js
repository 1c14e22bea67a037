// Everything without a mouse.

import { expect, test } from './support/fixtures.js';
import { fail, newestJob, untilJob } from './support/orders.js';
import { dialogOf, expectAccessible, more, reasonOf, says } from './support/page.js';

/** More than any way from one thing to another by Tab. */
const MAX_TABS = 120;

/** Presses `keys` until the focus is on `target`. */
async function stepTo(page, target, keys) {
  const focused = target.and(page.locator(':focus'));
  const onTheWay = [];
  for (let n = 0; n < MAX_TABS; n++) {
    await page.keyboard.press(keys);
    if (await focused.count()) return;
    onTheWay.push(await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 80)));
  }
  throw new Error(`the focus never came to ${target}: ${onTheWay.join('\n')}`);
}

const tabTo = (page, target) => stepTo(page, target, 'Tab');
const shiftTabTo = (page, target) => stepTo(page, target, 'Shift+Tab');
const named = (page, role, name) => page.getByRole(role, { name: new RegExp(`^${name}`) });
const enter = page => page.keyboard.press('Enter');

/** As for a person who comes to the page: the focus is on nothing. */
const toTheTop = page => page.evaluate(() => {
  document.activeElement?.blur();
  getSelection().collapse(document.body, 0);
});

test.beforeEach(async ({ stack }) => {
  await fail(stack, 5);
});

test('a message is found, ticked and retried by keyboard alone', async ({ page, stack }) => {
  await page.goto('/console');
  await says(page, 'Orders to partners');
  await tabTo(page, named(page, 'link', 'Orders to partners'));
  await enter(page);
  await expect(page).toHaveURL('/console/flows/orders');
  const second = named(page, 'checkbox', 'Tick PO-002');
  await expect(second).toBeVisible();

  await tabTo(page, second);
  await page.keyboard.press('Space');
  await says(page, '1 ticked');
  await shiftTabTo(page, named(page, 'button', 'Retry 1'));
  await enter(page);
  await expect(reasonOf(page), 'the dialog takes the focus').toBeFocused();
  await page.keyboard.type('by keyboard');
  await tabTo(page, named(page, 'button', 'Retry this message'));
  await enter(page);
  await expect(dialogOf(page)).toHaveCount(0);
  expect(await stack.interchange('PO-002')).toMatchObject({ status: 'waiting_for_retry' });
});

test('a job is ordered with a canary and cancelled by keyboard alone', async ({ page, stack }) => {
  await page.goto('/console/flows/orders');
  await expect(named(page, 'checkbox', 'Tick PO-002')).toBeVisible();
  await tabTo(page, named(page, 'checkbox', 'Tick all on this page'));
  await page.keyboard.press('Space');
  await expect(named(page, 'button', 'Select all')).toBeVisible();
  await shiftTabTo(page, named(page, 'button', 'Select all'));
  await enter(page);
  await shiftTabTo(page, named(page, 'button', 'Delete'));
  await shiftTabTo(page, named(page, 'button', 'Retry'));
  await enter(page);
  const retry = page.getByRole('button', { name: 'Retry 5 messages', exact: true }).and(page.locator('dialog *'));
  await expect(retry).toBeVisible();
  await page.keyboard.type('by keyboard');
  await tabTo(page, more(page));
  await page.keyboard.press('Space');
  await tabTo(page, named(page, 'spinbutton', 'Canary'));
  await page.keyboard.type('1');
  await tabTo(page, retry);
  await enter(page);
  await expect(dialogOf(page)).toHaveCount(0);
  expect(await newestJob(stack)).toMatchObject({ canary: 1 });

  await expect(named(page, 'button', 'Cancel job')).toBeVisible();
  await toTheTop(page);
  await tabTo(page, named(page, 'button', 'Cancel job'));
  await enter(page);
  await expect(dialogOf(page)).toBeVisible();
  await tabTo(page, dialogOf(page).getByRole('button', { name: /^Cancel job/ }));
  await enter(page);
  await expect(dialogOf(page)).toHaveCount(0);
  await untilJob(stack, 'cancelled');
});

test('a schedule is changed and a filter set by keyboard alone', async ({ page, stack }) => {
  await page.goto('/console/flows/orders');
  await expect(named(page, 'checkbox', 'Tick PO-002')).toBeVisible();
  await page.keyboard.press('/');
  await page.keyboard.type('catalogue');
  await expect(page).toHaveURL('/console/flows/orders?message=catalogue');
  await expect(named(page, 'checkbox', 'Tick PO-001')).toHaveCount(0);
  await toTheTop(page);
  await tabTo(page, named(page, 'link', 'Settings'));
  await enter(page);
  const name = named(page, 'textbox', 'Display name');
  await expect(name).toBeVisible();
  await tabTo(page, name);
  await page.keyboard.press('End');
  await page.keyboard.type(', by hand');
  await tabTo(page, named(page, 'button', 'Save'));
  await enter(page);
  await says(page, 'Saved');
  expect(await stack.get('/flows/orders')).toMatchObject({ displayName: 'Orders to partners, by hand' });
});

test('one message is restarted and another deleted by keyboard alone', async ({ page, stack }) => {
  for (const [id, action, status] of [['PO-001', 'Restart', 'waiting_for_restart'], ['PO-002', 'Delete', 'deleted']]) {
    await page.goto(`/console/interchanges/${id}`);
    await expect(page.getByRole('button', { name: action, exact: true })).toBeVisible();
    await toTheTop(page);
    await tabTo(page, named(page, 'button', action));
    await enter(page);
    await expect(reasonOf(page)).toBeVisible();
    await expectAccessible(page, action);
    await page.keyboard.type('by keyboard');
    await tabTo(page, named(page, 'button', `${action} this message`));
    await enter(page);
    await expect(dialogOf(page)).toHaveCount(0);
    expect(await stack.interchange(id)).toMatchObject({ status });
  }
});

test('the keys are listed and put away by keyboard', async ({ page }) => {
  await page.goto('/console/flows/orders');
  await expect(named(page, 'checkbox', 'Tick PO-002')).toBeVisible();
  await page.keyboard.press('?');
  await says(page, 'next / previous message');
  await expectAccessible(page, 'keys');
  await page.keyboard.press('Escape');
  await expect(dialogOf(page)).toHaveCount(0);
  for (const key of ['j', 'j', 'x']) await page.keyboard.press(key);
  await says(page, '1 ticked');
  await page.keyboard.press('Escape');
  await says(page, 'Tick messages to act on them');
});
