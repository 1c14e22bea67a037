// The confirm dialog: asks for the reason, says what will happen, cannot send twice. What was typed outlives a failure, Escape and a look
// elsewhere, until it is sent.

import { api, path } from './api.js';
import { h, render, said } from './dom.js';
import { ACTION, SKIPS, number, plural, spoken, time } from './format.js';
import { problem } from './messages.js';
import { button, openDialog, skeleton, toast } from './ui.js';

const MOST = 500;
const drafts = new Map();

const ACTIONS = ['restart', 'retry', 'delete'];
/** What this sign-in may do with messages. */
export const offered = can => [...(can('operate') ? ACTIONS : []), ...(can('erase') ? ['erase'] : [])];
export const isFailed = ({ status }) => status === 'failed' || status === 'partially_failed';

/** '' or, in words, why it cannot be done. */
export function possible(action, interchange) {
  if (action === 'erase') return interchange.status === 'erased' ? 'It is erased already.' : '';
  if (!isFailed(interchange)) return `It is ${spoken(interchange.status)}: only what failed can be sent back or deleted.`;
  const { sender, receiver } = interchange.payloads;
  if (action === 'delete' || (action === 'retry' ? receiver : sender)) return '';
  if (!sender && !receiver) return 'There is no payload to send.';
  return receiver ? 'Only the mapped message is known.' : 'Nothing was mapped yet.';
}

/** Resolves with the changed interchange, or undefined. */
export function actOnOne(action, interchange, ctx) {
  const id = interchange.interchangeId, why = possible(action, interchange);
  return ask(action, ctx, id, {
    title: said(interchange.sourceId ?? id),
    what: () => 'this message',
    details: () => [why && h('p.note', why), action === 'erase' && erasing()],
    sentence: () => `This message will be ${ACTION[action].fate}.`,
    impossible: () => why,
    async send({ reason }) {
      const after = await api.post(path('interchanges', id, action), { reason });
      toast(`${ACTION[action].done} ${id}: ${spoken(after.status)}.`);
      return after;
    },
  });
}

/** Resolves with the job, or undefined. */
export function actOnMany(action, flow, selection, ctx) {
  const to = path('flows', flow.flow, action), key = crypto.randomUUID();
  const name = () => said(flow.displayName ?? flow.flow);
  const what = ({ cap = Infinity }) => `${plan.countIsExact || plan.count >= cap ? '' : 'more than '}${plural(Math.min(plan.count, cap), 'message')}`;
  let plan;
  return ask(action, ctx, flow.flow, {
    title: ['messages of ', name()],
    what,
    async load(signal) { plan = await api.post(to, { reason: 'plan', selection }, { query: { plan: true }, signal }); },
    details: () => [action === 'erase' && erasing(), planned(action, plan)],
    sentence: limits => [what(limits), ' of ', name(), ...words(action, limits)],
    impossible: () => !plan.count,
    async send(request) {
      const job = await api.post(to, { ...request, selection, asOf: plan.asOf }, { key });
      toast(`${ACTION[action].doing} ${what(request)}: the job has begun.`);
      return { ...job, planned: Math.min(plan.count, request.cap ?? Infinity) };
    },
  });
}

// What goes, what stays, and that it is for good.
const erasing = () => h('ul.note',
  h('li', h('b', 'Removed: '), 'payloads, attributes such as partner, sender and receiver, error texts and earlier reasons.'),
  h('li', h('b', 'Kept: '), 'ids (source and correlation id, too), times, digests, and who erased it and why. So do not name the person in the reason.'),
  h('li', 'It cannot be undone. What is already on a stage queue is not taken back.'));

function planned(action, { count, sample, skips: stuck = {}, asOf }) {
  const skips = Object.entries(stuck).map(([why, n]) => `${plural(n, 'message')} will be skipped: ${SKIPS[why] ?? why}.`);
  if (!count) skips.push(action === 'erase' ? 'None of them is left to erase.' : 'None of them is failed any more.');
  return [skips.map(text => h('p.note', text)),
    count > 0 && h('details', h('summary', h('span', sample.length < count ? `The ${sample.length} oldest` : 'Which', ', as of ', time(asOf))),
      h('ul.sample', sample.map(i => h('li', time(i.failedAt), ' ', h('b', said(i.sourceId ?? i.interchangeId)), ' ', said(i.error?.message, { class: 'quiet' })))))];
}

