// One interchange: where it stands, what can be done now, what comes next, what happened, and its payloads.

import { actOnOne, offered, possible } from './act.js';
import { api, path } from './api.js';
import { h, noted, render, said, visible } from './dom.js';
import { ACTION, ago, isRemoved, plural, status, time } from './format.js';
import { errorOf, eventLog } from './interchange-log.js';
import { live } from './live.js';
import { problem } from './messages.js';
import { payloadPanel } from './payload-view.js';
import { button, card, copyable, skeleton } from './ui.js';

// How long after a change, or before and after a retry, it is watched closely, in ms.
const NEAR = 90_000;
const hrefOf = flow => path('console', 'flows', flow);

export async function mount(root, { id }, ctx) {
  const { signal, can, crumbs } = ctx;
  const panels = can('payload') && { sender: payloadPanel(id, 'sender', signal), receiver: payloadPanel(id, 'receiver', signal) };
  let item, flow, failure, changedAt = Date.now(), shown;
  let log = []; // of a very long one an answer has the newest events only
  draw();
  const poll = live(async () => {
    const next = await api.get(path('interchanges', id), { signal });
    if (next.version !== item?.version) {
      changedAt = Date.now();
      api.get(path('flows', next.flow), { signal }).then(found => { flow = found; draw(); }, () => {});
    }
    if (next.status === 'erased' && item?.status !== 'erased') log = []; // events that were shown have lost their texts
    item = next;
    log = [...log.filter(({ sequence }) => sequence < next.events[0]?.sequence), ...next.events];
    failure = null;
    draw();
    for (const side in panels) panels[side].update(item);
    shown();
  }, { every, signal, onError: error => { failure = error; draw(); shown(); } });
  await new Promise(resolve => {
    shown = resolve;
    signal.addEventListener('abort', resolve);
  });

  function every() {
    const moving = /waiting|in_network/.test(item?.status) || Math.abs(Date.parse(item?.nextRetryAt) - Date.now()) < NEAR;
    return moving ? 2500 : Date.now() - changedAt < NEAR ? 5000 : 20_000;
  }

  function draw() {
    const trouble = failure && problem(failure, () => poll.now());
    crumbs(['Flows', '/console'], ...(item ? [[flow?.displayName ?? item.flow, hrefOf(item.flow)]] : []), [id]);
    if (!item) return render(root, h('h1', said(id)), trouble || skeleton(6));
    const refused = Object.groupBy(offered(can).filter(action => action !== 'erase'), action => possible(action, item));
    render(root,
      h('.head', h('h1', said(id)), status(item.status), h('span.grow'), h('.row', offered(can).map(actionButton))),
      trouble,
      h('p', { id: 'story' }, story(item, flow)),
      can('operate') ? Object.entries(refused).map(([why, which]) => why && h('p.hint', `${which.map(action => ACTION[action].label).join(', ')}: ${why}`))
        : h('p.hint', 'Your sign-in may not restart, retry or delete.'),
      flow?.active === false && h('p.note', 'The flow is inactive: nothing is sent. ', h('a', { href: `${hrefOf(item.flow)}/settings` }, 'Settings')),
      h('.columns', h('.stack', wrong(item), card('Facts', facts(item))),
        card('Event log', eventLog(log, panels && !isRemoved(item.status) && ((side, revision) => panels[side].show(revision))),
          log[0]?.sequence > 1 && button('Show older events', older, '.small'))),
      panels ? h('.columns', panels.sender.el, panels.receiver.el) : h('p.card.inner.quiet', 'Your sign-in may not read payloads.'));
  }

  async function older() {
    try {
      const { events } = await api.get(path('interchanges', id), { signal, query: { eventsBefore: log[0].sequence } });
      log = [...events.filter(({ sequence }) => sequence < log[0].sequence), ...log];
    } catch (error) { failure = error; }
    draw();
  }

  function actionButton(action) {
    const why = possible(action, item);
    const act = async () => { if (await actOnOne(action, item, ctx)) poll.now(); };
    return button([ACTION[action].label, action === 'erase' && '…'], act, ACTION[action].ends ? '.danger' : '', { disabled: Boolean(why), title: why || null });
  }
}

