// What the settings ask, as tables of `[type and field, label, hint or choices]`, and what a policy would do.

import { h, noted, said } from './dom.js';
import { duration, time } from './format.js';

export const FLOW = {
  Flow: [['check active', 'Active', 'While it is not, nothing is sent.'], ['text displayName', 'Display name']],
  Stages: [['text stages.sender.queueUrl', 'Sender stage: a queue’s URL', 'Restarts go here: mapping runs again.'],
    ['text stages.receiver.queueUrl', 'Receiver stage: a queue’s URL', 'Retries go here: mapping is skipped.']],
  Outcomes: [['choice confirmation.mode', 'The pipeline', { confirms: 'reports success', silent: 'is silent about success' }],
    ['text confirmation.within', 'Waits for an outcome', 'Like 15m; then failed again or, if silent, completed.'],
    ['text confirmation.inNetworkWithin', 'Waits for an outcome in the network', 'Like 24h; none waits for ever.'],
    ['unless confirmation.early', 'Remember outcomes that come before their failure', 'For 14 days.']],
  'Where failures come from': [['queues deadLetterQueues', 'Dead-letter queues: ARN and phase, one a line', 'Phase: processing or delivery.'],
    ['lines functions', 'Functions: ARN, one a line'],
    ['lines senders', 'Senders: role id (AROA…) or queue ARN, one a line', 'Reports from anyone else go to unassigned. Left out: everyone may report.']],
};
const LIMIT = ['number limit', 'Retries at most', 'Left out: 10, in windows 4.'];
const SCHEDULE = {
  ladder: [['list delays', 'Delays', 'Each counts from the failure before it: 90s, 5m, 24h, 2d.']],
  exponential: [['text first', 'First delay', 'Like 5m.'], ['number factor', 'Factor', 'Times the delay before.'], ['text cap', 'Longest delay', 'Like 24h.'], LIMIT],
  window: [['choice every', 'Runs', { hour: 'by the hour, from activation', day: 'every day at a time' }],
    ['text at', 'At', 'Like 06:30.'], ['text timezone', 'Time zone'], ['number interval', 'Hours between runs', 'Left out: 1, or once a day.'],
    ['text lapse', 'Lapse', 'From a failure to its first run.'], ['number batch', 'Most in a run', 'Oldest first.'], LIMIT],
};
// What a schedule starts with when its kind is chosen.
const FRESH = {
  ladder: { delays: ['5m', '10m', '60m', '5h', '24h'] },
  exponential: { first: '5m', factor: 2, cap: '24h' },
  window: { every: 'hour' },
};
const ALL = Object.values(SCHEDULE).flat().map(([what]) => what);
// The rows of its kind; an hourly window has neither time nor zone.
const own = ({ kind, every } = {}) => (SCHEDULE[kind] ?? []).filter(([what]) => every === 'day' || !/ (at|timezone)$/.test(what));

// The table for a policy.
export function asked({ mode, schedule }) {
  const first = ['choice mode', 'Failures are retried', { automatic: 'automatically', manual: 'by hand only' }];
  return mode === 'manual' ? [first] : [
    first,
    ['choice schedule.kind', 'Schedule', { ladder: 'ladder: a list of delays', exponential: 'exponential: delays that grow', window: 'window: runs at fixed times' }],
    ...own(schedule).map(([what, ...rest]) => [what.replace(' ', ' schedule.'), ...rest]),
    ['several categories', 'Errors that are retried; others wait for a person', ['system', 'business', 'no_outcome', 'unknown', 'mapping', 'validation']],
    ['number jitter', 'Jitter', '0 to 1: 0.1 makes delays up to a tenth longer.'],
    ['choice action', 'What is done', { '': 'retry in delivery, restart in processing', retry: 'always retry', restart: 'always restart' }],
  ];
}

// The schedule turned to another kind. It keeps what was typed for the others, which is not sent.
export const turned = (schedule, kind) => ({ ...structuredClone(FRESH[kind]), ...schedule, kind });

// A policy as the API takes it: without what belongs to other kinds of schedule.
export function sendable(policy) {
  if (!policy?.schedule) return policy;
  const kept = own(policy.schedule).map(([what]) => what);
  const foreign = ALL.filter(what => !kept.includes(what)).map(what => what.split(' ')[1]);
  return { ...policy, schedule: Object.fromEntries(Object.entries(policy.schedule).filter(([name]) => !foreign.includes(name))) };
}

// The coming retries of a failure now.
export function forecast(name, { now, action, times = [], latest = times, exhausted, why }) {
  const after = at => duration(Date.parse(at) - Date.parse(now));
  return h('section', { key: name }, name && h('h3', said(name)),
    times.length > 0 && h('p.quiet', action === 'restart' ? 'Restarted after' : 'Retried after'),
    h('ol.times', times.map((at, i) => h('li', h('b', after(at), latest[i] !== at && ` to ${after(latest[i])}`), time(at)))),
    h('p.quiet', exhausted ? 'Then nothing more by itself' : times.length ? 'and so on' : 'Nothing by itself', noted(': ', why)));
}
