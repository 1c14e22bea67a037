// The public HTTP API. Every failure is one ApiError; messages.js has the words for it. A 401 asks for a new sign-in beside the page and sends
// the same request again; a 429 waits once.

import { auth } from './auth.js';

const TIMEOUT = 40_000; // API Gateway gives up after 30 s
const SLOW = 5_000;

export class ApiError extends Error {
  constructor(status, slug, { type, title, detail, field, ...members } = {}) {
    super(detail ?? title ?? slug);
    Object.assign(this, { status, slug, title, detail, field, members });
  }
}

/** The page was left: not a failure. */
export const isAbort = (error) => error?.name === 'AbortError';
/** path('flows', 'a/b') is '/flows/a%2Fb'. */
export const path = (...parts) => `/${parts.map(encodeURIComponent).join('/')}`;
/** An Idempotency-Key, made once per dialog. */
export const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');

/** Tells by 'change' when the API stops or starts to answer, or answers slowly. */
export const health = Object.assign(new EventTarget(), { state: 'ok' });
let late = 0;
function tell(state) {
  if (health.state === state) return;
  Object.assign(health, { state, since: new Date().toISOString() });
  health.dispatchEvent(new Event('change'));
}

/** Options: query, signal, raw (the Response in place of its JSON), key (Idempotency-Key), ifMatch (a version). */
export const api = {
  get: (to, options) => call('GET', to, null, options),
  post: (to, body, options) => call('POST', to, body, options),
  put: (to, body, options) => call('PUT', to, body, options),
};

async function call(method, to, body, { query = {}, signal, raw, key, ifMatch } = {}) {
  const given = new URLSearchParams(Object.entries(query).filter(([, value]) => value != null && value !== ''));
  for (let first = true; ; first = false) {
    const token = await auth.token();
    const headers = Object.entries({ authorization: token && `Bearer ${token}`, 'content-type': body && 'application/json', 'idempotency-key': key, 'if-match': ifMatch && `"${ifMatch}"` });
    const response = await send(`${to}?${given}`, { method, headers: headers.filter(([, value]) => value), body: body && JSON.stringify(body), cache: 'no-store' }, signal);
    if (response.ok) return raw ? response : response.json();
    if (first && response.status === 401 && (await auth.renew(token, method))) continue;
    if (!first || response.status !== 429) throw await refusal(response);
    await new Promise((resolve) => { setTimeout(resolve, Math.min(response.headers.get('retry-after') || 1, 5) * 1000); });
    signal?.throwIfAborted();
  }
}

async function send(url, init, signal) {
  const timeout = AbortSignal.timeout(TIMEOUT);
  let isLate = 0;
  const slow = setTimeout(() => {
    late += isLate = 1;
    tell('slow');
  }, SLOW);
  const ended = (state) => {
    clearTimeout(slow);
    late -= isLate;
    tell(state === 'ok' && late ? 'slow' : state);
  };
  try {
    const response = await fetch(url, { ...init, signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
    ended(response.status >= 500 ? 'down' : 'ok');
    return response;
  } catch (error) {
    ended(signal?.aborted ? health.state : 'down');
    throw signal?.aborted ? error : new ApiError(0, timeout.aborted ? 'timeout' : 'unreachable');
  }
}

async function refusal(response) {
  const problem = await response.json().catch(() => ({}));
  problem.detail ??= problem.message; // API Gateway says no more than {"message": "…"}
  return new ApiError(response.status, problem.type?.split(':').pop(), problem);
}
