// Elements without markup: nothing parses a string as HTML. `h` builds, `render` changes only what differs. (README: dom.js)

const PROPS = Symbol('props');
const PROPERTIES = new Set(['value', 'checked', 'indeterminate']);

/** h('p.note', { onclick }, child, [children]); a div needs no name, props may be left out. */
export function h(name, props, ...children) {
  const [tag, ...classes] = name.split('.');
  if (typeof props !== 'object' || Array.isArray(props) || props instanceof Node) {
    children.unshift(props);
    props = null;
  }
  const el = document.createElement(tag || 'div');
  el.append(...nodes(children));
  el[PROPS] = {};
  apply(el, classes.length ? { ...props, class: [...classes, props?.class ?? ''].join(' ').trim() } : props ?? {});
  return el;
}

export function render(parent, ...children) {
  patchChildren(parent, nodes(children));
  return parent;
}

// What cannot be seen or moves what is seen: controls, format and direction marks, separators, fillers, halves of pairs.
const HIDDEN = /((?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0])/u;

/** Text in turns: as it is, the symbol of a hidden character, as it is, … */
export const runs = text => String(text).split(HIDDEN).map((run, i) => (i % 2 ? `⟨U+${run.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩` : run));
export const visible = text => runs(text).join('');

/** Text that came with a message: isolated, visible, short; all of it (nearly) in the title. */
export function said(text, props) {
  if (text == null || text === '') return null;
  const title = visible(String(text).slice(0, 4000));
  return h('bdi', { title, ...props }, title.length > 400 ? `${title.slice(0, 400)}…` : title);
}

/** Who did it: of an ARN the end says it. */
export const who = actor => said(String(actor).split('/').pop(), { title: visible(actor) });
/** `text` behind a sign, or nothing where there is no text. */
export const noted = (sign, text) => text && [sign, said(text)];

// What is not there keeps its place, so that what follows is not built again.
const nodes = children => children.flat(Infinity).map(child => {
  if (child == null || child === '' || typeof child === 'boolean') return document.createComment('');
  return child instanceof Node ? child : document.createTextNode(child);
});

function apply(el, next) {
  const was = el[PROPS];
  el[PROPS] = next;
  for (const name in { ...was, ...next }) {
    const value = next[name];
    if (name.startsWith('on')) {
      if (!(name in was)) el.addEventListener(name.slice(2), event => el[PROPS][name]?.(event));
    } else if (PROPERTIES.has(name)) {
      const typing = name === 'value' && el === document.activeElement && name in was;
      if (!typing && el[name] !== value) el[name] = value ?? '';
    } else if (value === was[name] || name === 'key') {
      continue;
    } else if (value == null || value === false) {
      el.removeAttribute(name);
    } else {
      el.setAttribute(name, value === true ? '' : value);
    }
  }
}

const keyOf = node => node?.[PROPS]?.key;

function patchChildren(parent, next) {
  const wanted = new Set(next.map(keyOf));
  const keyed = new Map();
  for (const child of [...parent.childNodes]) {
    const key = keyOf(child);
    if (key == null) continue;
    if (wanted.has(key)) keyed.set(key, child);
    else child.remove();
  }
  let at = parent.firstChild;
  for (const node of next) {
    const key = keyOf(node);
    const old = key != null ? keyed.get(key) : keyOf(at) == null ? at : null;
    if (old?.nodeName === node.nodeName) {
      if (old === at) at = at.nextSibling;
      else parent.insertBefore(old, at);
      if (old !== node) patch(old, node);
    } else if (old && old === at) {
      at = at.nextSibling;
      old.replaceWith(node);
    } else {
      parent.insertBefore(node, at);
    }
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

function patch(old, node) {
  if (!old.tagName) {
    if (old.data !== node.data) old.data = node.data;
    return;
  }
  patchChildren(old, [...node.childNodes]);
  old[PROPS] ??= {};
  apply(old, node[PROPS] ?? {});
}
