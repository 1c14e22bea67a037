// Times, durations and numbers as people read them: in the reader's zone and language, UTC in the title. And the words of states and actions.

import { h } from './dom.js';

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const short = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' });
const long = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });
const numbers = new Intl.NumberFormat();

export const number = (n) => numbers.format(n ?? 0);
export const plural = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;
export const bytes = (n) => (n < 1e3 ? `${n} B` : n < 1e6 ? `${(n / 1e3).toFixed(1)} KB` : `${(n / 1e6).toFixed(1)} MB`);

export function duration(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  const min = Math.round(s / 60);
  const hours = Math.floor(min / 60);
  const days = Math.floor(hours / 24);
  if (s < 60) return `${s} s`;
  if (min < 60) return `${min} min`;
  if (hours < 24) return `${hours} h${min % 60 ? ` ${min % 60} min` : ''}`;
  return `${days} d${days < 4 && hours % 24 ? ` ${hours % 24} h` : ''}`;
}

export function relative(iso) {
  const ms = Date.parse(iso) - Date.now();
  return Math.abs(ms) < 5000 ? 'just now' : ms < 0 ? `${duration(-ms)} ago` : `in ${duration(ms)}`;
}

/** The clock time today, with the date on other days; with `ago` "3 min ago", "in 2 h". */
export function time(iso, { ago } = {}) {
  const at = new Date(iso ?? NaN);
  if (Number.isNaN(at.getTime())) return h('span.quiet', '–');
  const today = at.toDateString() === new Date().toDateString();
  const utc = at.toISOString().replace('T', ' ').replace(/(\.000)?Z$/, ' UTC');
  return h('time', { datetime: iso, title: `${utc}\n${long.format(at)}` }, ago ? relative(iso) : (today ? clock : short).format(at));
}

export const STATUS = {
  failed: 'Failed', partially_failed: 'Partially failed', waiting_for_retry: 'Waiting for retry', waiting_for_restart: 'Waiting for restart',
  in_network: 'In network', completed: 'Completed', deleted: 'Deleted',
};

export const status = (word, words = STATUS) => h('span.status', { class: word, 'data-status': word }, words[word] ?? word);

/** Why a job passes over a message, by the API's word. */
export const SKIPS = {
  'not-failed': 'not failed any more', 'no-receiver-payload': 'nothing mapped to send', 'no-sender-payload': 'no message to map again', 'failed-later': 'failed again later',
  'flow-inactive': 'flow inactive', 'stage-not-configured': 'no stage queue', 'other-flow': 'of another flow', cancelled: 'cancelled before', 'send-failed': 'not taken by the queue',
};

export const ACTION = {
  restart: { label: 'Restart', doing: 'Restarting', done: 'Restarted', means: 'The message as it came in goes back to the sender stage and is mapped again.' },
  retry: { label: 'Retry', doing: 'Retrying', done: 'Retried', means: 'The mapped message goes back to the receiver stage; mapping is skipped.' },
  delete: { label: 'Delete', doing: 'Deleting', done: 'Deleted', means: 'The message is given up and its payloads are removed at once. The log stays.' },
  reschedule: { label: 'Reschedule' },
};
