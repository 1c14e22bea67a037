// What a job has come to and how it stands, in words. It needs no page and no API.

import { SKIPS, number } from './format.js';

const SENT = { delete: 'deleted', erase: 'erased', reschedule: 'rescheduled' };

/** Whether a job is still at work, or waits. */
export const isActive = ({ status }) => /queued|canary|running|cancelling/.test(status);

/** Sent, and nothing was heard of it so far. */
export const underWay = ({ action, counts }) => (SENT[action] ? 0 : counts.sent - counts.completed - counts.failedAgain);

/** The figures of a job, [name, count, words]: the first always, the others where there are any. */
export function figures(job) {
  const { action, counts: n, skips = {} } = job, { cancelled = 0, ...passed } = skips, sent = SENT[action] ?? 'sent';
  const why = Object.entries(passed).map(([slug, count]) => `${number(count)} ${SKIPS[slug] ?? slug}`).join(', ');
  return [[sent, n.sent, cancelled ? `of ${number(n.matched)} ${sent}` : sent], [`not ${sent}`, cancelled], ['completed', n.completed], ['failed again', n.failedAgain],
    ['under way', underWay(job)], ['skipped', n.skipped - cancelled, `skipped: ${why}`]]
    .filter(([, count], i) => count > 0 || !i).map(([name, count, words = name]) => [name, count, words]);
}

/** Why a job does not go on: [before, its text, after], or null; `stuck` where it goes on when a person says so. */
export function standing({ status, halt, stuck }) {
  if (!halt) return null;
  if (status === 'halted') return { text: ['Halted: ', halt, '. What was not sent is left as it was.'] };
  if (!/queued|canary|running/.test(status)) return null;
  return { text: [stuck ? 'Stuck: ' : 'Paused: ', halt, '.'], stuck };
}
