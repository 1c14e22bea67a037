// What the page asks of the network, and the answers that no healthy stack gives.

export const GONE = { kind: 'gone' };
/** The stack does what is asked, and its answer gets lost on the way back. */
export const ANSWER_LOST = { kind: 'answer-lost' };
/** The request waits until `heal`. */
export const SLOW = { kind: 'slow' };
/** This status with this JSON body; nothing of the request reaches the stack. */
export const answers = (status, json) => ({ kind: 'answers', status, json });

const API = ['/flows', '/interchanges', '/jobs'].flatMap(path => ['GET', 'POST', 'PUT'].map(method => `${method} ${path}`));

/** `METHOD /path?query` */
function lineOf(request) {
  const { pathname, search } = new URL(request.url());
  return `${request.method()} ${pathname}${search}`;
}

export class Network {
  asked = [];
  #page;
  #rules = [];
  #heal;
  #healed;

  constructor(page) {
    this.#page = page;
    page.on('request', request => this.asked.push(lineOf(request)));
  }

  /** Requests so far that begin like this: `POST /flows/orders/retry`. */
  count(begins) {
    return this.asked.filter(line => line.startsWith(begins)).length;
  }

  /** From now on requests that begin like this meet `fault`. */
  async inject(begins, fault) {
    if (!this.#rules.length) {
      this.#healed = new Promise(resolve => { this.#heal = resolve; });
      await this.#page.route('**', (route, request) => this.#answer(route, lineOf(request)));
    }
    this.#rules.push({ begins, fault });
  }

  /** Every request to the API; none for the page's own files. */
  async injectIntoApi(fault) {
    for (const begins of API) await this.inject(begins, fault);
  }

  /** No faults any more; requests that wait go on. */
  async heal() {
    this.#rules = [];
    this.#heal();
    await this.#page.unrouteAll({ behavior: 'wait' });
  }

  async #answer(route, line) {
    const { kind, ...answer } = this.#rules.find(({ begins }) => line.startsWith(begins))?.fault ?? {};
    if (kind === 'slow') await this.#healed;
    if (kind === 'answer-lost') await route.fetch();
    if (kind === 'answers') await route.fulfill(answer);
    else if (kind === 'gone' || kind === 'answer-lost') await route.abort('connectionreset');
    else await route.continue();
  }
}
