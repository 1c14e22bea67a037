// The event log as a time line: attempts newest first, within each what happened newest first, every kind in plain words.

import { h, noted, said, who } from './dom.js';
import { bytes, time } from './format.js';
import { button } from './ui.js';

// What each kind of event says, its dot, and where it is an attempt's outcome its word.
const KINDS = {
  failed: ['Failed', 'bad', 'failed'],
  partially_failed: ['Partially failed', 'bad', 'partially failed'],
  retry_scheduled: [({ nextRetryAt, why }) => ['Next retry planned for ', time(nextRetryAt), noted(': ', why)]],
  retry_held: ['Retry held: the flow is inactive, or not understood'],
  retry_skipped: [({ why }) => ['Retry could not be done: ', said(why)]],
  retry_requested: ['Retried', 'sent'],
  restart_requested: ['Restarted', 'sent'],
  in_network: ['Handed to the network', 'good', 'in network'],
  completed: ['Completed', 'good', 'completed'],
  assumed_completed: ['Completed, it is assumed: nothing was heard', 'good', 'assumed completed'],
  outcome_overdue: ['No outcome in time: failed again', 'bad', 'no outcome'],
  send_failed: ['The queue refused the message', 'bad', 'not sent'],
  exhausted: [({ rule }) => ['No automatic retry is left', noted(': ', rule)]],
  late_outcome: [({ outcome }) => ['Heard too late: ', said(outcome)]],
  deleted: ['Deleted', 'sent', 'deleted'],
  erased: ['Erased', 'sent', 'erased'],
};

// `show(side, revision)` brings a payload up; null where payloads may not be read.
export function eventLog(events, show) {
  const attempts = new Map();
  for (const event of events ?? []) attempts.set(event.attempt, [event, ...(attempts.get(event.attempt) ?? [])]);
  const newest = [...attempts].sort(([a], [b]) => b - a);
  return h('.log', newest.map(([attempt, log], i) => {
    const { trigger, action, at } = log.at(-1), outcome = log.find(({ kind }) => KINDS[kind]?.[2]);
    const began = !trigger ? (attempt === 1 ? 'main execution' : 'run by the pipeline') : trigger === 'manual' ? `${action} by hand` : `automatic ${action}`;
    return h('details', { key: String(attempt), open: i === 0 },
      h('summary', time(at), h('b', `Attempt ${attempt}`), ` ${began}`, outcome && `, ${KINDS[outcome.kind][2]}`, noted(': ', outcome?.error?.code)),
      h('ol', log.map(event => h('li', { key: String(event.sequence), class: KINDS[event.kind]?.[1], 'data-kind': event.kind }, entry(event, show)))));
  }));
}

function entry(event, show) {
  const { actor, error, payload, queueUrl } = event, [words] = KINDS[event.kind] ?? [said(event.kind)];
  const by = { scheduler: 'by the schedule', pipeline: 'told by the pipeline' }[actor] ?? ['by ', who(actor)];
  const quiet = (...text) => h('p.quiet', text);
  const what = payload && `${payload.side} payload, revision ${payload.revision}`;
  return [
    h('p', time(event.at), h('b', typeof words === 'function' ? words(event) : words), ' ', h('span.quiet', by)),
    event.reason && h('p', '“', said(event.reason), '”'),
    error && h('p', errorOf(error), h('span.quiet', noted(' in ', event.origin))),
    payload && quiet(show ? button(what, () => show(payload.side, payload.revision), '.link') : what, ` · ${bytes(payload.bytes)} · SHA-256 `,
      h('code', { title: payload.sha256 }, payload.sha256.slice(0, 12))),
    queueUrl && quiet('to ', h('code', { title: queueUrl }, said(queueUrl.split('/').pop()))),
    event.job && quiet('by job ', h('code', said(event.job))),
    event.warnings?.map(({ field, problem }) => h('p.amber', 'Not as it came: ', h('code', said(field)), ' ', said(problem))),
  ];
}

export const errorOf = ({ category, code, message }) => [
  category && h('span.tag', category), ' ', code && h('span.tag', said(code)), ' ', h('span.mono', said(message)),
];
