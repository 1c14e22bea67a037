// How soon the console's pages can be used in Chromium, on a stack that is full already. A report, not a test: it fails only when no rows come.
//
//     python tests/outside/scale.py --http http://127.0.0.1:3000 --aws http://127.0.0.1:4566 --fill
//     node tests/browser/usable.js --http http://127.0.0.1:3000
//
// Prints milliseconds from the beginning of a navigation until rows stand there that can be ticked: first in a new browser, then after a reload.

import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';
import config from './playwright.config.js';

/** Milliseconds after which no rows are going to come. */
const MAX_WAIT = 60_000;

const { values: { http, flow } } = parseArgs({
  options: { http: { type: 'string', default: 'http://127.0.0.1:3000' }, flow: { type: 'string', default: 'big' } },
});

const PAGES = { flows: '/console', flow: `/console/flows/${flow}`, 'flow, 200 rows': `/console/flows/${flow}?limit=200` };

/** Milliseconds of the present page until it had rows. */
async function usable(page) {
  const rows = () => document.querySelector('[data-interchange-id] input, [data-flow] a') && performance.now();
  const at = await page.waitForFunction(rows, null, { timeout: MAX_WAIT });
  return `${Math.round(await at.jsonValue())}`.padStart(6);
}

for (const [name, path] of Object.entries(PAGES)) {
  const browser = await chromium.launch(config.use.launchOptions);
  const page = await browser.newPage({ viewport: config.use.viewport });
  await page.goto(`${http}${path}`, { waitUntil: 'commit' });
  const cold = await usable(page);
  await page.reload({ waitUntil: 'commit' });
  console.log(`${name.padEnd(16)} ${cold} ms cold ${await usable(page)} ms by a reload`);
  await browser.close();
}
