// Entry: signs in, then shows the page that the address names. A page module exports `mount(root, params, ctx)`. (README: pages)

import { health } from './api.js';
import { auth } from './auth.js';
import { h, render, said } from './dom.js';
import { time } from './format.js';
import { announce } from './ui.js';

const ROUTES = [
  [/^\/console\/?$/, () => import('./flows.js')],
  [/^\/console\/flows\/(?<flow>[^/]+)\/?$/, () => import('./flow.js')],
  [/^\/console\/flows\/(?<flow>[^/]+)\/settings\/?$/, () => import('./settings.js')],
  [/^\/console\/interchanges\/(?<id>[^/]+)\/?$/, () => import('./interchange.js')],
];
const THEMES = { auto: ['light', '◐'], light: ['dark', '☀'], dark: ['auto', '☾'] };
const main = document.getElementById('main');
let page;

function navigate(href, { replace, state = null } = {}) {
  remember();
  history[replace ? 'replaceState' : 'pushState'](state, '', new URL(href, location.href).href.replace(/\?$/, ''));
  return show();
}

const remember = () => history.replaceState({ ...history.state, scroll: scrollY }, '');

async function show() {
  const query = new URLSearchParams(location.search);
  const at = location.pathname;
  if (page?.at === at && page.onQuery) return page.onQuery(query);
  page?.leave.abort();
  page?.unmount?.();
  const leave = new AbortController();
  const { signal } = leave;
  const here = { at, leave };
  const first = !page;
  page = here;
  const root = h('div.page');
  main.replaceChildren(root);
  try {
    const [pattern, load] = ROUTES.find(([known]) => known.test(at)) ?? [];
    if (!load) return lost(root, at);
    const params = Object.entries(pattern.exec(at).groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]);
    const { mount } = await load();
    if (signal.aborted) return;
    const mounting = mount(root, Object.fromEntries(params), { signal, query, navigate, crumbs, can: auth.can, onQuery: (fn) => { here.onQuery = fn; } });
    if (!first) focusHeading();
    here.unmount = await mounting;
    if (signal.aborted) here.unmount?.();
    else scrollTo(0, history.state?.scroll ?? 0);
  } catch (error) {
    if (!signal.aborted) broken(root, error);
  }
}

function focusHeading() {
  const heading = main.querySelector('h1') ?? main;
  heading.setAttribute('tabindex', '-1');
  heading.focus({ preventScroll: true });
}

function lost(root, at) {
  const out = at === '/console/signed-out';
  const title = out ? 'You are signed out' : 'There is no such page';
  crumbs([title]);
  render(root, h('h1', title), h('p', out ? h('button.primary', { onclick: () => auth.signIn('/console') }, 'Sign in') : h('a', { href: '/console' }, 'All flows')));
}

function broken(root, error) {
  crumbs(['Trouble']);
  render(root, h('h1', 'This page cannot be shown'), h('p', { role: 'alert' }, said(error.message)),
    h('p.row', h('button', { onclick: () => location.reload() }, 'Load again'), h('a', { href: '/console' }, 'All flows')));
}

function crumbs(...parts) {
  document.title = [...parts.map(([text]) => text).reverse(), 'Reprise'].join(' · ');
  render(document.getElementById('crumbs'), h('ol', parts.map(([text, href]) => h('li', h(href ? 'a' : 'span', href ? { href } : { 'aria-current': 'page' }, said(text))))));
}

function tools() {
  const { dataset } = document.documentElement;
  const theme = dataset.theme ?? 'auto';
  const [next, sign] = THEMES[theme];
  const turn = () => {
    dataset.theme = next;
    try {
      localStorage.setItem('reprise-theme', next);
    } catch { /* then it is chosen for this page alone */ }
    announce(`Colours: ${next}`);
    tools();
  };
  render(document.getElementById('tools'), auth.user && [said(auth.user, { class: 'user clip quiet' }), h('button.plain', { onclick: auth.signOut }, 'Sign out')],
    h('button.plain', { 'aria-label': `Colours: ${theme}`, onclick: turn }, sign));
}

health.addEventListener('change', () => {
  const text = { down: 'The API does not answer as it should since ', slow: 'The API answers slowly since ' }[health.state];
  render(document.getElementById('trouble'), text && h('p', text, time(health.since), '. It is tried again by itself; nothing typed is lost.'));
});
document.addEventListener('click', (event) => {
  const link = event.target.closest('a[href^="/console"]');
  if (!link || link.target || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  navigate(link.href);
});
addEventListener('popstate', show);
addEventListener('scrollend', remember);
history.scrollRestoration = 'manual';

try {
  if (await auth.start()) {
    tools();
    await show();
    // The next deployment takes this one's files away: a page that is open has all of them.
    for (const [, load] of ROUTES) load().catch(() => {});
  }
} catch (error) {
  broken(main, error);
}
