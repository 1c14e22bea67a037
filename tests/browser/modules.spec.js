// The page's modules that need no page: code pages and layouts of payloads, tested by node's own runner.

import { spawnSync } from 'node:child_process';
import { expect, test } from '@playwright/test';
import { CONSOLE } from './support/paths.js';

test('the modules that need no page pass their tests', () => {
  // A runner that finds itself inside another one reports to that one, and not as text.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const run = spawnSync(process.execPath, ['--test', '--test-reporter=tap', `${CONSOLE}/web-tests`], { env, encoding: 'utf8' });
  expect(run.status, `${run.stdout}${run.stderr}`).toBe(0);
  expect(Number(run.stdout.match(/^# pass (\d+)/m)[1])).toBeGreaterThanOrEqual(30);
});
