// The table of messages and the page's keys. Rows never jump: one that left the view stays where it is, faded, with what became of it.

import { path } from './api.js';
import { h, said } from './dom.js';
import { number, status, time } from './format.js';
import { openDialog } from './ui.js';

const COLUMNS = { at: 'Failed', source: 'Source id', partner: 'Partner', origin: 'Origin', message: 'Message', tries: 'Tries', next: 'Next retry', state: 'Status' };
const KEYS = { 'j / k': 'next / previous message', Enter: 'open it', x: 'tick it', 'Shift + x': 'tick up to it', 'n / p': 'next / previous page', '/': 'search', Esc: 'untick all', '?': 'this list' };

export function rowsTable(list, ticks) {
  const able = list.rows.filter(list.tickable), some = able.some(list.has), whole = some && able.every(list.has);
  return h('table.cards.msgs', { 'aria-busy': list.busy && 'true' }, h('caption.unseen', 'Messages'),
    h('thead', h('tr', ticks && h('th.tick', h('input', { type: 'checkbox', 'aria-label': 'Tick all on this page', checked: whole, indeterminate: some && !whole, disabled: !able.length, onchange: () => list.set(list.rows, !whole) })),
      Object.entries(COLUMNS).map(([name, label]) => h('th', { scope: 'col', class: name }, label)))),
    h('tbody', list.rows.map(row => tr(row, list, ticks))));
}

const unreadable = ({ interchangeId: id }, ticks) => h('tr', { key: id, 'data-interchange-id': id }, ticks && h('td.tick'),
  h('td', { colspan: Object.keys(COLUMNS).length }, h('div', h('a.open', { href: path('console', 'interchanges', id) }, said(id)), h('span.quiet', ' was stored by another release and cannot be read by this one'))));

function tr(row, list, ticks) {
  if (row.unreadable) return unreadable(row, ticks);
  const { interchangeId: id, sourceId, sender, receiver, error } = row;
  const picked = list.has(row), name = sourceId ?? id;
  const text = (value, cls = '') => said(value, { class: `clip ${cls}` });
  const cells = {
    at: time(row.failedAt),
    source: [h('a.open', { href: path('console', 'interchanges', id) }, text(name)), name !== id && text(id, 'quiet under')],
    partner: text(row.partner ?? [sender, receiver].filter(Boolean).join(' → ')),
    origin: text(row.origin),
    message: text(error?.message ?? error?.code ?? (row.status === 'erased' ? 'erased' : 'no message')),
    tries: number(row.tries),
    next: row.nextRetryAt ? time(row.nextRetryAt) : h('span.quiet', row.exhausted ? 'exhausted' : '–'),
    state: row.gone ? h('span.quiet', 'Changed since') : status(row.status),
  };
  return h('tr', { key: id, class: `${picked ? 'picked' : ''} ${row.settled ? 'settled' : ''}`, 'data-interchange-id': id },
    ticks && h('td.tick', h('input', { type: 'checkbox', 'aria-label': `Tick ${name}`, checked: picked, disabled: !list.tickable(row), onclick: ({ shiftKey }) => list.toggle(id, shiftKey) })),
    Object.entries(cells).map(([column, cell]) => h('td', { class: column, 'data-label': COLUMNS[column] }, h('div', cell))));
}

/** '/' goes to the search of a page; with a list there are more. Gives the function that shows the keys. */
export function onKeys(root, ctx, list) {
  const current = () => document.activeElement.closest('tr')?.dataset.interchangeId;
  const step = by => () => {
    const links = root.querySelectorAll('a.open'), at = list.rows.findIndex(row => row.interchangeId === current());
    links[at < 0 ? 0 : Math.min(Math.max(at + by, 0), links.length - 1)]?.focus();
  };
  const help = () => openDialog('Keys', () => h('form', { method: 'dialog' }, h('h2', 'Keys'),
    h('dl.keys', Object.entries(KEYS).map(([key, does]) => [h('dt', h('kbd', key)), h('dd', does)])), h('.buttons', h('button', { autofocus: true }, 'Close'))), ctx);
  const keys = {
    '/': () => root.querySelector('.find').focus(),
    ...(list && { j: step(1), k: step(-1), n: () => list.turn(1), p: () => list.turn(-1), x: ({ shiftKey }) => list.toggle(current(), shiftKey), '?': help, Escape: list.clear }),
  };
  document.addEventListener('keydown', event => {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog')) return;
    if (target.matches('textarea, select, input:not([type=checkbox])')) return key === 'Escape' && target.blur();
    const does = keys[key.length === 1 ? key.toLowerCase() : key];
    if (!does) return;
    event.preventDefault();
    does(event);
  }, { signal: ctx.signal });
  return help;
}
