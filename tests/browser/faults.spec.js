// Bad days: the page says what happened and what to do, and nothing typed is lost.

import { expect, test } from './support/fixtures.js';
import { ANSWER_LOST, GONE, SLOW, answers } from './support/network.js';
import { FLOW, aboutToRetryAll, confirm, fail, jobs } from './support/orders.js';
import { dialogOf, reasonOf, says, saysNoMore } from './support/page.js';

const RETRY = 'POST /flows/orders/retry';
const RETRY_ALL = 'Retry 3 messages';

const gateway = (status, message) => answers(status, { message });
const problem = (status, slug, detail) => answers(status, { type: `urn:reprise:problem:${slug}`, title: slug, status, detail });

/** What the gateway or the service answers on a bad day, and what people are told. */
const BAD_DAYS = [
  [GONE, 'The API cannot be reached'],
  [gateway(401, 'Unauthorized'), 'You are not signed in'],
  [gateway(403, 'Forbidden'), 'You may not do this'],
  [problem(404, 'not-found', 'there is no flow `orders`'), 'There is no such thing'],
  [problem(409, 'flow-inactive', 'the flow `orders` is inactive'), 'The flow is inactive'],
  [problem(422, 'idempotency-key-reused', 'the key was sent with another body'), 'The first try did get through'],
  [gateway(429, 'Too Many Requests'), 'Too many requests'],
  [gateway(500, 'Internal Server Error'), 'The service has a problem'],
  [gateway(503, 'Service Unavailable'), 'The service has a problem'],
];

const refusal = page => dialogOf(page).getByRole('alert').first();

test.describe('with refusals', () => {
  test.use({ expectsRefusals: true });

  test('a page that cannot be read says why, and is there when it can', async ({ page, stack, network }) => {
    await fail(stack, 3);
    for (const [path, there] of [['/console', 'Orders to partners'], [FLOW, 'PO-001'], ['/console/interchanges/PO-001', 'Event log']]) {
      for (const [fault, words] of BAD_DAYS) {
        await network.injectIntoApi(fault);
        await page.goto(path);
        await says(page, words);
        await network.heal();
        await page.getByRole('button', { name: 'Try again', exact: true }).first().click();
        await says(page, there);
      }
    }
  });

  test('a refused order says why, and the reason is still typed', async ({ page, stack, network }) => {
    await fail(stack, 3);
    await aboutToRetryAll(page, 'typed once');
    for (const [fault, words] of BAD_DAYS) {
      await network.inject(RETRY, fault);
      await confirm(page, RETRY_ALL);
      await expect(refusal(page)).toContainText(words);
      await expect(reasonOf(page), words).toHaveValue('typed once');
      await network.heal();
    }
    expect(await jobs(stack)).toEqual([]);

    await confirm(page, RETRY_ALL);
    await expect(dialogOf(page)).toHaveCount(0);
    expect(await jobs(stack)).toMatchObject([{ reason: 'typed once' }]);
  });

  test('an order whose answer got lost is not done twice', async ({ page, stack, network }) => {
    await fail(stack, 3);
    await aboutToRetryAll(page, 'typed once');
    await network.inject(RETRY, ANSWER_LOST);
    await confirm(page, RETRY_ALL);
    await expect(refusal(page)).toContainText('The API cannot be reached');
    await stack.settle();
    await network.heal();

    await confirm(page, RETRY_ALL);
    await expect(dialogOf(page)).toHaveCount(0);
    expect(await jobs(stack), 'the second try is known by its key').toMatchObject([{ counts: { sent: 3 } }]);
  });

  test('settings that cannot be saved stay typed', async ({ page, stack, network }) => {
    await fail(stack, 1);
    const name = page.getByRole('textbox', { name: 'Display name', exact: true });
    const save = page.getByRole('button', { name: 'Save', exact: true });
    await page.goto('/console/flows/orders/settings');
    await name.fill('Orders, renamed');
    for (const [fault, words] of BAD_DAYS) {
      await network.inject('PUT /flows/orders', fault);
      await save.click();
      await says(page, words);
      await expect(name, words).toHaveValue('Orders, renamed');
      await network.heal();
    }
    await save.click();
    await says(page, 'Saved');
    expect(await stack.get('/flows/orders')).toMatchObject({ displayName: 'Orders, renamed' });
  });

  test('an API that goes down is told on an open page until it is back', async ({ page, stack, network }) => {
    await fail(stack, 3);
    await page.goto(FLOW);
    await says(page, 'PO-003');
    await network.injectIntoApi(GONE);
    await says(page, 'The API does not answer as it should');
    await says(page, 'PO-003');
    await network.heal();
    await saysNoMore(page, 'The API does not answer as it should');
  });
});

test('while an answer takes its time it is said, and nothing is sent twice', async ({ page, stack, network }) => {
  await fail(stack, 3);
  await aboutToRetryAll(page, 'once');
  await expect(dialogOf(page).getByRole('button', { name: RETRY_ALL, exact: true })).toBeEnabled();
  const asked = network.count(RETRY);
  await network.inject(RETRY, SLOW);
  await confirm(page, RETRY_ALL);
  await expect(dialogOf(page).getByRole('button', { name: 'Retrying' })).toBeDisabled();
  await page.locator('dialog form').evaluate(form => form.requestSubmit());
  await says(page, 'The API answers slowly');
  expect(network.count(RETRY)).toBe(asked + 1);

  await network.heal();
  await expect(dialogOf(page)).toHaveCount(0);
  await saysNoMore(page, 'The API answers slowly');
  expect(await jobs(stack)).toHaveLength(1);
});
