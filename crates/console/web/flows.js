// The overview: every flow, those with failures first, searched by name.

import { api, path } from './api.js';
import { h, render, said } from './dom.js';
import { ago, number, plural, relative, time } from './format.js';
import { live } from './live.js';
import { problem } from './messages.js';
import { onKeys } from './rows.js';
import { empty, skeleton } from './ui.js';

const COLUMNS = ['Flow', 'Failed', 'Under way', 'Completed', 'Oldest failure', 'Newest failure', 'Next run', 'Retries'];

export async function mount(root, params, ctx) {
  let search = ctx.query.get('q') ?? '', flows;
  ctx.crumbs(['Flows']);
  onKeys(root, ctx);
  draw();

  await new Promise(resolve => {
    // An answer holds every flow with its configuration: it is asked for gently.
    const poll = live(async signal => {
      // Page by page they come by name; all in all the most failures come first.
      flows = (await api.all('/flows', { signal })).sort((a, b) => failed(b) - failed(a));
      resolve(draw());
    }, { signal: ctx.signal, every: 12_000, onError: error => resolve(flows || draw(problem(error, poll.now))) });
  });

  function type(event) {
    search = event.target.value;
    history.replaceState(history.state, '', search ? `?${new URLSearchParams({ q: search })}` : location.pathname);
    draw();
  }

  function draw(failure) {
    const wanted = search.trim().toLowerCase(), found = flows?.filter(({ flow, displayName }) => `${displayName}\n${flow}`.toLowerCase().includes(wanted));
    render(root,
      h('.head', h('h1', 'Flows'), flows?.length > 0 && h('p.quiet', summary(flows)), h('span.grow'),
        h('input.find', { type: 'search', 'aria-label': 'Search flows by name', placeholder: 'Search flows  ( / )', value: search, oninput: type })),
      failure ?? h('.card', !flows ? skeleton(6)
        : !flows.length ? empty('No flows yet', 'A flow is registered by its first failure.', 'Reports and dead letters go to the failures queue: the stack’s outputs name it.')
          : !found.length ? empty('No flow has such a name')
            : h('table.cards.flows', h('thead', h('tr', COLUMNS.map((text, i) => h('th', { scope: 'col', class: i > 0 && i < 4 && 'num' }, text)))), h('tbody', found.map(row)))));
  }
}

const failed = ({ counts }) => counts.failed + counts.partially_failed;

function summary(flows) {
  const sum = flows.reduce((n, flow) => n + failed(flow), 0);
  return sum ? `${plural(sum, 'failed message')} in ${number(flows.filter(failed).length)} of ${plural(flows.length, 'flow')}` : `Nothing is failed in ${plural(flows.length, 'flow')}`;
}

function row(flow) {
  const { counts, displayName, nextRunAt, active, retry } = flow;
  const n = failed(flow);
  const waiting = counts.waiting_for_retry + counts.waiting_for_restart + counts.in_network;
  const cells = [
    [h('a', { href: path('console', 'flows', flow.flow) }, said(displayName ?? flow.flow, { class: 'clip' })), displayName && h('span.quiet.mono.clip', flow.flow)],
    n ? [h('b.red', number(n)), counts.partially_failed > 0 && h('span.quiet.under', `${number(counts.partially_failed)} in part`)] : '0',
    number(waiting), number(counts.completed), ago(flow.oldestFailureAt), ago(flow.newestFailureAt),
    [time(nextRunAt), nextRunAt && h('span.quiet.under', relative(nextRunAt))],
    flow.problems ? h('span.tag.amber', 'Not understood') : !active ? h('span.tag.amber', 'Inactive') : retry.mode === 'automatic' ? 'Automatic' : 'By hand',
  ];
  return h('tr', { key: flow.flow, 'data-flow': flow.flow }, cells.map((cell, i) => h('td', { 'data-label': COLUMNS[i], class: i > 0 && i < 4 && (cell === '0' ? 'num quiet' : 'num') }, h('div', cell))));
}