const words = (action, { canary, rate }) => [' will be ', ACTION[action].fate, canary && `; ${canary === 1 ? 'one' : number(canary)} first, the rest when ${canary === 1 ? 'it has' : 'they all have'} completed, and none of it when one fails`,
rate && `; at most ${number(rate)} a second`, '. What fails from now on is left alone.'];

/** Draws again after every change: nothing typed is touched. */
function ask(action, ctx, draft, { title, what, load, details, sentence, impossible, send }) {
  const { label, doing, ends } = ACTION[action];
  const kept = drafts.get(draft) ?? {};
  drafts.set(draft, kept);
  return openDialog(label, (close, dialog) => {
    const leave = new AbortController(), form = h('form', { onsubmit: submit });
    dialog.addEventListener('close', () => leave.abort());
    const now = { ready: !load }; // and: failure of the plan, refusal of the action, sending, blank

    const whole = name => (load && Number(kept[name])) || undefined;
    const limits = () => ({ cap: whole('cap'), rate: whole('rate'), canary: ends ? undefined : whole('canary') });
    const set = values => draw(Object.assign(now, values));

    function prepare() {
      set({ failure: null });
      load(leave.signal).then(() => set({ ready: true }), failure => set({ failure }));
    }

    async function submit(event) {
      event.preventDefault();
      const reason = kept.reason?.trim();
      set({ blank: !reason });
      if (!reason) return form.querySelector('textarea').focus();
      if (now.sending || !now.ready) return;
      close.busy(true);
      set({ sending: true, refusal: null });
      try {
        const done = await send({ reason, ...limits() });
        drafts.delete(draft);
        close(done);
      } catch (refusal) {
        close.busy(false);
        set({ sending: false, refusal });
      }
    }

    const typing = name => ({ value: kept[name] ?? '', oninput: event => {
      kept[name] = event.target.value;
      set({ blank: false });
    } });
    const field = (name, text, hint) => h('label.field', text, h('input', { type: 'number', min: 1, max: 1e6, ...typing(name) }), h('span.hint', hint));

    function draw() {
      const { ready, failure, refusal, sending, blank } = now;
      render(form,
        h('h2', `${label} `, title),
        failure ? problem(failure, prepare) : ready ? h('div', details()) : h('div', { role: 'status' }, h('span.unseen', 'Counting…'), skeleton(2)),
        h('.field', h('label', { for: 'reason' }, 'Reason'),
          h('textarea', { id: 'reason', maxlength: MOST, autofocus: true, 'aria-required': 'true', 'aria-describedby': 'reason-hint', 'aria-invalid': blank && 'true', ...typing('reason') }),
          h('.row.hint', { id: 'reason-hint' }, h('span.grow', { class: blank && 'wrong' }, blank ? 'Say why first.' : 'It stays in the log, with your name.'), `${kept.reason?.length ?? 0} of ${MOST}`)),
        load && h('details.more', h('summary', `More: ${ends ? '' : 'canary, '}rate, cap`), h('.fields',
          !ends && field('canary', 'Canary', 'Sent first; the rest follows when they completed.'),
          field('rate', 'Rate per second', 'Empty: as fast as it goes.'), field('cap', 'Cap', 'The most it may take.'))),
        ready && h('p.words', { 'aria-live': 'polite' }, sentence(limits())),
        refusal && problem(refusal, null, refusal.slug === 'job-active' && h('p', button('See that job', () => close(undefined, document.getElementById('jobs')), '.link'))),
        h('.buttons', button('Not now', () => close(), '', { disabled: sending }),
          h(`button.primary${ends ? '.danger' : ''}`, { disabled: sending || !ready || Boolean(impossible()) }, sending ? `${doing}…` : ready ? `${label} ${what(limits())}` : label)));
    }
    if (load) prepare();
    else draw();
    return form;
  }, ctx);
}
