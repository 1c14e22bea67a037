// The first minutes with the console: the demo's orders have failed.

import { demoTest, expect, test } from './support/fixtures.js';
import { FLOW, report } from './support/orders.js';
import { act, dialogOf, reasonOf, says } from './support/page.js';

const ALL = [1001, 1002, 1003, 1004, 1005, 1007, 1008];

/** Waits until the list has exactly these orders. */
async function expectRows(page, numbers) {
  await expect(page.getByRole('checkbox', { name: /^Tick PO-/ })).toHaveCount(numbers.length);
  for (const number of numbers) await expect(page.getByRole('checkbox', { name: `Tick PO-${number}`, exact: true })).toBeVisible();
}

demoTest('the failures of the demo are seen', async ({ page }) => {
  await page.goto('/console');
  await says(page, '7 failed messages in 1 of 1 flow');
  await page.getByRole('link', { name: 'Orders to partners' }).click();

  await expect(page).toHaveURL(FLOW);
  for (const number of ALL) await expect(page.getByRole('link', { name: `PO-${number}` })).toBeVisible();
  await expect(page.getByRole('link', { name: 'PO-1006' }), 'that order went well').toHaveCount(0);
  await says(page, 'connection refused by edi.hooli.example');
  await says(page, 'Partially failed');
  const group = page.getByRole('link', { name: 'connect timeout to erp.globex.example' });
  await expect(group, 'three failures are alike').toHaveAccessibleName(/3/);
});

demoTest('a filter stands in the address and outlives reload, back and forward', async ({ page }) => {
  const search = page.getByRole('searchbox', { name: 'Search error messages', exact: true });
  await page.goto(FLOW);
  await expectRows(page, ALL);

  await search.fill('hooli');
  await expect(page).toHaveURL(`${FLOW}?message=hooli`);
  await expectRows(page, [1008]);

  await page.reload();
  await expectRows(page, [1008]);
  await expect(search).toHaveValue('hooli');

  await page.goBack();
  await expectRows(page, ALL);
  await expect(page).toHaveURL(FLOW);
  await page.goForward();
  await expectRows(page, [1008]);

  await page.getByRole('button', { name: 'Remove filter Message' }).click();
  await expect(page).toHaveURL(FLOW);
  await page.getByRole('combobox', { name: 'Status', exact: true }).selectOption({ label: 'Partially failed' });
  await expectRows(page, [1007]);
  await expect(page).toHaveURL(`${FLOW}?status=partially_failed`);
});

demoTest('a group is picked to filter and left again', async ({ page }) => {
  const group = page.getByRole('link', { name: 'connect timeout to erp.globex.example' });
  await page.goto(FLOW);
  await group.click();
  await expectRows(page, [1001, 1002, 1003]);
  await expect(page).toHaveURL(/group=/);
  await group.click();
  await expectRows(page, ALL);
});

demoTest('an order is opened and retried, and its completion is watched', async ({ page, stack }) => {
  await page.goto(FLOW);
  await page.getByRole('link', { name: 'PO-1001', exact: true }).click();
  await expect(page).toHaveURL('/console/interchanges/PO-1001');
  await expect(page.getByRole('heading', { name: 'PO-1001', exact: true })).toBeVisible();
  await says(page, 'connect timeout to erp.globex.example:443');
  await says(page, 'UNB+UNOC:3+ACME+GLOBEX');

  // By now GLOBEX is back.
  await stack.advance('21m');
  await act(page, 'Retry', 'GLOBEX is back');

  await says(page, 'It went through');
  const log = page.getByRole('region', { name: 'Event log' });
  await expect(log).toContainText('GLOBEX is back');
  await expect(log).toContainText('Completed');
  await expect(page.getByRole('button', { name: 'Retry', exact: true }), 'a completed message is not retried').toBeDisabled();
});

demoTest('an order is restarted once its mapping is mended', async ({ page, stack }) => {
  await page.goto('/console/interchanges/PO-1004');
  await says(page, 'UNMAPPED');
  await expect(page.getByRole('button', { name: 'Retry', exact: true }), 'nothing is mapped yet').toBeDisabled();
  await says(page, 'Nothing was mapped yet');

  await act(page, 'Restart', 'the unit was added');

  await says(page, 'It went through');
  expect(await stack.interchange('PO-1004')).toMatchObject({ status: 'completed' });
});

test('a payload that was mended is compared with what it was', async ({ page, stack }) => {
  const sent = unit => {
    const body = `UNB+UNOC:3+ACME+GLOBEX'UNH+1+ORDERS:D:96A:UN'QTY+21:1:${unit}'UNT+3+1'UNZ+1+1'`;
    return { sender: { body, contentType: 'application/edifact' } };
  };
  await stack.report(report('PO-001', { payloads: sent('KAR') }));
  await stack.report(report('PO-001', { attempt: 2, payloads: sent('PCE') }));

  await page.goto('/console/interchanges/PO-001');
  // The payload comes after its frame, and moves what stands below.
  await says(page, 'QTY+21:1:PCE');
  await page.getByRole('checkbox', { name: 'Changes since revision 1', exact: true }).click();
  await says(page, '1 row new, 1 gone.');
  const marked = () => page.locator('ins, del').evaluateAll(rows => rows.map(row => `${row.tagName} ${row.innerText}`));
  await expect.poll(marked).toEqual(["DEL QTY+21:1:KAR'", "INS QTY+21:1:PCE'"]);
});

demoTest('an order is deleted for a reason and leaves the list', async ({ page, stack, network }) => {
  const deletion = 'POST /interchanges/PO-1008/delete';
  await page.goto(FLOW);
  await page.getByRole('checkbox', { name: 'PO-1008' }).click();
  await page.getByRole('button', { name: 'Delete' }).click();
  const remove = dialogOf(page).getByRole('button', { name: 'Delete' });

  await remove.click();
  await says(page, 'Say why first.');
  expect(network.count(deletion), 'not without a reason').toBe(0);
  await reasonOf(page).fill('HOOLI has closed');
  await remove.click();

  await expect(dialogOf(page)).toHaveCount(0);
  const deleted = await stack.interchange('PO-1008');
  expect(deleted.status).toBe('deleted');
  expect(deleted.events.at(-1).reason).toBe('HOOLI has closed');
  expect(network.count(deletion)).toBe(1);
  await page.reload();
  await expectRows(page, ALL.slice(0, -1));
});

demoTest('what was typed outlives Escape', async ({ page, network }) => {
  const retry = page.getByRole('button', { name: 'Retry', exact: true });
  await page.goto('/console/interchanges/PO-1001');
  await retry.click();
  await reasonOf(page).fill('half a reas');
  await page.keyboard.press('Escape');
  await expect(dialogOf(page)).toHaveCount(0);
  await retry.click();
  await expect(reasonOf(page)).toHaveValue('half a reas');
  expect(network.count('POST')).toBe(0);
});
