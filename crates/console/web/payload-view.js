// One side's payload. Its content only becomes text nodes, a screenful at a time, and what was drawn stays
// (scroll, selection) until another view is chosen.

import { api, path } from './api.js';
import { h, noted, render, runs, said } from './dom.js';
import { isRemoved, number, plural, bytes as size } from './format.js';
import { problem } from './messages.js';
import { button, copyable, select, skeleton, tick } from './ui.js';
import { PAGES, decode, recognise } from './payload-decode.js';
import { kindOf, layOut, plain } from './payload-layout.js';
import { compared, hexRows, textRows } from './payload-rows.js';

const KINDS = { edifact: ['EDIFACT', 'edi'], x12: ['X12', 'x12'], tradacoms: ['TRADACOMS', 'edi'], xml: ['XML', 'xml'], json: ['JSON', 'json'], text: ['text', 'txt'] };
const MODES = { laid: 'Laid out', raw: 'As it is', hex: 'Hex' };
const SIGNS = { ins: '+ ', del: '−' }; // for people who do not see the colours
const ABOUT = {
  sender: ['Sender payload', 'as it came in', 'only the mapped message was reported'],
  receiver: ['Receiver payload', 'as it is to be delivered', 'nothing was mapped yet'],
};

// `{ el, update(interchange), show(revision) }`; `el` is one element for the life of the page.
export function payloadPanel(id, side, signal) {
  const [title, means, none] = ABOUT[side];
  const view = h('.rows', { key: 'rows', role: 'region', tabindex: '0', 'aria-label': `Content of the ${side} payload` });
  const el = h('section.card.inner.payload', { key: side, 'aria-label': title });
  const bytesOf = new Map(); // by revision
  let meta, status, chosen, page, failure, read, comparing, mode = 'laid', rows = [], drawn = 0;

  view.addEventListener('scroll', () => { if (view.scrollTop + view.clientHeight > view.scrollHeight - 400) more(); }, { passive: true });

  async function open() {
    failure = null;
    tools();
    if (!meta || isRemoved(status)) return;
    const wanted = chosen ??= meta.revision;
    try {
      const bytes = await fetched(wanted), revision = comparing && earlier(), before = revision && await fetched(revision);
      if (wanted !== chosen) return;
      read = { revision: wanted, bytes, before };
      draw();
    } catch (error) {
      failure = error;
    }
    tools();
  }

  async function fetched(revision) {
    if (!bytesOf.has(revision)) {
      const answer = await api.get(path('interchanges', id, 'payloads', side), { query: { revision }, raw: true, signal });
      bytesOf.set(revision, new Uint8Array(answer));
    }
    return bytesOf.get(revision);
  }

  /** What was shown of it goes too. */
  function forget() {
    bytesOf.clear();
    view.replaceChildren();
    read = chosen = failure = undefined;
    rows = [];
    drawn = 0;
  }

  const earlier = () => meta?.revisions?.findLast(({ revision }) => revision < chosen)?.revision;

  function draw() {
    const { bytes, before } = read, found = recognise(bytes), by = page || found.page, text = by ? decode(bytes, by) : '', kind = kindOf(text);
    if (!by) mode = 'hex';
    const lines = mode === 'laid' ? layOut : plain, all = before ? compared(lines(decode(before, by)), lines(text)) : lines(text);
    const count = word => all.filter(({ change }) => change === word).length;
    read = { ...read, page: by, changes: before && `${plural(count('ins'), 'row')} new, ${number(count('del'))} gone.`, kind, bom: by === found.page && found.bom, claim: /^\{"ref":"(s3:\/\/[^"]+)"\}$/.exec(text)?.[1], broken: text.includes('\ufffd') };
    rows = mode === 'hex' ? hexRows(bytes, view.clientWidth < 560 ? 8 : 16) : textRows(all);
    view.classList.toggle('hex', mode === 'hex');
    view.replaceChildren();
    view.scrollTop = drawn = 0;
    more();
    if (before) toFirstChange();
  }

  function more() {
    const chunk = h('.chunk');
    let room = 60_000;
    for (const row of rows.slice(drawn, drawn + 300)) {
      if (room < 0) break;
      chunk.append(drawRow(row));
      for (const [text] of row.parts) room -= text.length;
      drawn++;
    }
    if (chunk.firstChild) view.append(chunk);
    tools();
  }

  // Changes lie where they lie: the first one is shown, with a little of what stands before it.
  function toFirstChange() {
    const first = rows.findIndex?.(({ change }) => change);
    while (drawn <= first) more();
    const row = view.querySelector('ins, del');
    if (row) view.scrollTop += row.getBoundingClientRect().top - view.getBoundingClientRect().top - 60;
  }

  const turn = change => value => {
    change(value);
    open();
  };

  function tools() {
    const all = meta?.revisions ?? [], facts = all.find(({ revision }) => revision === chosen) ?? meta, before = earlier();
    const heading = h('.row', h('h2', title), h('span.quiet', means));
    if (isRemoved(status)) return render(el, heading, h('p.quiet', `It was removed when the message was ${status}.`), meta && h('p.quiet', `${size(meta.bytes)} · SHA-256 `, copyable(meta.sha256)));
    if (!meta) return render(el, heading, h('p.quiet', `There is none: ${none}.`));
    const known = read && (read.page ? `${KINDS[read.kind][0]}, ${PAGES[read.page] ?? read.page}${read.bom ? ' with BOM' : ''}` : 'no text');
    render(el, heading, h('p.quiet', size(facts.bytes), noted(' · ', facts.contentType), known && ` · ${known}`),
      h('.row.tools', h('fieldset.row', h('legend.unseen', `View of the ${side} payload`), Object.entries(MODES).map(([value, label]) => h('label',
        h('input', { type: 'radio', name: side, value, checked: mode === value, onchange: turn(() => { mode = value; }) }), label))),
      select('Code page', { '': 'Code page as recognised', ...PAGES }, page ?? '', turn(value => {
        page = value;
        if (page && mode === 'hex') mode = 'laid';
      })),
      all.length > 1 && select('Revision', Object.fromEntries(all.map(({ revision }) => [revision, `Revision ${revision}`])), String(facts.revision),
        turn(value => { chosen = Number(value); })),
      before && tick(`Changes since revision ${before}`, comparing, turn(on => { comparing = on; })),
      read && button('Download', download, '.small')),
      read?.claim && h('p.note', 'A claim check: the message lies at ', h('code', said(read.claim)), '. The pipeline gets this reference back as it is.'),
      read?.broken && mode !== 'hex' && h('p.note', 'Bytes that are not valid in this code page stand as �.'),
      read?.changes && mode !== 'hex' && h('p.hint', read.changes),
      failure ? problem(failure, open) : !read && skeleton(5), read && view,
      drawn < rows.length && h('p', button('Show more', more, '.small'), ` ${number(drawn)} of ${number(rows.length)} rows`),
      h('p', h('span.quiet', 'SHA-256 '), copyable(facts.sha256)));
  }

  function download() {
    // Never under the message's own type: a browser must keep it, not show it.
    const href = URL.createObjectURL(new Blob([read.bytes], { type: 'application/octet-stream' }));
    h('a', { href, download: `${id.replace(/[^\w.-]/g, '_')}-${side}-${read.revision}.${read.page ? KINDS[read.kind][1] : 'bin'}` }).click();
    setTimeout(URL.revokeObjectURL, 10_000, href);
  }

  return {
    el,
    update(interchange) {
      const next = interchange.payloads?.[side], same = JSON.stringify(next) === JSON.stringify(meta), was = isRemoved(status);
      meta = next;
      ({ status } = interchange);
      if (isRemoved(status)) forget();
      (read || (same && !was) ? tools : open)();
    },
    show(revision) {
      chosen = revision;
      el.scrollIntoView();
      view.focus({ preventScroll: true });
      open();
    },
  };
}

function drawRow({ number, depth, parts, change = 'div' }) {
  const row = h(change, { 'data-n': `${SIGNS[change] ?? ''}${number ?? ''}` });
  row.style.setProperty('--depth', Math.min(depth, 24));
  for (const [text, mark] of parts) row.append(...runs(text).map((run, i) => (i % 2 ? h('i', run) : mark ? h('b', run) : run)));
  return row;
}
