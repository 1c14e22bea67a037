// The page of a flow: what failed, in groups and one by one; what is done about it; the jobs at work.

import { actOnMany, actOnOne, isFailed, offered } from './act.js';
import { api, path } from './api.js';
import { h, render, said } from './dom.js';
import { erases, filterBar, selects, view } from './filters.js';
import { ACTION, STATUSES, ago, number, relative, spoken, status, time } from './format.js';
import { jobsView } from './jobs.js';
import { messageList } from './list.js';
import { live } from './live.js';
import { problem } from './messages.js';
import { onKeys, rowsTable } from './rows.js';
import { button, empty, select, skeleton } from './ui.js';

const GROUPS = 5;

export async function mount(root, { flow: name }, ctx) {
  const here = path('console', 'flows', name), to = path('flows', name), { signal, can } = ctx;
  const actable = offered(can), mayAct = actable.length > 0;
  let flow, groups, { query } = ctx, now = view(query), allGroups = false;
  const head = h('div');
  const groupsAt = h('section', { 'aria-label': 'Failure groups' });
  const jobs = h('section', { id: 'jobs', tabindex: -1, 'aria-label': 'Jobs' });
  const bar = h('search', { 'aria-label': 'Filters' });
  const body = h('section.card.messages', { 'aria-label': 'Messages' });
  root.append(head, h('.beside', groupsAt, jobs), bar, body);

  const list = messageList(name, ctx, drawRows);
  const filters = filterBar(bar, ctx, () => groups);
  const help = onKeys(root, ctx, list);
  drawHead();
  drawAround();

  const facts = live(async () => {
    flow = await api.get(to, { signal });
    drawHead();
    drawRows();
  }, { signal, every: 6000 });
  const grouped = live(async () => {
    groups = (await api.all(`${to}/groups`, { signal })).filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
    drawAround();
  }, { signal, every: 12_000 });
  const look = () => [facts.now, grouped.now, list.refresh].forEach(again => again());
  const work = jobsView(jobs, name, ctx, look);

  ctx.onQuery(next => {
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
      h('.head', h('h1', said(flow?.displayName ?? name)), flow?.displayName && h('span.quiet.mono', name),
        flow && [status(active ? 'active' : 'inactive'),
          h('span.quiet', retry.mode === 'automatic' ? 'retried automatically' : 'retried by hand', nextRunAt && [', next run ', time(nextRunAt), ` (${relative(nextRunAt)})`])],
        h('span.grow'), h('a.button', { href: `${here}/settings` }, 'Settings')),
      h('ul.row.counts', { 'aria-label': 'Messages by status' }, flow ? STATUSES.filter(word => counts[word] || word === 'failed')
        .map(word => h('li', { key: word }, h('a', { href: `${here}?status=${word}` }, h('b', number(counts[word])), ` ${spoken(word)}`))) : h('li', '…')),
      flow?.problems && h('.note', h('p', 'Part of this flow’s configuration was stored by another release and is not understood by this one. Automatic retries are held.'),
        h('ul', flow.problems.map(({ field, problem }) => h('li', { key: field ?? '' }, field && [h('code', said(field)), ' '], said(problem))))),
      flow && !active && h('p.note', 'This flow is inactive: nothing is sent until it is activated in its settings.'));
  }

  function drawAround() {
    filters.draw(query);
    const href = ({ fingerprint }) => {
      const next = new URLSearchParams(query);
      for (const gone of ['cursor', 'page', 'group']) next.delete(gone);
      if (fingerprint !== query.get('group')) next.set('group', fingerprint);
      return `${here}?${next}`;
    };
    const link = group => h('a', { href: href(group), 'aria-current': query.get('group') === group.fingerprint && 'true', 'data-group': group.fingerprint },
      h('b.num', number(group.count)), said(group.message ?? 'no message', { class: 'clip' }), h('span.tag', spoken(group.category)), h('span.quiet.last', ago(group.lastSeenAt)));
    render(groupsAt, h('h2', 'Failure groups ', groups && h('span.quiet', number(groups.length))),
      h('.card.groups', !groups ? skeleton(4) : groups.length ? h('ul', groups.slice(0, allGroups ? Infinity : GROUPS).map(group => h('li', { key: group.fingerprint }, link(group)))) : h('p.quiet.pad', 'Nothing is failed.'),
        groups?.length > GROUPS && button(allGroups ? 'Show fewer' : `Show all ${number(groups.length)}`, () => drawAround(allGroups = !allGroups), '.plain.small')));
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
    const known = total(), last = from + rows.length;
    const choose = (label, param, value, options) => select(label, options, value, chosen => filters.change({ [param]: chosen }));
    const again = () => {
      look();
      list.reload();
    };
    render(body,
      h('.row.actions', mayAct ? actions(known) : h('h2', 'Messages'), h('span.grow'),
        h('span', { role: 'status' }, (fresh > 0 || moved > 0) && button(
          fresh ? `${fresh}${fresh >= now.limit ? ' or more' : ''} new since you looked – show` : `${moved} moved on – reload the list`, list.reload, '.small'))),
      failure && problem(failure, again, ' ', failure.status === 400 && h('a', { href: here }, 'Clear filters')),
      loaded ? (rows.length ? rowsTable(list, mayAct) : nothing()) : !failure && skeleton(8),
      loaded && h('nav.row.pager', { 'aria-label': 'Pages' },
        h('span.quiet.grow', rows.length > 0 && `${number(from + 1)}–${number(last)}${known === undefined ? '' : ` of ${number(Math.max(known, last))}`}`),
        choose('Order', 'order', now.order, { newest: 'Newest first', oldest: 'Oldest first' }),
        choose('Rows per page', 'limit', String(now.limit), { 50: '50 a page', 100: '100 a page', 200: '200 a page' }),
        button('Previous', () => list.turn(-1), '', { disabled: !now.cursor }), button('Next', () => list.turn(1), '', { disabled: !list.next }),
        button('?', help, '.plain', { 'aria-label': 'Keys' })));
  }

  function nothing() {
    return Object.keys(now.filter).length ? empty('Nothing matches', h('a', { href: here }, 'Clear filters'))
      : empty('No failures', 'What fails shows up here by itself.');
  }

  // Who may erase can tick what is not failed, too: the other actions take what is failed of it.
  function actions(known) {
    const ticked = [...list.picked.values()], failed = ticked.filter(isFailed).length;
    const select = selectable(), any = list.all || ticked.length > 0, shown = n => (n === undefined ? 'all' : number(n));
    return h('.row', { role: 'group', 'aria-label': 'Actions' },
      actable.map(action => {
        const erase = action === 'erase', n = list.all ? known : erase ? ticked.length : failed;
        const able = list.all ? erase || selects(now.filter) : n > 0;
        return button([ACTION[action].label, able && ` ${shown(n)}`, erase && '…'], () => act(action), ACTION[action].ends ? '.danger' : '', { disabled: !able, title: `What is ticked will be ${ACTION[action].fate}.` });
      }),
      h('span.quiet', { role: 'status' }, list.all ? 'All that match are selected.' : any ? `${number(ticked.length)} ticked.` : 'Tick messages to act on them.'),
      !list.all && select && list.rows.length > 0 && button(`Select all ${known === undefined ? '' : `${number(known)} `}that match`, list.everything, '.link'),
      any && button('Clear', list.clear, '.link'));
  }

  function selectable() {
    return selects(now.filter) ?? (can('erase') && erases(now.filter));
  }

  async function act(action) {
    const takes = action === 'erase' ? () => true : isFailed;
    const picked = list.all ? [] : [...list.picked.values()].filter(takes);
    if (picked.length === 1) {
      const after = await actOnOne(action, picked[0], ctx);
      if (after) list.changed(after);
      return look();
    }
    const filter = (action === 'erase' ? erases : selects)(now.filter);
    const selection = !list.all ? { ids: picked.map(row => row.interchangeId) } : Object.keys(filter).length ? { filter } : { all: true };
    const job = await actOnMany(action, flow ?? { flow: name }, selection, ctx);
    if (!job) return;
    list.clear();
    work.add(job);
    jobs.focus();
  }
}
