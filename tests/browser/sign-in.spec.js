// Signing in where the stack has an issuer, and what a sign-in allows.

import { expect, test } from './support/fixtures.js';
import { report } from './support/orders.js';
import { dialogOf, reasonOf, says, saysNoMore } from './support/page.js';

const MESSAGE = '/console/interchanges/PO-001';

test.use({ stackOptions: ['--no-demo', '--auth'] });

test.beforeEach('one failure', async ({ stack }) => {
  const payloads = { sender: { body: 'as PO-001 came in' }, receiver: { body: 'mapped for PO-001' } };
  await stack.report(report('PO-001', { sourceId: 'PO-001', payloads, error: { category: 'mapping' } }));
});

/** Opens a page, is sent to the issuer, takes scopes away there, signs in, and is back. */
async function signInAt(page, stack, path, without = []) {
  // The console goes on to the issuer by itself, perhaps before its own page has loaded.
  await page.goto(path, { waitUntil: 'commit' });
  await page.waitForURL(url => url.origin === stack.issuer);
  for (const scope of without) await page.getByRole('checkbox', { name: scope }).click();
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(page).toHaveURL(path);
}

test('an operator with every scope signs in and comes to the page they asked for', async ({ page, stack }) => {
  await signInAt(page, stack, MESSAGE);
  await says(page, 'mapped for PO-001');
  await page.getByRole('button', { name: 'Retry', exact: true }).click();
  await reasonOf(page).fill('signed in');
  await page.getByRole('button', { name: 'Retry this message', exact: true }).click();
  await expect(dialogOf(page)).toHaveCount(0);
  await says(page, 'signed in');
});

test('without the scopes there are neither actions nor payloads nor settings to save', async ({ page, stack, network }) => {
  await signInAt(page, stack, MESSAGE, ['reprise/operate', 'reprise/payload', 'reprise/erase', 'reprise/configure']);
  await says(page, 'Event log');
  await says(page, 'Your sign-in may not read payloads');
  for (const action of ['Retry', 'Restart', 'Delete', 'Erase…']) {
    await expect(page.getByRole('button', { name: action, exact: true })).toHaveCount(0);
  }
  expect(network.count('GET /interchanges/PO-001/payloads')).toBe(0);

  await page.goto('/console/flows/orders');
  await expect(page.getByRole('link', { name: 'PO-001', exact: true })).toBeVisible();
  await expect(page.getByRole('checkbox'), 'nothing can be ticked').toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Retry' })).toHaveCount(0);
  await page.goto('/console/flows/orders/settings');
  await says(page, 'Settings of');
  await says(page, 'Your sign-in may not');
  await expect(page.getByRole('button', { name: 'Save', exact: true })).toHaveCount(0);
});

test('a person who signs out sees nothing more', async ({ page, stack }) => {
  await signInAt(page, stack, '/console');
  await says(page, 'orders');
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await saysNoMore(page, 'orders');
  expect(await page.evaluate(() => sessionStorage.getItem('reprise-tokens'))).toBeNull();
});

test.describe('limited to some flows', () => {
  test.use({ stackOptions: ['--no-demo', '--auth', '--flows-claim', 'flows'], expectsRefusals: true });

  test('a person sees these flows on every page, and no error', async ({ page, stack }) => {
    const payloads = { sender: { body: 'as PO-002 came in' }, receiver: { body: 'mapped for PO-002' } };
    await stack.report(report('PO-002', { sourceId: 'PO-002', payloads, attempt: 1_000_000 }));
    await stack.report({ ...report('IN-001', { sourceId: 'IN-001' }), flow: 'invoices' });
    const seesNoOtherFlow = async () => {
      await saysNoMore(page, 'invoices');
      await expect(page.getByRole('alert')).toHaveCount(0);
    };

    await page.goto('/console', { waitUntil: 'commit' });
    await page.waitForURL(url => url.origin === stack.issuer);
    await page.getByRole('textbox', { name: 'Flows' }).fill('orders*');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await expect(page.getByRole('link', { name: 'orders', exact: true })).toBeVisible();
    await seesNoOtherFlow();
    for (const [path, text] of [
      ['/console/flows/orders', 'PO-002'],
      ['/console/flows/orders/settings', 'Settings of'],
      ['/console/interchanges/PO-002', 'mapped for PO-002'],
    ]) {
      await page.goto(path);
      await says(page, text);
      await seesNoOtherFlow();
    }
    await says(page, 'Not as it came');
    await says(page, 'left out');

    await page.goto('/console/interchanges/IN-001');
    await expect(page.getByRole('alert')).toBeVisible();
    await saysNoMore(page, 'invoices');
  });
});
