// One side's payload: fetched when it comes into view. Its content only becomes text nodes, a screenful at a time, and what was drawn stays
// (scroll, selection) until another view is chosen.

import { api, isAbort, path } from './api.js';
import { h, render, runs, said } from './dom.js';
import { bytes as size, number } from './format.js';
import { problem } from './messages.js';
import { copyable, select, skeleton } from './ui.js';
import { PAGES, decode, recognise } from './payload-decode.js';
import { kindOf, layOut, plain } from './payload-layout.js';
import { hexRows, textRows } from './payload-rows.js';

const KINDS = { edifact: ['EDIFACT', 'edi'], x12: ['X12', 'x12'], tradacoms: ['TRADACOMS', 'edi'], xml: ['XML', 'xml'], json: ['JSON', 'json'], text: ['text', 'txt'] };
const MODES = { laid: 'Laid out', raw: 'As it is', hex: 'Hex' };
const ABOUT = {
  sender: ['Sender payload', 'as it came in', 'only the mapped message was reported'],
  receiver: ['Receiver payload', 'as it is to be delivered', 'nothing was mapped yet'],
};

// `{ el, update(interchange), show(revision) }`; `el` is one element for the life of the page.
export function payloadPanel(id, side, signal) {
  const [title, means, none] = ABOUT[side];
  const view = h('div.rows', { key: 'rows', role: 'region', tabindex: '0', 'aria-label': `Content of the ${side} payload` });
  const el = h('section.card.inner.payload', { key: side, 'aria-label': title });
  let meta, status, chosen, page, inView, failure, read, mode = 'laid', rows = [], drawn = 0;

  const seen = new IntersectionObserver(([entry]) => {
    if (!entry.isIntersecting) return;
    inView = true;
    seen.disconnect();
    open();
  });
  seen.observe(el);
  signal.addEventListener('abort', () => seen.disconnect());
  view.addEventListener('scroll', () => { if (view.scrollTop + view.clientHeight > view.scrollHeight - 400) more(); }, { passive: true });

  async function open() {
    failure = null;
    tools();
    if (!meta || !inView) return;
    const wanted = chosen ??= meta.revision;
    try {
      if (read?.revision !== wanted) {
        const answer = await api.get(path('interchanges', id, 'payloads', side), { query: { revision: wanted }, raw: true, signal });
        const bytes = new Uint8Array(await answer.arrayBuffer());
        if (wanted !== chosen) return;
        read = { revision: wanted, bytes };
      }
      draw();
    } catch (error) {
      if (isAbort(error)) return;
      failure = error;
    }
    tools();
  }

  function draw() {
    const { bytes } = read, found = recognise(bytes), by = page || found.page, text = by ? decode(bytes, by) : '', kind = kindOf(text);
    if (!by) mode = 'hex';
    read = { ...read, page: by, kind, bom: by === found.page && found.bom, claim: /^\{"ref":"(s3:\/\/[^"]+)"\}$/.exec(text)?.[1], broken: text.includes('\ufffd') };
    rows = mode === 'hex' ? hexRows(bytes, view.clientWidth < 560 ? 8 : 16) : textRows(mode === 'laid' ? layOut(text, kind) : plain(text));
    view.classList.toggle('hex', mode === 'hex');
    view.replaceChildren();
    view.scrollTop = drawn = 0;
    more();
  }

  function more() {
    const chunk = h('div.chunk');
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

  const turn = (change) => (value) => {
    change(value);
    open();
  };

  function tools() {
    const all = meta?.revisions ?? [], facts = all.find(({ revision }) => revision === chosen) ?? meta;
    const heading = h('div.row', h('h2', title), h('span.quiet', means));
    if (!meta) return render(el, heading, h('p.quiet', status === 'deleted' ? 'It was removed when the message was deleted.' : `There is none: ${none}.`));
    const known = read && (read.page ? `${KINDS[read.kind][0]}, ${PAGES[read.page] ?? read.page}${read.bom ? ' with BOM' : ''}` : 'no text');
    render(el, heading, h('p.quiet', size(facts.bytes), facts.contentType ? [' · ', said(facts.contentType)] : null, known ? ` · ${known}` : null),
      h('div.row.tools', h('fieldset.row', h('legend.unseen', `View of the ${side} payload`), Object.entries(MODES).map(([value, label]) => h('label',
        h('input', { type: 'radio', name: side, value, checked: mode === value, onchange: turn(() => { mode = value; }) }), label))),
      select('Code page', { '': 'Code page as recognised', ...PAGES }, page ?? '', turn((value) => {
        page = value;
        if (page && mode === 'hex') mode = 'laid';
      })),
      all.length > 1 ? select('Revision', Object.fromEntries(all.map(({ revision }) => [revision, `Revision ${revision}`])), String(facts.revision),
        turn((value) => { chosen = Number(value); })) : null,
      read ? h('button.small', { type: 'button', onclick: download }, 'Download') : null),
      read?.claim ? h('p.note', 'A claim check: the message lies at ', h('code', said(read.claim)),
        ' and is not opened here. The pipeline gets this reference back as it is.') : null,
      read?.broken && mode !== 'hex' ? h('p.note', 'Bytes that are not valid in this code page stand as �.') : null,
      failure ? problem(failure, open) : read ? null : skeleton(5), read ? view : null,
      drawn < rows.length ? h('p', h('button.small', { type: 'button', onclick: more }, 'Show more'), ` ${number(drawn)} of ${number(rows.length)} rows`) : null,
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
      const next = interchange.payloads?.[side], same = JSON.stringify(next) === JSON.stringify(meta);
      meta = next;
      ({ status } = interchange);
      (read || same ? tools : open)();
    },
    show(revision) {
      inView = true;
      chosen = revision;
      el.scrollIntoView();
      view.focus({ preventScroll: true });
      open();
    },
  };
}

function drawRow({ number, depth, parts }) {
  const row = h('div', { 'data-n': number ?? '' });
  row.style.setProperty('--depth', Math.min(depth, 24));
  for (const [text, mark] of parts) row.append(...runs(text).map((run, i) => (i % 2 ? h('i', run) : mark ? h('b', run) : run)));
  return row;
}
