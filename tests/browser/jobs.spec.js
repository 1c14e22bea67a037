// Jobs: ordered, watched, left alone, cancelled, and seen by others.

import { expect, test } from './support/fixtures.js';
import { FLOW, aboutToRetryAll, confirm, expectCard, fail, jobs, newestJob, reportOutcomes, untilJob } from './support/orders.js';
import { dialogOf, more, reasonOf, says } from './support/page.js';

const limit = (page, name) => dialogOf(page).getByRole('spinbutton', { name });

test('everything that matches is retried after a canary, and the rest is cancelled', async ({ page, stack }) => {
  await fail(stack, 60);
  await aboutToRetryAll(page, 'partners are up again');
  await more(page).click();
  await limit(page, 'Canary').fill('2');
  await limit(page, 'Rate').fill('3');
  await says(page, '60 messages of Orders to partners will be put on the receiver stage');
  await says(page, '2 first, the rest when they all have completed');
  await confirm(page, 'Retry 60 messages');
  await expect(dialogOf(page)).toHaveCount(0);

  await expectCard(page, 'canary');
  await stack.settle();
  expect(await reportOutcomes(stack, 'interchange.completed')).toBe(2);
  await untilJob(stack, 'running');
  await expectCard(page, 'running');
  await says(page, 'partners are up again');

  await page.getByRole('button', { name: 'Cancel job', exact: true }).click();
  await dialogOf(page).getByRole('button', { name: 'Cancel job', exact: true }).click();
  await untilJob(stack, 'cancelled');
  await expectCard(page, 'cancelled');
  const { sent } = (await newestJob(stack)).counts;
  expect(sent).toBeLessThan(60);
  await says(page, `${sent} of 60 sent`);
  await says(page, `${60 - sent} not sent`);
  const { counts } = await stack.get('/flows/orders');
  expect(counts.completed).toBe(2);
  expect(counts.failed, 'the rest was left alone').toBeGreaterThan(0);
});

test('a job is there after a reload in its midst, and goes on', async ({ page, stack }) => {
  await fail(stack, 12);
  await aboutToRetryAll(page, 'again, gently');
  await more(page).click();
  await limit(page, 'Rate').fill('1');
  await confirm(page, 'Retry 12 messages');
  await expectCard(page, 'running');

  await page.reload();
  await expectCard(page, 'running');
  await expect(page.getByRole('article', { name: 'Job', exact: true })).toContainText('12 messages');

  await stack.advance('1m');
  await expectCard(page, 'completed');
  expect(await reportOutcomes(stack, 'interchange.completed')).toBe(12);
  await says(page, '12 completed');
});

test.describe('with refusals', () => {
  test.use({ expectsRefusals: true });

  test('a job of another operator is seen here, and no second one begins beside it', async ({ page, stack }) => {
    await fail(stack, 9);
    await aboutToRetryAll(page, 'mine');
    const retry = dialogOf(page).getByRole('button', { name: 'Retry 9 messages', exact: true });
    await expect(retry).toBeEnabled();
    await stack.post('/flows/orders/retry', { reason: 'theirs, a second earlier', selection: { all: true }, canary: 1 });

    await retry.click();
    await expect(dialogOf(page).getByRole('alert')).toContainText('Another job is at work');
    await expect(reasonOf(page)).toHaveValue('mine');
    await dialogOf(page).getByRole('button', { name: 'Not now', exact: true }).click();

    await expectCard(page, 'canary');
    await says(page, 'theirs, a second earlier');
    await says(page, 'Retry at least ');
    expect(await jobs(stack)).toHaveLength(1);
  });
});

test('a canary that fails again halts the job, and the card says so', async ({ page, stack }) => {
  await fail(stack, 5);
  await page.goto(FLOW);
  await says(page, 'connect timeout');
  await stack.post('/flows/orders/retry', { reason: 'try one', selection: { all: true }, canary: 1 });
  await expectCard(page, 'canary');
  await stack.settle();
  expect(await reportOutcomes(stack, 'interchange.failed')).toBe(1);
  await untilJob(stack, 'halted');
  await expectCard(page, 'halted');
  await says(page, 'Halted:');
});

test('a job that is stuck says why, and goes on when it is resumed', async ({ page, stack }) => {
  await fail(stack, 6);
  await page.goto(FLOW);
  await says(page, 'connect timeout');
  await stack.post('/flows/orders/retry', { reason: 'one a second', selection: { all: true }, rate: 1 });
  await expectCard(page, 'running');
  await stack.putWork('reprise-jobs-dlq', { kind: 'look', job: (await newestJob(stack)).id });
  await stack.settle();

  const resume = page.getByRole('button', { name: 'Resume', exact: true });
  await says(page, 'Stuck: its work failed too often');
  await resume.click();
  await expect.poll(async () => (await newestJob(stack)).stuck ?? null, { message: 'the job is not stuck' }).toBeNull();
  await expect(resume).toHaveCount(0);
  await untilJob(stack, 'completed');
  await expectCard(page, 'completed');
  expect((await newestJob(stack)).counts.sent).toBe(6);
});