// Where it stands, in words.
function story(item, flow) {
  const { mode, within, inNetworkWithin } = flow?.confirmation ?? {};
  const ends = limit => (limit && limit !== 'none' ? ` Without an outcome in ${limit} it counts as ${mode === 'silent' ? 'completed' : 'failed again'}.` : '');
  const waits = stage => [`Sent to the ${stage} stage `, ago(item.events?.findLast(({ trigger }) => trigger)?.at), '; no outcome yet.', ends(within)];
  return {
    waiting_for_retry: () => waits('receiver'),
    waiting_for_restart: () => waits('sender'),
    in_network: () => ['Handed to the network; no outcome yet.', ends(inNetworkWithin)],
    completed: () => 'It went through. There is nothing to do.',
    deleted: () => 'It was given up: its payloads are removed, the log stays.',
    erased: () => 'It was erased: its payloads, attributes and error texts are removed permanently.',
  }[item.status]?.() ?? coming(item);
}

// The next automatic retry and why, or why there is none.
function coming({ nextRetryAt, nextRetry, retryPolicy = {}, exhausted, phase, error }) {
  const { why, mode, action, categories, partner } = retryPolicy;
  const because = noted(': ', why);
  if (nextRetryAt) {
    const next = nextRetry?.action ?? action ?? (phase === 'delivery' ? 'retry' : 'restart');
    return [h('strong', `Next ${next} `, ago(nextRetryAt)), ', at ', time(nextRetryAt), because, '.'];
  }
  if (exhausted) return [h('strong', 'No automatic retry is left'), because, '. Somebody has to decide.'];
  if (mode === 'manual') return `This ${partner ? 'partner' : 'flow'} is retried by hand only.`;
  if (categories && !categories.includes(error?.category)) return `Nothing happens by itself: ${error?.category} errors wait for a person.`;
  return ['No retry is planned', because, '.'];
}

function wrong({ error, parts, phase, origin, status: now }) {
  return card(/failed/.test(now) ? 'Error' : 'Last error',
    h('p', errorOf({ ...error, message: null }), now === 'erased' && h('span.quiet', 'Its text was removed when the message was erased.'), error?.message && h('bdi.mono', visible(error.message))),
    h('p.quiet', phase === 'delivery' ? 'In delivery, after the mapping' : 'In processing, before or in the mapping', noted(': ', origin)),
    parts?.map(part => h('p', status(part.status), ' ', h('b', said(part.id)), ' ', said(part.message))));
}

function facts(item) {
  const flow = hrefOf(item.flow), copied = name => item[name] && copyable(item[name]);
  const filtered = (name, text = said(item[name])) => item[name] && h('a', { href: `${flow}?${new URLSearchParams({ [name]: item[name] })}` }, text);
  const rows = [
    ['Flow', h('a', { href: flow }, said(item.flow))], ['Partner', said(item.partner)], ['Sender', filtered('sender')], ['Receiver', filtered('receiver')],
    ['Source id', copied('sourceId')], ['Interchange id', copied('interchangeId')], ['Correlation id', copied('correlationId')],
    ['Trace', copied('traceparent')], ['Order key', copied('orderKey')],
    ['Failed', [time(item.failedAt), ' (', ago(item.failedAt), ')']],
    ['Attempt', `${item.attempt}, ${item.tries ? `after ${plural(item.tries, 're-entry', 're-entries')}` : 'the main execution'}`],
    ['Alike', filtered('group', 'Failures with the same error')], ['Job', filtered('job')],
  ];
  return h('dl', rows.filter(([, value]) => value).map(([name, value]) => h('div', h('dt', name), h('dd', value))));
}
