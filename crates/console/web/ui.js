// Shared pieces: dialogs, toasts, announcements, placeholders, small controls. (README: ui.js)

import { h, said } from './dom.js';

/** Reads a text out, and shows nothing. */
export function announce(text) {
  const region = document.getElementById('said');
  region.textContent = '';
  requestAnimationFrame(() => { region.textContent = text; });
}

/** A result: read out, shown for a while (longer while pointed at), never takes the focus. */
export function toast(text, { bad } = {}) {
  const box = document.getElementById('toasts');
  const el = h('div.toast', { class: bad ? 'bad' : '' }, said(text), h('button.plain', { 'aria-label': 'Dismiss', onclick: () => el.remove() }, '×'));
  let timer;
  const wait = (ms) => { timer = setTimeout(() => el.remove(), ms); };
  el.addEventListener('pointerenter', () => clearTimeout(timer));
  el.addEventListener('pointerleave', () => wait(3000));
  wait(9000);
  box.append(el);
  if (box.children.length > 4) box.firstChild.remove();
}

/** A modal dialog with what `build(close, dialog)` gives; resolves with what close(value, focus) was given, undefined after Escape.
 * `close.busy(true)` keeps it open. */
export function openDialog(label, build, { signal } = {}) {
  return new Promise((resolve) => {
    let after = document.activeElement;
    const dialog = h('dialog', { 'aria-label': label });
    let value;
    let busy;
    const close = (result, focus = after) => {
      value = result;
      after = focus;
      dialog.close();
    };
    close.busy = (now) => { busy = now; };
    dialog.append(build(close, dialog));
    dialog.addEventListener('cancel', (event) => { if (busy) event.preventDefault(); });
    dialog.addEventListener('close', () => {
      dialog.remove();
      after?.focus();
      resolve(value);
    });
    signal?.addEventListener('abort', () => dialog.close());
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector('[autofocus]')?.focus();
  });
}

/** A question that is answered by one button; resolves with true or undefined. */
export const confirm = (title, text, yes, no = 'Not now', ctx, act) => openDialog(title, (close) => h('form', { method: 'dialog' }, h('h2', title), h('p', text),
  h('div.buttons', h('button', { type: 'button', autofocus: !act, onclick: () => close() }, no),
    h('button.primary', { type: 'button', autofocus: Boolean(act), onclick: () => (act ?? close)(true) }, yes))), ctx);

export const skeleton = (lines = 3) => h('div.skeleton', { 'aria-hidden': 'true' }, Array.from({ length: lines }, () => h('i')));
export const empty = (title, ...text) => h('div.empty', h('h2', title), text.map((line) => h('p', line)));

/** A select with its words by value. */
export const select = (label, options, value, choose) => h('select', { 'aria-label': label, value, onchange: (event) => choose(event.target.value) },
  Object.entries(options).map(([key, words]) => h('option', { value: key, selected: key === value }, words)));

/** A text that is to be copied. */
export function copyable(text) {
  const copy = () => navigator.clipboard.writeText(text).then(() => announce('Copied'), () => announce('The browser does not allow copying'));
  return h('span.copyable', h('code', said(text)), h('button.plain', { type: 'button', onclick: copy }, 'Copy'));
}

/** sessionStorage, where the browser gives any: stored(name) reads, stored(name, text) writes, stored(name, null) forgets. */
export function stored(name, text) {
  try {
    if (text === undefined) return sessionStorage.getItem(name);
    if (text === null) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, text);
  } catch { /* then it is kept by this page alone */ }
  return null;
}
