// A flow to work on: failures whose stages only the test consumes, and in which nothing happens by itself.

import { expect } from '@playwright/test';
import { dialogOf, reasonOf } from './page.js';
import { START } from './stack.js';

/** Where the flow is shown. */
export const FLOW = '/console/flows/orders';

/** A configuration in which nothing happens by itself, however far the clock is moved. */
export const BY_HAND = { displayName: 'Orders to partners', retry: { mode: 'manual' }, confirmation: { within: '48h' } };

const CAUSES = [
  ['INITECH', 'connection refused by edi.initech.example:4080'],
  ['GLOBEX', 'connect timeout to erp.globex.example:443'],
  ['UMBRELLA', 'article 9931 is not in the catalogue'],
];

/** A failure report with a sender and a receiver payload; `more` is laid over it. */
export const report = (id, more) => ({
  type: 'interchange.failed', interchangeId: id, flow: 'orders', attempt: 1, occurredAt: START,
  error: { category: 'system', code: 'ETIMEDOUT', message: 'connect timeout to erp.globex.example:443' },
  payloads: {
    sender: { body: `sender of ${id}`, contentType: 'text/plain' },
    receiver: { body: `receiver of ${id}`, contentType: 'text/plain' },
  },
  ...more,
});

function failure(number) {
  const id = `PO-${String(number).padStart(3, '0')}`;
  const [partner, message] = CAUSES[number % 3];
  return report(id, {
    partner, sender: 'ACME', receiver: partner, sourceId: id, origin: 'Step 3 - delivery', error: { category: 'system', code: 'E1', message },
  });
}

/** Lets so many messages of the flow `orders` fail: `PO-001`, `PO-002`, … */
export async function fail(stack, count) {
  await stack.put('/flows/orders', BY_HAND);
  await stack.send(Array.from({ length: count }, (_, n) => JSON.stringify(failure(n + 1))));
}

/** Reports what became of everything on the receiver stage, and gives how many that were. */
export async function reportOutcomes(stack, type) {
  const [staged, occurredAt] = [await stack.drain(), await stack.settle()];
  await stack.send(staged.map(({ interchangeId, attempt }) => JSON.stringify({ type, interchangeId, flow: 'orders', attempt, occurredAt })));
  return staged.length;
}

/** Opens the flow and the dialog that retries everything, and gives the reason. */
export async function aboutToRetryAll(page, reason) {
  await page.goto(FLOW);
  await page.getByRole('checkbox', { name: 'Tick all on this page', exact: true }).click();
  await page.getByRole('button', { name: 'Select all' }).click();
  await page.getByRole('button', { name: 'Retry' }).first().click();
  await reasonOf(page).fill(reason);
}

/** Clicks the button of the open dialog that does it, once the dialog knows how many messages it is about. */
export const confirm = (page, name) => dialogOf(page).getByRole('button', { name, exact: true }).click();

export const jobs = async stack => (await stack.get('/flows/orders/jobs')).items;

export const newestJob = async stack => (await jobs(stack))[0];

/** Moves the clock second by second until the newest job has this status. */
export async function untilJob(stack, status) {
  const current = async () => {
    const job = await newestJob(stack);
    if (job.status !== status) await stack.advance('1s');
    return job.status;
  };
  await expect.poll(current, { message: 'status of the job', intervals: [20] }).toBe(status);
}

/** Waits until the card of the job at work shows this status. */
export const expectCard = (page, status) => expect(page.locator('[data-job][data-status]').first()).toHaveAttribute('data-status', status);
