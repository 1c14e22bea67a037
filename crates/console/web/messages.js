// What each kind of failure says: what happened, and what to do about it.

import { h, said } from './dom.js';
import { button } from './ui.js';

const WORDS = {
  'not-failed': ['This message is not failed any more', 'Its page shows what became of it.'],
  'no-receiver-payload': ['There is nothing mapped to send', 'It failed before the mapping had a result: restart it.'],
  'no-sender-payload': ['There is no message to map again', 'Only the mapped message was reported: retry it.'],
  'flow-inactive': ['The flow is inactive', 'Activate it in its settings first.'],
  'stage-not-configured': ['The flow has no queue for this', 'Set it in the flow’s settings first.'],
  'stage-not-understood': ['The stage was configured by another release', 'This one does not understand it. Set it in the flow’s settings, or wait for the upgrade.'],
  unreadable: ['It was stored by another release', 'This one cannot read it. Nothing is lost, and nothing else is affected.'],
  'job-active': ['Another job is at work on this flow', 'A flow has one at a time: wait for it or cancel it. What you typed stays here.'],
  'job-ended': ['The job has ended already', 'There is nothing left to cancel or to resume.'],
  'send-failed': ['The stage queue did not take the message', 'The message is failed again and nothing is lost.'],
  timeout: ['No answer yet', 'It may have been done all the same: look before you try again.'],
  unreachable: ['The API cannot be reached', 'Check the network, then try again. Nothing typed is lost.'],
  400: ['Something is not right yet'],
  401: ['You are not signed in', 'Sign in again; where requests must be signed, open the console through the signing proxy.'],
  403: ['You may not do this', 'Ask the person who manages access to Reprise.'],
  404: ['There is no such thing', 'The link may be old.'],
  409: ['It cannot be done now'],
  412: ['Somebody else changed this flow', 'Your changes are still here: save again to compare.'],
  413: ['That is too much at once', 'Choose fewer messages, or a filter in place of ticks.'],
  422: ['The first try did get through', 'Its answer was lost, but the job was made: look at its card before you send anything again.'],
  429: ['Too many requests', 'Wait a moment, then try again.'],
  500: ['The service has a problem', 'Nothing is lost. Try again; if it stays, its log has the cause.'],
};
const TELLING = /^(invalid-field|not-found|send-failed|too-large)$/; // whose details say more than our words

/** { title, text } of an ApiError, in plain words. */
export function explain({ status, slug, detail, message }) {
  if (status === undefined) return { title: 'The page made a mistake', text: message };
  const [title, advice] = WORDS[slug] ?? WORDS[status] ?? WORDS[status < 500 ? 409 : 500];
  const more = detail && (!advice || TELLING.test(slug)) && `${detail[0].toUpperCase()}${detail.slice(1).replace(/[^.!?]$/, '$&.')}`;
  return { title, text: [more, advice].filter(Boolean).join(' ') };
}

/** The same as an element; with `retry` it has a "Try again" button. */
export function problem(error, retry, ...more) {
  const { title, text } = explain(error);
  return h('.problem', { role: 'alert' }, h('strong', title), ' ', said(text), retry && button('Try again', retry, '.small'), more);
}
