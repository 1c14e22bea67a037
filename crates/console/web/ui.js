// Shared pieces: dialogs, toasts, placeholders, small controls. (README: ui.js)

import { h, said } from './dom.js';

/** A button that sends no form; `look` is its classes. */
export const button = (text, onclick, look = '', props) => h(`button${look}`, { type: 'button', onclick, ...props }, text);
/** A card under its heading. */
export const card = (title, ...content) => h('section.card.inner', { 'aria-label': title }, h('h2', title), content);

/** A result: read out, shown for a while (longer while pointed at), never takes the focus. */
export function toast(text, { bad } = {}) {
  const box = document.getElementById('toasts');
  const el = h('.toast', { class: bad ? 'bad' : '' }, said(text), button('×', () => el.remove(), '.plain', { 'aria-label': 'Dismiss' }));
  let timer;
  const wait = ms => { timer = setTimeout(() => el.remove(), ms); };
  el.addEventListener('pointerenter', () => clearTimeout(timer));
  el.addEventListener('pointerleave', () => wait(3000));
  wait(9000);
  box.append(el);
  if (box.children.length > 4) box.firstChild.remove();
}

/** A modal dialog with what `build(close, dialog)` gives; resolves with what close(value, focus) was given, undefined after Escape.
 * `close.busy(true)` keeps it open. */
export function openDialog(label, build, { signal } = {}) {
  return new Promise(resolve => {
    let after = document.activeElement;
    const dialog = h('dialog', { 'aria-label': label });
    let value;
    let busy;
    const close = (result, focus = after) => {
      value = result;
      after = focus;
      dialog.close();
    };
    close.busy = now => { busy = now; };
    dialog.append(build(close, dialog));
    dialog.addEventListener('cancel', event => { if (busy) event.preventDefault(); });
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
export const confirm = (title, text, yes, no = 'Not now', ctx, act) => openDialog(title, close => h('form', { method: 'dialog' }, h('h2', title), h('p', text),
  h('.buttons', button(no, () => close(), '', { autofocus: !act }), button(yes, () => (act ?? close)(true), '.primary', { autofocus: act != null }))), ctx);

export const skeleton = (lines = 3) => h('.skeleton', { 'aria-hidden': 'true' }, Array.from({ length: lines }, () => h('i')));
export const empty = (title, ...text) => h('.empty', h('h2', title), text.map(line => h('p', line)));

/** A select with its words by value. */
export const select = (label, options, value, choose) => h('select', { 'aria-label': label, value, onchange: event => choose(event.target.value) },
  Object.entries(options).map(([key, words]) => h('option', { value: key, selected: key === value }, words)));

/** A check box with its words. */
export const tick = (text, checked, change, props) => h('label.tick', h('input', { ...props, type: 'checkbox', checked, onchange: ({ target }) => change(target.checked) }), ' ', text);

/** A text that is to be copied. */
export function copyable(text) {
  const copy = () => navigator.clipboard.writeText(text).then(() => toast('Copied.'), () => toast('The browser does not allow copying.', { bad: true }));
  return h('span.copyable', h('code', said(text)), button('Copy', copy, '.plain'));
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
