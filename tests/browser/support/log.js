// What the functions of a stack log. It must hold no payload that was sent and no token.

/** Bytes of a payload that are looked for. Anything shorter may stand in a line for another reason. */
const MARK = 12;

/** What only tokens and the headers that carry them have: `{"alg":` and `{"typ":` in base64 begin every one. */
const TOKENS = ['Bearer ', 'eyJhbGciOi', 'eyJ0eXAiOi'];

const MAX_LINES_IN_A_MESSAGE = 20;

export class Log {
  #lines = [];
  #marks = new Set();

  add(line) {
    this.#lines.push(line);
  }

  tail = () => this.#lines.slice(-MAX_LINES_IN_A_MESSAGE).join('\n');
  all = () => this.#lines.join('\n');

  /** From now on no line may hold the payloads of this report; nothing of it, where it is no report. */
  hide(body) {
    const report = parsed(body);
    if (typeof report?.type !== 'string') return this.#hideBytes(Buffer.from(body), '');
    for (const payload of Object.values(report.payloads ?? {})) {
      // An id may be logged, though the payloads of these tests name theirs.
      this.#hideBytes(Buffer.from(payload.body), report.interchangeId);
      if (payload.encoding === 'base64') this.#hideBytes(Buffer.from(payload.body, 'base64'), report.interchangeId);
    }
  }

  /** Marks the beginning, the middle and the end, in every form that a line could hold them. */
  #hideBytes(bytes, id) {
    const escaped = JSON.stringify(bytes.toString()).slice(1, -1);
    const forms = [bytes, Buffer.from(escaped), Buffer.from(bytes.toString('base64'))].map(form => form.toString('latin1'));
    for (const form of forms.filter(form => form.length >= MARK)) {
      const end = form.length - MARK;
      for (const start of [0, end >> 1, end]) {
        const mark = form.slice(start, start + MARK);
        // The name of a JSON member may be in any line.
        if (!mark.includes('":') && !id.includes(mark)) this.#marks.add(mark);
      }
    }
  }

  /** The lines with a payload's bytes or a token. */
  leaks() {
    const beginnings = new Set([...this.#marks].map(mark => mark.slice(0, 2)));
    const leaks = line => {
      if (TOKENS.some(token => line.includes(token))) return true;
      const bytes = Buffer.from(line).toString('latin1');
      for (let at = 0; at + MARK <= bytes.length; at++) {
        if (beginnings.has(bytes.slice(at, at + 2)) && this.#marks.has(bytes.slice(at, at + MARK))) return true;
      }
      return false;
    };
    return this.#lines.filter(leaks).slice(0, MAX_LINES_IN_A_MESSAGE);
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
