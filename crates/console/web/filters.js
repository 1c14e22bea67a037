// A view of a flow's messages as it stands in the address, so that it can be shared, and the bar that changes it.

import { h, render, said } from './dom.js';
import { STATUSES, choices, titled } from './format.js';
import { button, select } from './ui.js';

const TEXTS = { sender: 'Sender', receiver: 'Receiver', origin: 'Origin', sourceId: 'Source id' };
const PHASES = ['processing', 'delivery'];
const CATEGORIES = ['system', 'business', 'mapping', 'validation', 'no_outcome', 'unknown'];
const NAMES = { message: 'Message contains', status: 'Status', from: 'From', to: 'Before', ...TEXTS, phase: 'Phase', category: 'Category', group: 'Group', job: 'Job' };
const SPANS = { 1: 'Last hour', 24: 'Last 24 hours', 168: 'Last 7 days' };
const HOUR = 3_600_000;

/** What the address names: `filter` has the API's names, `key` tells one list from another. */
export function view(query) {
  const given = Object.keys(NAMES).filter(name => query.get(name));
  const filter = Object.fromEntries(given.map(name => [name, query.get(name)]));
  if (filter.status === 'all') filter.status = STATUSES.join();
  const order = query.get('order') ?? 'newest', limit = Number(query.get('limit')) || 50;
  return { filter, order, limit, cursor: query.get('cursor') ?? '', page: Number(query.get('page')) || 1, key: JSON.stringify([filter, order, limit]) };
}

/** The part of a filter that a job may act on: only what failed; null when that is nothing. */
export function selects({ status, ...rest }) {
  const wanted = status?.split(',').filter(word => /^(partially_)?failed$/.test(word));
  if (!wanted || wanted.length === 2) return rest;
  return wanted.length ? { ...rest, status: wanted } : null;
}

/** What an erasure acts on: what the list shows and is not erased yet. It names statuses always, as without them a job erases every status. */
export function erases({ status = 'failed,partially_failed', ...rest }) {
  const wanted = status.split(',').filter(word => word !== 'erased');
  return wanted.length ? { ...rest, status: wanted } : null;
}

export function filterBar(root, ctx, groups) {
  let query, timer, mine; // the query that this bar asked for
  let typed; // the field that is typed in: its first change is a step of the history, the others replace it

  function change(values, replace) {
    const next = new URLSearchParams(query);
    for (const name in { ...values, cursor: '', page: '' }) {
      if (values[name]) next.set(name, values[name]);
      else next.delete(name);
    }
    mine = `${next}`;
    if (mine !== `${query}`) ctx.navigate(`?${next}`, { replace });
  }

  function text(name, label, props) {
    const settle = event => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        change({ [name]: event.target.value.trim() }, typed === name);
        typed = name;
      }, event.type === 'change' ? 0 : 350);
    };
    return h('input', { type: 'search', maxlength: 256, value: query.get(name) ?? '', 'aria-label': label, oninput: settle, onchange: settle, onblur: () => { typed = null; }, ...props });
  }
  const pick = (name, label, options) => select(label, options, query.get(name) ?? '', value => change({ [name]: value }));
  const field = (label, control) => h('label.field', label, control);
  const moment = (name, label) => field(label, h('input', { type: 'datetime-local', value: local(query.get(name)),
    onchange: ({ target }) => change({ [name]: target.value && new Date(target.value).toISOString() }) }));

  function draw(now) {
    // Back and Forward change even the field that is typed in.
    if (`${now}` !== `${query}` && `${now}` !== mine && root.contains(document.activeElement)) document.activeElement.blur();
    query = now;
    const status = query.get('status') ?? '', between = query.has('from') || query.has('to');
    render(root,
      h('.row', text('message', 'Search error messages', { class: 'find grow', placeholder: 'Error message contains…  ( / )' }),
        pick('status', 'Status', { '': 'Failed, all or in part', all: 'Every status', ...choices(STATUSES), ...(status.includes(',') && { [status]: 'Several' }) }),
        select('Time', { '': 'Any time', ...SPANS, ...(between && { set: 'As set below' }) }, between ? 'set' : '',
          hours => change({ from: hours && new Date(Date.now() - hours * HOUR).toISOString(), to: '' }))),
      h('details.more', h('summary', 'More filters'), h('.fields',
        Object.entries(TEXTS).map(([name, label]) => field(label, text(name, label, { placeholder: 'exactly' }))),
        field('Phase', pick('phase', 'Phase', { '': 'Any', ...choices(PHASES) })), field('Category', pick('category', 'Category', { '': 'Any', ...choices(CATEGORIES) })),
        moment('from', 'Failed from'), moment('to', 'Failed before'))),
      chips(Object.keys(NAMES).filter(name => query.get(name))));
  }

  function chips(set) {
    const words = (name, raw) => ({
      group: groups()?.find(({ fingerprint }) => fingerprint === raw)?.message, from: new Date(raw).toLocaleString(), to: new Date(raw).toLocaleString(),
    }[name] ?? (/status|phase|category/.test(name) ? titled(raw) : raw));
    return set.length > 0 && h('ul.row.chips', { 'aria-label': 'Filters in use' },
      set.map(name => h('li', { key: name }, button([h('span.unseen', 'Remove filter '), `${NAMES[name]}: `, said(words(name, query.get(name)), { class: 'clip' }), ' ×'], () => change({ [name]: '' }), '.small.chip'))),
      h('li', h('a', { href: location.pathname }, 'Clear filters')));
  }

  return { draw, change };
}

/** A time of the API as a datetime-local input has it. */
function local(iso) {
  const at = new Date(iso ?? NaN);
  return Number.isNaN(+at) ? '' : new Date(at - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
