// One page of a flow's messages and what is ticked of it. However long the walk, one page is in memory: Next and Previous go by the
// API's cursors.

import { isFailed } from './act.js';
import { api, path } from './api.js';
import { STATUSES } from './format.js';
import { live } from './live.js';

const ENDED = { completed: true, deleted: true, erased: true };
const ticked = new Map(); // by flow, so that a look at one message loses nothing
const idOf = row => row.interchangeId;
const byId = rows => new Map(rows.map(row => [idOf(row), row]));

export function messageList(flow, ctx, draw) {
  const to = path('flows', flow, 'interchanges'), kept = ticked.get(flow);
  let view, loading, anchor;
  const list = { rows: [], picked: kept?.picked ?? new Map(), has, tickable, show, reload, turn, toggle, set, clear, everything, changed };

  const ask = (query, signal) => api.get(to, { signal, query: { ...view.filter, order: view.order, limit: view.limit, ...query } });
  const put = values => draw(Object.assign(list, values));

  /** Shows the page that the address names. */
  function show(next) {
    if ((view ?? kept ?? next).key !== next.key) clear();
    view = next;
    ticked.set(flow, { key: view.key, picked: list.picked });
    return reload();
  }

  async function reload() {
    loading?.abort();
    loading = new AbortController();
    put({ busy: true, failure: null });
    try {
      const { items, cursor } = await ask({ cursor: view.cursor }, AbortSignal.any([ctx.signal, loading.signal]));
      put({ busy: false, rows: items, next: cursor, from: (view.page - 1) * view.limit, fresh: 0, moved: 0, loaded: true });
    } catch (failure) {
      put({ busy: false, failure });
    }
  }

  list.refresh = live(async signal => {
    const asked = view;
    const other = () => asked !== view || list.busy || list.failure;
    if (!view || other()) return;
    const { items, cursor } = await ask({ cursor: view.cursor }, signal);
    const now = byId(items), known = byId(list.rows);
    const left = list.rows.filter(row => !now.has(idOf(row)) && !row.gone && !row.unreadable && !ENDED[row.status]);
    const became = left.length ? await whatBecame(left, signal) : now;
    if (other()) return;
    const rows = list.rows.map(row => now.get(idOf(row)) ?? { ...(became.get(idOf(row)) ?? { ...row, gone: !ENDED[row.status] }), settled: true });
    for (const row of rows) if (!tickable(row)) list.picked.delete(idOf(row));
    put({
      rows: known.size ? rows : items, // an empty page has nothing that could jump
      next: cursor,
      fresh: known.size && view.order === 'newest' && !view.cursor ? items.filter(row => !known.has(idOf(row))).length : 0,
      moved: rows.filter(row => row.settled).length,
    });
  }, { signal: ctx.signal, every: 6000 }).now;

  /** Rows that left the view, found again by the time they span: one question for a page. */
  async function whatBecame(rows, signal) {
    const times = rows.map(row => Date.parse(row.failedAt));
    const span = { from: new Date(Math.min(...times)).toISOString(), to: new Date(Math.max(...times) + 1000).toISOString() };
    return byId((await ask({ ...span, status: STATUSES.join(), limit: 200 }, signal)).items);
  }

  function turn(by) {
    const stack = history.state?.stack ?? [], cursor = by > 0 ? list.next : stack.at(-1);
    if (list.busy || (by > 0 ? !cursor : !view.cursor)) return;
    const query = new URLSearchParams(location.search);
    query.delete('cursor');
    query.delete('page');
    if (cursor) {
      query.set('cursor', cursor);
      query.set('page', view.page + by);
    }
    ctx.navigate(`?${query}`, { state: { stack: by > 0 ? [...stack, view.cursor] : stack.slice(0, -1) } });
  }

  /** Only what failed can be sent back or deleted; who may erase can tick whatever is not erased yet. */
  function tickable(row) {
    return !row.settled && !row.unreadable && (isFailed(row) || (ctx.can('erase') && row.status !== 'erased'));
  }

  function has(row) {
    return tickable(row) && (list.all || list.picked.has(idOf(row)));
  }

  function toggle(id, range) {
    const at = list.rows.findIndex(row => idOf(row) === id);
    if (at < 0) return;
    const from = range ? list.rows.findIndex(row => idOf(row) === anchor) : -1;
    anchor = id;
    set(from < 0 ? [list.rows[at]] : list.rows.slice(Math.min(at, from), Math.max(at, from) + 1), !has(list.rows[at]));
  }

  function set(rows, on) {
    if (list.all) for (const row of list.rows.filter(tickable)) list.picked.set(idOf(row), row);
    for (const row of rows.filter(tickable)) {
      if (on) list.picked.set(idOf(row), row);
      else list.picked.delete(idOf(row));
    }
    put({ all: false });
  }

  function clear() {
    list.picked.clear();
    put({ all: false });
  }

  function everything() {
    list.picked.clear();
    put({ all: true });
  }

  /** The answer of an action, before the next look. */
  function changed(interchange) {
    list.picked.delete(interchange.interchangeId);
    put({ rows: list.rows.map(row => (idOf(row) === interchange.interchangeId ? { ...interchange, settled: true } : row)) });
  }

  return list;
}
