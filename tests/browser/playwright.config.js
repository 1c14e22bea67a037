import { defineConfig } from '@playwright/test';
import { TARGET } from './support/paths.js';

/** How long anything may take before a test gives up. The machine may be busy with other tests. */
const PATIENCE = 30_000;

export default defineConfig({
  testDir: '.',
  outputDir: `${TARGET}/browser`,
  globalSetup: './support/check-machine.js',
  timeout: 4 * 60_000,
  globalTimeout: 20 * 60_000,
  expect: { timeout: PATIENCE },
  fullyParallel: true,
  workers: 2,
  retries: 0,
  forbidOnly: true,
  reporter: [['list']],
  use: {
    actionTimeout: PATIENCE,
    navigationTimeout: PATIENCE,
    viewport: { width: 1280, height: 800 },
    locale: 'en-US',
    timezoneId: 'UTC',
    // An element that fades in has less contrast on the way.
    contextOptions: { reducedMotion: 'reduce' },
    // The film strip of a trace costs as much as all the rest of it; its snapshots show the page too.
    trace: { mode: 'retain-on-failure', screenshots: false },
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      // The browser loads and asks for nothing but the page under test.
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
