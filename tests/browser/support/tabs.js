// A browser whose tabs hide each other. Playwright has every page of its own contexts take itself for the visible one; it leaves alone the
// pages of a browser that was running before.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { test as base } from './fixtures.js';

async function endpointOf(browser) {
  for await (const line of createInterface(browser.stderr)) {
    const [endpoint] = line.match(/ws:\S+/) ?? [];
    if (!endpoint) continue;
    // Output that is not read would block it.
    browser.stderr.resume();
    return endpoint;
  }
  throw new Error('Chromium ended before it could be driven');
}

export const test = base.extend({
  context: async ({ playwright, launchOptions }, use) => {
    const profile = await mkdtemp(`${tmpdir()}/reprise-browser-`);
    const args = ['--headless', ...launchOptions.args, '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'];
    const chromium = spawn(launchOptions.executablePath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = new Promise(resolve => chromium.once('close', resolve));
    const browser = await playwright.chromium.connectOverCDP(await endpointOf(chromium), { noDefaults: true });
    await use(browser.contexts()[0]);
    await browser.close();
    chromium.kill('SIGKILL');
    await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  },
});
