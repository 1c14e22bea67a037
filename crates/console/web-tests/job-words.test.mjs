// What the job card says of a job.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { figures, standing } from '../web/job-words.js';

const job = (given) => ({ action: 'retry', status: 'running', ...given, counts: { matched: 60, sent: 0, skipped: 0, completed: 0, failedAgain: 0, ...given.counts } });
const said = (given) => figures(job(given)).map(([, count, words]) => `${count} ${words}`);

test('the first figure is always there, the others where there are any', () => {
  assert.deepEqual(said({}), ['0 sent']);
  assert.deepEqual(said({ counts: { sent: 9, completed: 4, failedAgain: 2 } }), ['9 sent', '4 completed', '2 failed again', '3 under way']);
});

test('a job that deletes or erases has nothing under way', () => {
  assert.deepEqual(said({ action: 'erase', counts: { sent: 9 } }), ['9 erased']);
  assert.deepEqual(said({ action: 'delete', counts: { sent: 9 } }), ['9 deleted']);
});

test('what was skipped is told by reason', () => {
  const skips = { 'not-failed': 2, unstorable: 1, 'a-reason-of-tomorrow': 1 };
  assert.deepEqual(said({ counts: { skipped: 4 }, skips }), ['0 sent', '4 skipped: 2 not failed any more, 1 cannot be stored, 1 a-reason-of-tomorrow']);
});

test('a cancelled job says how many of how many were sent and how many were not', () => {
  const skips = { cancelled: 45, 'not-failed': 3 };
  assert.deepEqual(said({ status: 'cancelled', counts: { sent: 12, completed: 12, skipped: 48 }, skips }), ['12 of 60 sent', '45 not sent', '12 completed', '3 skipped: 3 not failed any more']);
  assert.deepEqual(said({ action: 'delete', status: 'cancelled', counts: { sent: 12, skipped: 48 }, skips: { cancelled: 48 } }), ['12 of 60 deleted', '48 not deleted']);
});

test('a job that is stuck says why and can be resumed, one that waits cannot', () => {
  assert.deepEqual(standing({ status: 'running', halt: 'its work failed', stuck: true }), { text: ['Stuck: ', 'its work failed', '.'], stuck: true });
  assert.deepEqual(standing({ status: 'canary', halt: 'the flow is inactive' }).text, ['Paused: ', 'the flow is inactive', '.']);
  assert.ok(!standing({ status: 'canary', halt: 'the flow is inactive' }).stuck);
});

test('a job that has ended says why only where it halted by itself', () => {
  assert.equal(standing({ status: 'halted', halt: '1 of the canary failed again' }).text[0], 'Halted: ');
  for (const status of ['cancelling', 'cancelled', 'completed']) assert.equal(standing({ status, halt: 'its work failed', stuck: true }), null, status);
  assert.equal(standing({ status: 'running' }), null);
});
