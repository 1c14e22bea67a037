// What the page asks of the service: little, and nothing while nobody looks.

import { readdirSync } from 'node:fs';
import { expect, test } from './support/fixtures.js';
import { FLOW, fail, newestJob } from './support/orders.js';
import { says } from './support/page.js';
import { CONSOLE } from './support/paths.js';
import { test as tabTest } from './support/tabs.js';

/** An open page beside an active job asks at least once in this time, in milliseconds of the page's clock. */
const A_WHILE = 5_000;

const JOBS = 'GET /flows/orders/jobs';

tabTest('a hidden tab asks for nothing and is up to date when it is shown again', async ({ page, stack, network, context }) => {
  await fail(stack, 3);
  // A job at work is what is asked for most often.
  await stack.post('/flows/orders/retry', { reason: 'at work', selection: { all: true }, canary: 1 });
  await page.goto(`${stack.url}${FLOW}`);
  const cancel = page.getByRole('button', { name: 'Cancel job', exact: true });
  await expect(cancel).toBeVisible();
  for (let n = 0; n < 3; n++) {
    const before = network.count(JOBS);
    await page.clock.runFor(A_WHILE);
    await expect.poll(() => network.count(JOBS), { message: 'looks at the job' }).toBeGreaterThan(before);
  }

  const isHidden = () => page.evaluate(() => document.hidden);
  const other = await context.newPage();
  await other.bringToFront();
  await expect.poll(isHidden).toBe(true);
  const shown = network.asked.length;
  for (let n = 0; n < 3; n++) {
    await page.clock.runFor(A_WHILE);
    // What was asked for by now has come to the stack before this.
    await newestJob(stack);
  }
  expect(network.asked.slice(shown).length, 'one may have been on its way').toBeLessThanOrEqual(1);
  const hidden = network.asked.length;
  await stack.post(`/jobs/${(await newestJob(stack)).id}/cancel`, {});

  await other.close();
  await expect.poll(isHidden).toBe(false);
  await expect.poll(() => network.asked.length, { message: 'looks at the job' }).toBeGreaterThan(hidden);
  await expect(cancel).toHaveCount(0);
});

/** Notes what the page loads, and which of the console's files the browser fetched, as its cache did not have them. */
async function watch(devtools) {
  const loaded = new Set(), fetched = [], cached = new Set();
  devtools.on('Network.requestServedFromCache', ({ requestId }) => cached.add(requestId));
  devtools.on('Network.responseReceived', ({ requestId, response }) => {
    const { pathname } = new URL(response.url);
    loaded.add(response.url);
    const fromCache = response.fromDiskCache || response.fromPrefetchCache || cached.has(requestId);
    if (pathname.startsWith('/console/assets/') && !fromCache) fetched.push(pathname);
  });
  await devtools.send('Network.enable');
  return { loaded, fetched };
}

test('the page asks its own site alone, and its files are kept', async ({ page, stack, context }) => {
  await fail(stack, 3);
  const { loaded, fetched } = await watch(await context.newCDPSession(page));
  await page.goto('/console');
  await says(page, 'Orders to partners');
  expect([...loaded].filter(url => !url.startsWith(`${stack.url}/`))).toEqual([]);
  // The files of other pages come when this one has all of its own; a reload would break those off that are on their way.
  const files = readdirSync(`${CONSOLE}/web`).filter(name => /[.](js|css)$/.test(name));
  await expect.poll(() => [...loaded].filter(name => /[.](js|css)$/.test(name)).length).toBe(files.length);
  await page.reload();
  await says(page, 'Orders to partners');
  await page.getByRole('link', { name: 'Orders to partners' }).click();
  await says(page, 'PO-001');
  expect(new Set(fetched).size).toBeGreaterThan(5);
  expect(fetched.toSorted(), 'what is named by its digest is not asked for again').toEqual([...new Set(fetched)].toSorted());
});
