// Everything a test in the browser has: a stack, a page whose clock is the stack's, and what that page asks and logs.

import { test as base, expect } from '@playwright/test';
import { Network } from './network.js';
import { Stack, START } from './stack.js';

export { expect };

export const test = base.extend({
  /** The options of `local`; without `--no-demo` the demo pipeline runs. */
  stackOptions: [['--no-demo'], { option: true }],
  /** Whether the browser may log answers of 4xx and 5xx and broken connections, as the tests are about them. */
  expectsRefusals: [false, { option: true }],

  stack: async ({ stackOptions }, use, testInfo) => {
    const stack = new Stack(stackOptions);
    await stack.ready();
    await use(stack);
    await stack.stop();
    if (testInfo.errors.length) await testInfo.attach('log of the stack', { body: stack.log.all(), contentType: 'text/plain' });
    expect(stack.log.leaks(), 'log lines with a payload or a token').toEqual([]);
  },

  baseURL: async ({ stack }, use) => use(stack.url),

  page: async ({ page, expectsRefusals }, use) => {
    const complaints = [];
    page.on('pageerror', error => complaints.push(String(error.stack ?? error)));
    page.on('console', message => {
      const isRefusal = message.text().startsWith('Failed to load resource');
      if (message.type() === 'error' && !(expectsRefusals && isRefusal)) complaints.push(`${message.text()} (${message.location().url})`);
    });
    await page.clock.install({ time: START });
    await use(page);
    expect(complaints, 'complaints of the browser').toEqual([]);
  },

  /** What the page asks, and faults. */
  network: async ({ page }, use) => use(new Network(page)),
});

/** Orders of the demo that fail. */
const DEMO_FAILURES = 7;

/** For tests beside the demo pipeline, whose orders have failed. */
export const demoTest = test.extend({
  stackOptions: [[], { option: true }],
  stack: async ({ stack }, use) => {
    const failed = async () => {
      const { failed = 0, partially_failed = 0 } = (await stack.get('/flows/orders').catch(() => ({}))).counts ?? {};
      return failed + partially_failed;
    };
    await expect.poll(failed, { message: 'failed orders of the demo', intervals: [50] }).toBe(DEMO_FAILURES);
    await stack.settle();
    await use(stack);
  },
});
