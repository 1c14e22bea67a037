// Messages are written by strangers. Whatever they hold is shown, and nothing of it happens.

import { expect, test } from './support/fixtures.js';
import { report } from './support/orders.js';
import { expectFits, reasonOf, says } from './support/page.js';

/** What a browser would run if it ever took text for markup. `hit` is what it would leave behind. */
const SCRIPTS = '<script>window.hit=1</script><img src=x onerror="window.hit=2"><svg onload=window.hit=3>'
  + '<a href="javascript:window.hit=4">look</a><iframe srcdoc="<script>parent.hit=5</script>"></iframe>'
  + `"><style>*{display:none}</style><base href=//evil.example><!--]]>'-alert(6)-'\${alert(7)}{{hit}}`;

/** Turns what follows around, isolates it, and joins, where a page lets it. */
const MARKS = '\u202ertl\u2066iso\u200f\u200bzero\ufeffbom\u2028line\u0000nul\u0007bell\u001b[31mred';

/** Where a look at the message must not lead. */
const LINK = 'javascript:window.hit=8';

/** Every field that a stranger writes, filled with `text`, as long as it may be. */
function fullOf(id, text) {
  const cut = most => [...text].slice(0, most).join('');
  const orderKey = text.replace(/[^!-~]/g, '').slice(0, 100);
  return report(id, {
    status: 'partially_failed', phase: 'delivery', origin: cut(200), sender: cut(200), receiver: cut(200),
    partner: cut(200), sourceId: cut(200), correlationId: cut(200), orderKey,
    parts: [{ id: cut(100), status: 'failed', message: cut(900) }],
    // Codes are logged, and a log must hold no payload: the code has markup of its own.
    error: { category: 'system', code: '<b onclick=window.hit=9>E1</b>', message: text },
    payloads: {
      sender: { body: `<html><body lang=x>${text}</body></html>`, contentType: 'text/html' },
      receiver: { body: `<a xlink:href="${LINK}">${text}</a>`, contentType: 'image/svg+xml' },
    },
  });
}

/** Bodies in base64: bytes that are no text, and nothing but NUL. */
const BYTES = Buffer.concat([Buffer.from('UNB+'), Buffer.alloc(300), Buffer.from([0xff, 0xfe, 0x80]), Buffer.from(SCRIPTS)]);
const NULS = Buffer.alloc(5_000);

test.beforeEach('a flow full of hostile messages', async ({ stack }) => {
  const displayName = [...`${MARKS}${SCRIPTS}`.replace(/\p{Cc}/gu, '')].slice(0, 200).join('');
  await stack.put('/flows/orders', { displayName, retry: { mode: 'manual' } });
  for (const [id, text] of Object.entries({ scripts: SCRIPTS, marks: MARKS, long: 'W'.repeat(9_900), link: LINK })) {
    await stack.report(fullOf(id, text));
  }
  const senders = {
    // A line of nearly a megabyte.
    line: { body: JSON.stringify({ a: 'x'.repeat(900_000) }), contentType: 'application/json' },
    bytes: { body: BYTES.toString('base64'), encoding: 'base64', contentType: 'text/html' },
    nuls: { body: NULS.toString('base64'), encoding: 'base64' },
  };
  for (const [id, sender] of Object.entries(senders)) await stack.report(report(id, { payloads: { sender } }));
  // No report at all: it is kept as a dead letter, as it came.
  await stack.send([`{"type":"interchange.failed","interchangeId":7,"flow":"${SCRIPTS}"`]);
  const { items } = await stack.get('/flows/orders/interchanges');
  expect(items, 'each of them was taken as a report').toHaveLength(7);
});

/** Nothing ran, nothing became markup, and the page is no wider than its window, on a desk or in a hand. */
async function expectHarmless(page, what) {
  const made = await page.evaluate(() => [
    window.hit,
    document.querySelector('main :is(script, img, svg, iframe, base, style, object)')?.outerHTML,
    [...document.querySelectorAll('[href], [src], [action]')].find(e => /^(javascript|data):/i.test(e.href ?? e.src))?.outerHTML,
  ]);
  expect(made, what).toEqual([undefined, undefined, undefined]);
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    await expectFits(page);
  }
}

/** Brings both payloads into view, in every way that they can be looked at. */
async function viewPayloads(page, id) {
  for (const view of ['Laid out', 'As it is', 'Hex']) {
    await page.evaluate(() => document.querySelector('.payloads')?.scrollIntoView());
    for (const radio of await page.getByRole('radio', { name: view, exact: true }).all()) await radio.click();
    await expectHarmless(page, `${id}, ${view}`);
  }
}

test('nothing that a message holds runs or breaks the layout', async ({ page }) => {
  await page.goto('/console');
  await says(page, 'unassigned');
  await expectHarmless(page, 'the flows');
  for (const flow of ['orders', 'unassigned']) {
    await page.goto(`/console/flows/${flow}`);
    await expect(page.getByRole('checkbox', { name: 'Tick all on this page', exact: true })).toBeVisible();
    await expectHarmless(page, flow);
  }
  for (const id of ['scripts', 'marks', 'long', 'link', 'line', 'bytes', 'nuls']) {
    await page.goto(`/console/interchanges/${id}`);
    await says(page, 'Event log');
    await viewPayloads(page, id);
  }
  await page.goto('/console/flows/orders/settings');
  await expect(page.getByRole('button', { name: 'Save', exact: true })).toBeVisible();
  await expectHarmless(page, 'the settings');
});

test.describe('with refusals', () => {
  test.use({ expectsRefusals: true });

  test('a hostile address is no more than an address', async ({ page }) => {
    const query = new URLSearchParams({ '': SCRIPTS }).toString().slice(1);
    const part = query.replaceAll('+', '%20');
    for (const path of [
      `/console/flows/${part}`,
      `/console/interchanges/${part}`,
      `/console/flows/orders?message=${query}&sourceId=${query}&group=${query}&status=${query}&order=x&limit=9`,
      `/console?q=${query}`,
      `/console/${query}`,
    ]) {
      await page.goto(path);
      await expect(page.getByRole('heading').first()).toBeVisible();
      await expectHarmless(page, path);
    }
  });
});

test('a hostile reason is shown as it was given', async ({ page }) => {
  await page.goto('/console/interchanges/scripts');
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await reasonOf(page).fill(SCRIPTS);
  await expectHarmless(page, 'the dialog');
  await page.getByRole('button', { name: 'Delete this message', exact: true }).click();
  await says(page, 'Deleted');
  await says(page, '<script>window.hit=1</script>');
  await expectHarmless(page, 'the log');
});
