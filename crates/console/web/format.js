// Times, durations and numbers as people read them: in the reader's zone and language, UTC in the title. And the words of states and actions.

import { h } from './dom.js';

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const short = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' });
const long = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });
const numbers = new Intl.NumberFormat();

export const number = n => numbers.format(n ?? 0);
export const plural = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;
export const bytes = n => (n < 1e3 ? `${n} B` : n < 1e6 ? `${(n / 1e3).toFixed(1)} KB` : `${(n / 1e6).toFixed(1)} MB`);

export function duration(ms) {
  const s = Math.max(0, Math.round(ms / 1000)), min = Math.round(s / 60), hours = Math.floor(min / 60), days = Math.floor(hours / 24);
  if (s < 60) return `${s} s`;
  if (min < 60) return `${min} min`;
  if (hours < 24) return `${hours} h${min % 60 ? ` ${min % 60} min` : ''}`;
  return `${days} d${days < 4 && hours % 24 ? ` ${hours % 24} h` : ''}`;
}

export function relative(iso) {
  const ms = Date.parse(iso) - Date.now();
  return Math.abs(ms) < 5000 ? 'just now' : ms < 0 ? `${duration(-ms)} ago` : `in ${duration(ms)}`;
}

/** The clock time today, with the date on other days, or what `words` make of it. */
export function time(iso, words) {
  const at = new Date(iso ?? NaN);
  if (Number.isNaN(at.getTime())) return h('span.quiet', '–');
  const today = at.toDateString() === new Date().toDateString();
  const utc = at.toISOString().replace('T', ' ').replace(/(\.000)?Z$/, ' UTC');
  return h('time', { datetime: iso, title: `${utc}\n${long.format(at)}` }, words ? words(iso) : (today ? clock : short).format(at));
}

/** "3 min ago", "in 2 h". */
export const ago = iso => time(iso, relative);

export const STATUSES = ['failed', 'partially_failed', 'waiting_for_retry', 'waiting_for_restart', 'in_network', 'completed', 'deleted', 'erased'];

/** Whether payloads of this status were removed on purpose. */
export const isRemoved = word => word === 'deleted' || word === 'erased';

/** A word of the API as people write it: 'no_outcome' is "no outcome", and as a title "No outcome". */
export const spoken = word => word.replaceAll('_', ' ');
export const titled = word => word[0].toUpperCase() + spoken(word.slice(1));
/** Choices for a select. */
export const choices = words => Object.fromEntries(words.map(word => [word, titled(word)]));
export const status = word => h('span.status', { class: word, 'data-status': word }, titled(word));

/** Why a job passes over a message, by the API's word. */
export const SKIPS = {
  'not-failed': 'not failed any more', erased: 'erased already', 'no-receiver-payload': 'nothing mapped to send', 'no-sender-payload': 'no message to map again', 'failed-later': 'failed again later', 'not-found': 'not kept any more',
  'flow-inactive': 'flow inactive', 'stage-not-configured': 'no stage queue', 'other-flow': 'of another flow', 'send-failed': 'not taken by the queue', 'no-attempt-left': 'no attempt left', unstorable: 'cannot be stored', unreadable: 'cannot be read', 'stage-not-understood': 'stage not understood',
};

/** What can be done with a message; `ends` where nothing is sent and its payloads go. */
export const ACTION = {
  restart: { label: 'Restart', doing: 'Restarting', done: 'Restarted', fate: 'put on the sender stage and mapped again' },
  retry: { label: 'Retry', doing: 'Retrying', done: 'Retried', fate: 'put on the receiver stage, mapping skipped' },
  delete: { label: 'Delete', doing: 'Deleting', done: 'Deleted', ends: true, fate: 'given up: payloads are removed at once, the log stays' },
  erase: { label: 'Erase', doing: 'Erasing', done: 'Erased', ends: true, fate: 'erased: payloads, attributes and error texts are removed permanently' },
  reschedule: { label: 'Reschedule' },
};
