// What the settings ask of a policy, and what of it is sent.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLOW, asked, sendable, turned } from '../web/settings-policy.js';

const fields = (policy) => asked(policy).map(([what]) => what.split(' ')[1]);
const automatic = (schedule) => ({ mode: 'automatic', schedule });

test('a manual policy asks for nothing more', () => {
  assert.deepEqual(fields({ mode: 'manual', schedule: { kind: 'ladder' } }), ['mode']);
});

test('every kind of schedule asks for its own fields', () => {
  assert.ok(fields(automatic({ kind: 'ladder' })).includes('schedule.delays'));
  assert.deepEqual(fields(automatic({ kind: 'exponential' })).filter((field) => field.startsWith('schedule.')), ['schedule.kind', 'schedule.first', 'schedule.factor', 'schedule.cap', 'schedule.limit']);
  assert.ok(!fields(automatic({ kind: 'window', every: 'hour' })).includes('schedule.at'));
  assert.ok(fields(automatic({ kind: 'window', every: 'day' })).includes('schedule.timezone'));
});

test('a kind that this page does not know still shows the rest', () => {
  assert.ok(fields(automatic({ kind: 'lunar' })).includes('categories'));
  assert.deepEqual(sendable(automatic({ kind: 'lunar', phase: 'full' })).schedule, { kind: 'lunar', phase: 'full' });
});

test('a schedule turned to another kind keeps what was typed and sends its own fields alone', () => {
  const ladder = { kind: 'ladder', delays: ['1m'] };
  const window = turned(ladder, 'window');
  assert.deepEqual(sendable(automatic(window)).schedule, { kind: 'window', every: 'hour' });
  const back = turned({ ...window, lapse: '20m' }, 'ladder');
  assert.deepEqual(sendable(automatic(back)).schedule, { kind: 'ladder', delays: ['1m'] });
  assert.equal(turned(back, 'window').lapse, '20m');
});

test('an hourly window is sent without time and zone', () => {
  const daily = { kind: 'window', every: 'day', at: '06:30', timezone: 'Europe/Berlin' };
  assert.deepEqual(sendable(automatic(daily)).schedule, daily);
  assert.deepEqual(sendable(automatic({ ...daily, every: 'hour' })).schedule, { kind: 'window', every: 'hour' });
});

test('fields of a policy that this page does not know go back as they came', () => {
  assert.deepEqual(sendable({ ...automatic({ kind: 'ladder', delays: ['1m'], colour: 'red' }), more: 1 }), { mode: 'automatic', more: 1, schedule: { kind: 'ladder', delays: ['1m'], colour: 'red' } });
});

test('a flow is asked for both deadlines of an outcome, whether early ones are remembered, and who may report', () => {
  const asks = (card) => FLOW[card].map(([what]) => what.split(' ')[1]);
  assert.deepEqual(asks('Outcomes'), ['confirmation.mode', 'confirmation.within', 'confirmation.inNetworkWithin', 'confirmation.early']);
  assert.deepEqual(asks('Where failures come from'), ['deadLetterQueues', 'functions', 'senders']);
});
