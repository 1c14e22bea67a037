// The event log as a time line: attempts newest first, within each what happened newest first, every kind in plain words.

import { h, said } from './dom.js';
import { bytes, time } from './format.js';

// What each kind of event says, its dot, and where it is an attempt's outcome its word.
const KINDS = {
  failed: ['Failed', 'bad', 'failed'],
  partially_failed: ['Partially failed', 'bad', 'partially failed'],
  retry_scheduled: [({ nextRetryAt, why }) => ['Next retry planned for ', time(nextRetryAt), why ? [': ', said(why)] : null]],
  retry_held: ['Retry held: the flow is inactive'],
  retry_skipped: [({ why }) => ['Retry could not be done: ', said(why)]],
  retry_requested: ['Retried', 'sent'],
  restart_requested: ['Restarted', 'sent'],
  in_network: ['Handed to the network', 'good', 'in network'],
  completed: ['Completed', 'good', 'completed'],
  assumed_completed: ['Completed, it is assumed: nothing was heard', 'good', 'assumed completed'],
  outcome_overdue: ['No outcome in time: failed again', 'bad', 'no outcome'],
  send_failed: ['The queue refused the message', 'bad', 'not sent'],
  exhausted: [({ rule }) => ['No automatic retry is left: ', said(rule)]],
  late_outcome: [({ outcome }) => ['Heard too late: ', said(outcome)]],
  deleted: ['Deleted', 'sent', 'deleted'],
};

// `show(side, revision)` brings a payload up; null where payloads may not be read.
export function eventLog(events, show) {
  const attempts = new Map();
  for (const event of events ?? []) attempts.set(event.attempt, [event, ...(attempts.get(event.attempt) ?? [])]);
  const newest = [...attempts].sort(([a], [b]) => b - a);
  return newest.map(([attempt, log], i) => {
    const { trigger, action, at } = log.at(-1), outcome = log.find(({ kind }) => KINDS[kind]?.[2]);
    const began = !trigger ? (attempt === 1 ? 'main execution' : 'run by the pipeline') : trigger === 'manual' ? `${action} by hand` : `automatic ${action}`;
    const code = outcome?.error?.code;
    return h('details', { key: String(attempt), open: i === 0 },
      h('summary', time(at), h('b', `Attempt ${attempt}`), ` ${began}`, outcome ? `, ${KINDS[outcome.kind][2]}` : null, code ? [': ', said(code)] : null),
      h('ol', log.map((event) => h('li', { key: String(event.sequence), class: KINDS[event.kind]?.[1], 'data-kind': event.kind }, entry(event, show)))));
  });
}

function entry(event, show) {
  const { actor, error, payload, queueUrl } = event, [words] = KINDS[event.kind] ?? [said(event.kind)];
  // Of an ARN the end says who it is.
  const who = actor === 'scheduler' ? 'by the schedule' : actor === 'pipeline' ? 'told by the pipeline' : ['by ', said(String(actor).split('/').pop(), { title: actor })];
  const quiet = (...text) => h('p.quiet', text);
  const what = payload && `${payload.side} payload, revision ${payload.revision}`;
  return [
    h('p', time(event.at), h('b', typeof words === 'function' ? words(event) : words), ' ', h('span.quiet', who)),
    event.reason ? h('p', '“', said(event.reason), '”') : null,
    error ? h('p', errorOf(error), event.origin ? h('span.quiet', ' in ', said(event.origin)) : null) : null,
    payload ? quiet(show ? h('button.link', { type: 'button', onclick: () => show(payload.side, payload.revision) }, what) : what, ` · ${bytes(payload.bytes)} · SHA-256 `,
      h('code', { title: payload.sha256 }, payload.sha256.slice(0, 12))) : null,
    queueUrl ? quiet('to ', h('code', { title: queueUrl }, said(queueUrl.split('/').pop()))) : null,
    event.job ? quiet('by job ', h('code', said(event.job))) : null,
  ];
}

export const errorOf = ({ category, code, message }) => [
  category ? h('span.tag', category) : null, ' ', code ? h('span.tag', said(code)) : null, ' ', h('span.mono', said(message)),
];
