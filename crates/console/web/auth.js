// Sign-in: OpenID Connect's code flow with PKCE where /console/config.json names an issuer. Where it names none, nobody signs in here and
// everything is shown: the API decides all the same.

import { confirm, stored } from './ui.js';

const REDIRECT = `${location.origin}/console/signed-in`;
const OUT = `${location.origin}/console/signed-out`;
const channel = new BroadcastChannel('reprise-sign-in');
let config = {};
let issuer; // its discovery document
let tokens = JSON.parse(stored('tokens'));
let renewing;
let declined; // the token of a sign-in that was not renewed

export const auth = {
  get user() { return tokens?.user; },
  /** Whether the token has reprise/<word>; what is not allowed is not shown. */
  can: word => !config.issuer || Boolean(tokens?.scopes.includes(`reprise/${word}`)),

  /** True when the page may go on; otherwise the browser is on its way to the issuer. */
  async start() {
    config = await json(await fetch('/console/config.json', { cache: 'no-store' }));
    if (location.href.startsWith(REDIRECT)) await returned();
    if (!config.issuer || tokens || location.href.startsWith(OUT)) return true;
    return auth.signIn(location.pathname + location.search);
  },

  /** The bearer token, renewed when it is about to end; nothing without an issuer. */
  async token() {
    if (tokens?.refresh && tokens.until - Date.now() < 20_000) await auth.renew(tokens.access);
    return tokens?.access;
  },

  /** After a 401: by refresh token, else by a sign-in in a window beside the page, so that nothing typed is lost. Who would rather not is
   * asked again by an action, not by every look. */
  renew(old, method = 'GET') {
    if (!config.issuer || (declined === old && method === 'GET')) return false;
    if (tokens && tokens.access !== old) return true;
    renewing ??= refresh().catch(beside).catch(() => false).finally(() => { renewing = null; });
    return renewing;
  },

  async signIn(back) {
    const { url, pending } = await request();
    stored('sign-in', JSON.stringify({ ...pending, back }));
    location.assign(url);
  },

  async signOut() {
    const query = new URLSearchParams({ client_id: config.clientId, post_logout_redirect_uri: OUT, id_token_hint: tokens?.id ?? '' });
    keep(null);
    const { end_session_endpoint: end } = await discover().catch(() => ({}));
    location.assign(end ? `${end}?${query}` : OUT);
  },
};

function keep(next) {
  tokens = next;
  stored('tokens', next && JSON.stringify(next));
}

async function json(answer) {
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  throw refused(body.error_description ?? body.error ?? answer.status);
}

const refused = why => new Error(`The sign-in was refused: ${why}.`);
const discover = async () => (issuer ??= await json(await fetch(`${config.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)));

/** A fresh request to sign in: where to send the browser, and what must match when it is back. */
async function request() {
  const base64url = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
  const pending = { state: random(), nonce: random(), verifier: random() };
  const challenge = base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(pending.verifier)));
  const { authorization_endpoint: endpoint } = await discover();
  return { pending, url: `${endpoint}?${new URLSearchParams({ response_type: 'code', client_id: config.clientId, redirect_uri: REDIRECT, scope: config.scopes.join(' '),
    state: pending.state, nonce: pending.nonce, code_challenge: challenge, code_challenge_method: 'S256' })}` };
}

/** Ends a sign-in of this page, or hands the answer to the page that opened this window. */
async function returned() {
  const pending = JSON.parse(stored('sign-in'));
  if (!(await exchange(location.search, pending))) {
    channel.postMessage(location.search);
    window.close();
    throw new Error('This window only ends a sign-in that began in another one. You can close it.');
  }
  stored('sign-in', null);
  history.replaceState(null, '', pending.back);
}

/** False when the answer is to somebody else's request. */
async function exchange(search, pending) {
  const query = new URLSearchParams(search);
  if (!pending || query.get('state') !== pending.state) return false;
  if (query.has('error')) throw refused(query.get('error_description') ?? query.get('error'));
  return grant({ grant_type: 'authorization_code', code: query.get('code'), redirect_uri: REDIRECT, code_verifier: pending.verifier }, pending.nonce);
}

async function grant(fields, nonce) {
  const { token_endpoint: endpoint, issuer: iss } = await discover();
  const body = await json(await fetch(endpoint, { method: 'POST', body: new URLSearchParams({ ...fields, client_id: config.clientId }) }));
  // The id token came straight from the token end point over TLS, which stands for its signature (OpenID Connect Core 3.1.3.7).
  const id = claims(body.id_token);
  if (nonce && !(id.nonce === nonce && id.iss === iss && [id.aud].flat().includes(config.clientId))) throw refused('the answer is not for this page');
  const access = claims(body.access_token);
  keep({
    access: body.access_token, refresh: body.refresh_token ?? tokens?.refresh, id: body.id_token ?? tokens?.id, until: Date.now() + (body.expires_in ?? 300) * 1000,
    scopes: String(body.scope ?? access.scope ?? access.scp ?? '').split(/[ ,]+/), user: id.email ?? id.preferred_username ?? id.name ?? id.sub ?? tokens?.user ?? access.sub,
  });
  return true;
}

/** A token's claims; an opaque one has none. */
function claims(token) {
  try {
    const text = atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(text, c => c.charCodeAt(0))));
  } catch {
    return {};
  }
}

const refresh = async () => (tokens?.refresh ? grant({ grant_type: 'refresh_token', refresh_token: tokens.refresh }) : Promise.reject());

/** Signs in again while the page stays as it is; false when the person would rather not. */
async function beside() {
  const { url, pending } = await request();
  const closing = new AbortController();
  try {
    return await new Promise((resolve, reject) => {
      channel.onmessage = ({ data }) => exchange(data, pending).then(done => done && resolve(true), reject);
      confirm('Sign in again', 'Your sign-in has ended. A window opens for it; this page stays as it is and goes on where it was.', 'Sign in', 'Not now', closing,
        () => window.open(url, 'reprise-sign-in', 'popup,width=520,height=680')).then(() => {
        if (!closing.signal.aborted) declined = tokens?.access;
        resolve(false);
      });
    });
  } finally {
    closing.abort();
  }
}
