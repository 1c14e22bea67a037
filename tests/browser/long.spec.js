// Long lists.

import { expect, test } from './support/fixtures.js';
import { FLOW, fail, report } from './support/orders.js';
import { says } from './support/page.js';
import { START } from './support/stack.js';

const ROWS = 10_000;

/** The most that a page shows. */
const PAGE = 200;

/** As the page writes numbers. */
const grouped = number => number.toLocaleString('en-US');

/** What the page keeps in memory after everything that nothing refers to is thrown away. */
async function held(devtools) {
  await devtools.send('HeapProfiler.collectGarbage');
  const { nodes } = await devtools.send('Memory.getDOMCounters');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  return { nodes, bytes: usedSize };
}

test('ten thousand rows are walked and leave nothing behind', async ({ page, stack, context }) => {
  // On a busy machine it takes longer than any other test.
  test.setTimeout(8 * 60_000);
  await fail(stack, ROWS);
  const devtools = await context.newCDPSession(page);
  await page.goto(`${FLOW}?limit=${PAGE}&order=oldest`);
  let early;
  for (let turned = 1; turned <= ROWS / PAGE; turned++) {
    if (turned > 1) await page.keyboard.press('n');
    await says(page, `${grouped((turned - 1) * PAGE + 1)}–${grouped(turned * PAGE)}`);
    if (turned === 3) early = await held(devtools);
  }
  const late = await held(devtools);
  expect(late.nodes, 'nodes on the last page, against those on the third').toBeLessThan(early.nodes * 1.5);
  expect(late.bytes, 'bytes on the last page, against those on the third').toBeLessThan(early.bytes + 4_000_000);
  await expect(page.getByRole('button', { name: 'Next', exact: true })).toBeDisabled();
});

test('a log that is too long for one answer is shown to its beginning on demand', async ({ page, stack }) => {
  await stack.put('/flows/orders', { retry: { mode: 'manual' } });
  // The longest message that there is, of four bytes a character.
  const message = '𝄞'.repeat(10_000);
  for (let first = 1; first <= 180; first += 10) {
    // Ten at a time, as an older attempt that comes after a newer one is late news.
    const attempts = Array.from({ length: 10 }, (_, n) => report('PO-001', { attempt: first + n, occurredAt: START, error: { message } }));
    await stack.send(attempts.map(attempt => JSON.stringify(attempt)));
  }

  await page.goto('/console/interchanges/PO-001');
  await says(page, 'Attempt 180 ');
  expect(await page.locator('body').innerText(), 'not all of the log is shown at once').not.toContain('main execution,');
  const older = page.getByRole('button', { name: 'Show older events', exact: true });
  await older.click();
  await says(page, 'Attempt 1 main execution,');
  await expect(older).toHaveCount(0);
});
