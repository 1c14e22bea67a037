// Entry: signs in, then shows the page that the address names. A page module exports `mount(root, params, ctx)`. (README: pages)

import { health } from './api.js';
import { auth } from './auth.js';
import { h, render, said } from './dom.js';
import { time } from './format.js';
import { button } from './ui.js';

const ROUTES = [
  [/^\/console\/?$/, () => import('./flows.js')],
  [/^\/console\/flows\/(?<flow>[^/]+)\/?$/, () => import('./flow.js')],
  [/^\/console\/flows\/(?<flow>[^/]+)\/settings\/?$/, () => import('./settings.js')],
  [/^\/console\/interchanges\/(?<id>[^/]+)\/?$/, () => import('./interchange.js')],
];
const main = document.getElementById('main');
let page;

function navigate(href, { replace, state = null } = {}) {
  remember();
  history[replace ? 'replaceState' : 'pushState'](state, '', new URL(href, location.href).href.replace(/\?$/, ''));
  return show();
}

const remember = () => history.replaceState({ ...history.state, scroll: scrollY }, '');

async function show() {
  const query = new URLSearchParams(location.search), at = location.pathname;
  if (page?.at === at && page.onQuery) return page.onQuery(query);
  page?.leave.abort();
  page?.unmount?.();
  const leave = new AbortController(), { signal } = leave, here = { at, leave }, first = !page;
  page = here;
  const root = h('.page');
  main.replaceChildren(root);
  try {
    const [pattern, load] = ROUTES.find(([known]) => known.test(at)) ?? [];
    if (!load) return lost(root, at);
    const params = Object.entries(pattern.exec(at).groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]);
    const { mount } = await load();
    if (signal.aborted) return;
    const mounting = mount(root, Object.fromEntries(params), { signal, query, navigate, crumbs, can: auth.can, onQuery: fn => { here.onQuery = fn; } });
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

function instead(root, title, ...content) {
  crumbs([title]);
  render(root, h('h1', title), h('p.row', content));
}

const overview = () => h('a', { href: '/console' }, 'All flows');

function lost(root, at) {
  if (at === '/console/signed-out') instead(root, 'You are signed out', button('Sign in', () => auth.signIn('/console'), '.primary'));
  else instead(root, 'There is no such page', overview());
}

function broken(root, error) {
  instead(root, 'This page cannot be shown', h('span', { role: 'alert' }, said(error.message)), button('Load again', () => location.reload()), overview());
}

function crumbs(...parts) {
  document.title = [...parts.map(([text]) => text).reverse(), 'Reprise'].join(' · ');
  render(document.getElementById('crumbs'), h('ol', parts.map(([text, href]) => h('li', h(href ? 'a' : 'span', href ? { href } : { 'aria-current': 'page' }, said(text))))));
}

health.addEventListener('change', () => {
  const text = { down: 'The API does not answer as it should since ', slow: 'The API answers slowly since ' }[health.state];
  render(document.getElementById('trouble'), text && h('p', text, time(health.since), '. It is tried again by itself; nothing typed is lost.'));
});
document.addEventListener('click', event => {
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
    render(document.getElementById('tools'), auth.user && [said(auth.user, { class: 'user clip quiet' }), button('Sign out', auth.signOut, '.plain')]);
    await show();
    // The next deployment takes this one's files away: a page that is open has all of them.
    for (const [, load] of ROUTES) load().catch(() => {});
  }
} catch (error) {
  broken(main, error);
}
