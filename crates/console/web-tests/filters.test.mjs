// What of a view a job may act on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { erases, selects } from '../web/filters.js';

test('what is sent back or deleted is failed', () => {
  assert.deepEqual(selects({ message: 'timeout' }), { message: 'timeout' });
  assert.deepEqual(selects({ status: 'failed,completed' }), { status: ['failed'] });
  assert.equal(selects({ status: 'completed' }), null);
});

test('what is erased has the statuses that are shown, and names them', () => {
  assert.deepEqual(erases({ message: 'timeout' }), { message: 'timeout', status: ['failed', 'partially_failed'] });
  assert.deepEqual(erases({ status: 'completed,erased', partner: 'GLOBEX' }), { status: ['completed'], partner: 'GLOBEX' });
  assert.equal(erases({ status: 'erased' }), null);
});
