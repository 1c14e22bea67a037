// The page of a flow: what failed, in groups and one by one; what is done about it; the jobs at work.

import { actOnMany, actOnOne } from './act.js';
import { api, path } from './api.js';
import { h, render, said } from './dom.js';
import { filterBar, selects, view } from './filters.js';
import { ACTION, STATUS, number, relative, time } from './format.js';
import { jobsView } from './jobs.js';
import { messageList } from './list.js';
import { live } from './live.js';
import { problem } from './messages.js';
import { onKeys, rowsTable } from './rows.js';
import { empty, select, skeleton } from './ui.js';

const GROUPS = 5;

export async function mount(root, { flow: name }, ctx) {
  const here = path('console', 'flows', name);
  const { signal } = ctx;
  let flow;
  let groups;
  let { query } = ctx;
  let now = view(query);
  let allGroups = false;
  const head = h('div');
  const groupsAt = h('section', { 'aria-label': 'Failure groups' });
  const jobs = h('section', { id: 'jobs', tabindex: -1, 'aria-label': 'Jobs' });
  const bar = h('search', { 'aria-label': 'Filters' });
  const body = h('section.card.messages', { 'aria-label': 'Messages' });
  root.append(head, h('div.beside', groupsAt, jobs), bar, body);

  const list = messageList(name, ctx, drawRows);
  const filters = filterBar(bar, ctx, () => groups);
  const help = onKeys(root, ctx, list);
  drawHead();
  drawAround();

  const facts = live(async () => {
    flow = await api.get(path('flows', name), { signal });
    drawHead();
    drawRows();
  }, { signal, every: 6000 });
  const grouped = live(async () => {
    groups = (await api.get(path('flows', name, 'groups'), { signal })).items.filter(({ count }) => count > 0);
    drawAround();
  }, { signal, every: 12_000 });
  const look = () => [facts.now, grouped.now, list.refresh].forEach((again) => again());
  const work = jobsView(jobs, name, ctx, look);

  ctx.onQuery((next) => {
    query = next;
    now = view(query);
    drawAround();
    list.show(now);
  });
  await list.show(now);

  function drawHead() {
    ctx.crumbs(['Flows', '/console'], [flow?.displayName ?? name]);
    const { counts, nextRunAt, active, retry } = flow ?? {};
    render(head,
      h('div.head', h('h1', said(flow?.displayName ?? name)), flow?.displayName && h('span.quiet.mono', name),
        flow && [h('span.status', { class: active && 'active' }, active ? 'Active' : 'Inactive'),
          h('span.quiet', retry.mode === 'automatic' ? 'retried automatically' : 'retried by hand', nextRunAt && [', next run ', time(nextRunAt), ` (${relative(nextRunAt)})`])],
        h('span.grow'), h('a.button', { href: `${here}/settings` }, 'Settings')),
      h('ul.row.counts', { 'aria-label': 'Messages by status' }, flow ? Object.keys(STATUS).filter((word) => counts[word] || word === 'failed')
        .map((word) => h('li', { key: word }, h('a', { href: `${here}?status=${word}` }, h('b', number(counts[word])), ` ${STATUS[word].toLowerCase()}`))) : h('li', '…')),
      flow && !active && h('p.note', 'This flow is inactive: nothing is sent, by hand or by itself, until it is activated in its settings.'));
  }

  function drawAround() {
    filters.draw(query);
    const href = ({ fingerprint }) => {
      const next = new URLSearchParams(query);
      for (const gone of ['cursor', 'page', 'group']) next.delete(gone);
      if (fingerprint !== query.get('group')) next.set('group', fingerprint);
      return `${here}?${next}`;
    };
    const link = (group) => h('a', { href: href(group), 'aria-current': query.get('group') === group.fingerprint && 'true', 'data-group': group.fingerprint },
      h('b.num', number(group.count)), said(group.message ?? 'no message', { class: 'clip' }), h('span.tag', group.category.replace('_', ' ')), h('span.quiet.last', time(group.lastSeenAt, { ago: true })));
    render(groupsAt, h('h2', 'Failure groups ', groups && h('span.quiet', number(groups.length))),
      h('div.card.groups', !groups ? skeleton(4) : groups.length ? h('ul', groups.slice(0, allGroups ? Infinity : GROUPS).map((group) => h('li', { key: group.fingerprint }, link(group)))) : h('p.quiet.pad', 'Nothing is failed.'),
        groups?.length > GROUPS && h('button.plain.small', { onclick: () => drawAround(allGroups = !allGroups) }, allGroups ? 'Show fewer' : `Show all ${groups.length}`)));
  }

  /** How many match, where that is known without counting. */
  function total() {
    const { status, group, ...rest } = now.filter;
    if (!flow || Object.keys(rest).length || (group && status)) return undefined;
    if (group) return groups?.find(({ fingerprint }) => fingerprint === group)?.count;
    return (status ?? 'failed,partially_failed').split(',').reduce((sum, word) => sum + (flow.counts[word] ?? 0), 0);
  }

  function drawRows() {
    const { rows, loaded, from, fresh, moved, failure } = list;
    const known = total();
    const to = from + rows.length;
    const choose = (label, param, value, options) => select(label, options, value, (chosen) => filters.change({ [param]: chosen }));
    const again = () => {
      look();
      list.reload();
    };
    render(body,
      h('div.row.actions', ctx.can('operate') ? actions(known) : h('h2', 'Messages'), h('span.grow'),
        h('span', { role: 'status' }, (fresh > 0 || moved > 0) && h('button.small', { onclick: list.reload },
          fresh ? `${fresh >= now.limit ? `${fresh} or more` : fresh} new since you looked – show` : `${number(moved)} moved on – show the list anew`))),
      failure && problem(failure, again, ' ', failure.status === 400 && h('a', { href: here }, 'Clear filters')),
      loaded ? (rows.length ? rowsTable(list, ctx.can('operate')) : nothing()) : !failure && skeleton(8),
      loaded && h('nav.row.pager', { 'aria-label': 'Pages' },
        h('span.quiet.grow', rows.length > 0 && `${number(from + 1)}–${number(to)}${known === undefined ? '' : ` of ${number(Math.max(known, to))}`}`),
        choose('Order', 'order', now.order, { newest: 'Newest first', oldest: 'Oldest first' }),
        choose('Rows per page', 'limit', String(now.limit), { 50: '50 a page', 100: '100 a page', 200: '200 a page' }),
        h('button', { disabled: !now.cursor, onclick: () => list.turn(-1) }, 'Previous'), h('button', { disabled: !list.next, onclick: () => list.turn(1) }, 'Next'),
        h('button.plain', { 'aria-label': 'Keys', onclick: help }, '?')));
  }

  function nothing() {
    return Object.keys(now.filter).length ? empty('Nothing matches', 'No message of this flow matches the filters.', h('a', { href: here }, 'Clear filters'))
      : empty('No failures', 'Nothing of this flow is failed. Reports and dead letters go to the failures queue; what fails shows up here by itself.');
  }

  function actions(known) {
    const n = list.all ? known : list.picked.size;
    const any = list.all || n > 0;
    const count = n === undefined ? 'all' : number(n);
    return h('div.row', { role: 'group', 'aria-label': 'Actions' },
      ['restart', 'retry', 'delete'].map((action) => h('button', { class: action === 'delete' && 'danger', disabled: !any, title: ACTION[action].means, onclick: () => act(action) }, ACTION[action].label, any && ` ${count}`)),
      h('span.quiet', { role: 'status' }, list.all ? 'All that match are selected.' : any ? `${count} ticked.` : 'Tick messages to act on them.'),
      !list.all && selects(now.filter) && list.rows.length > 0 && h('button.link', { onclick: list.everything }, `Select all ${known === undefined ? '' : `${number(known)} `}that match`),
      any && h('button.link', { onclick: list.clear }, 'Clear'));
  }

  async function act(action) {
    const picked = list.all ? [] : [...list.picked.values()];
    if (picked.length === 1) {
      const after = await actOnOne(action, picked[0], ctx);
      if (after) list.changed(after);
      return look();
    }
    const filter = selects(now.filter);
    const selection = !list.all ? { ids: picked.map((row) => row.interchangeId) } : Object.keys(filter).length ? { filter } : { all: true };
    const job = await actOnMany(action, flow ?? { flow: name }, selection, ctx);
    if (!job) return;
    list.clear();
    work.add(job);
    jobs.focus();
  }
}
