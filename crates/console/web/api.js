// The public HTTP API. Every failure is one ApiError; messages.js has the words for it. A 401 asks for a new sign-in beside the page and sends
// the same request again; a 429 waits once. A call whose signal aborts never answers: nothing waits for it.

import { auth } from './auth.js';

const TIMEOUT = 40_000; // API Gateway gives up after 30 s
const SLOW = 5_000;

class ApiError extends Error {
  constructor(status, slug, { title, detail, field } = {}) {
    super(detail ?? title ?? slug);
    Object.assign(this, { status, slug, detail, field });
  }
}

/** path('flows', 'a/b') is '/flows/a%2Fb'. */
export const path = (...parts) => `/${parts.map(encodeURIComponent).join('/')}`;

/** Tells by 'change' when the API stops or starts to answer, or answers slowly. */
export const health = Object.assign(new EventTarget(), { state: 'ok' });
let late = 0;
function tell(state) {
  if (health.state === state) return;
  Object.assign(health, { state, since: new Date().toISOString() });
  health.dispatchEvent(new Event('change'));
}

/** Options: query, signal, raw (the bytes as they are, not JSON), key (Idempotency-Key), ifMatch (a version). */
export const api = {
  get: (to, options) => call('GET', to, null, options),
  /** Every item of a list that is one answer unless it is very large. */
  async all(to, options) {
    const all = [];
    let page;
    do {
      page = await api.get(to, { ...options, query: { cursor: page?.cursor } });
      all.push(...page.items);
    } while (page.cursor);
    return all;
  },
  post: (to, body, options) => call('POST', to, body, options),
  put: (to, body, options) => call('PUT', to, body, options),
};

async function call(method, to, body, { query = {}, signal, raw, key, ifMatch } = {}) {
  const given = new URLSearchParams(Object.entries(query).filter(([, value]) => value != null && value !== ''));
  for (let first = true; ; first = false) {
    const token = await auth.token();
    const headers = Object.entries({ authorization: token && `Bearer ${token}`, 'content-type': body && 'application/json', 'idempotency-key': key, 'if-match': ifMatch && `"${ifMatch}"` });
    const init = { method, headers: headers.filter(([, value]) => value), body: body && JSON.stringify(body), cache: 'no-store' };
    const [response, answer] = await send(`${to}?${given}`, init, signal, raw);
    if (response.ok) return raw ? answer : JSON.parse(answer);
    if (first && response.status === 401 && (await auth.renew(token, method))) continue;
    if (!first || response.status !== 429) throw refusal(response.status, answer);
    await new Promise(resolve => { setTimeout(resolve, Math.min(response.headers.get('retry-after') || 1, 5) * 1000); });
  }
}

async function send(url, init, signal, raw) {
  const timeout = AbortSignal.timeout(TIMEOUT);
  let isLate = 0;
  const slow = setTimeout(() => {
    late += isLate = 1;
    tell('slow');
  }, SLOW);
  const ended = state => {
    clearTimeout(slow);
    late -= isLate;
    tell(state === 'ok' && late ? 'slow' : state);
  };
  try {
    const response = await fetch(url, { ...init, signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
    const answer = await (raw && response.ok ? response.arrayBuffer() : response.text());
    ended(response.status >= 500 ? 'down' : 'ok');
    return [response, answer];
  } catch {
    ended(signal?.aborted ? health.state : 'down');
    if (signal?.aborted) return new Promise(() => {});
    throw new ApiError(0, timeout.aborted ? 'timeout' : 'unreachable');
  }
}

function refusal(status, answer) {
  let problem;
  try {
    problem = JSON.parse(answer);
    problem.detail ??= problem.message; // API Gateway says no more than {"message": "…"}
  } catch { /* then the status says enough */ }
  return new ApiError(status, problem?.type?.split(':').pop(), problem ?? {});
}
