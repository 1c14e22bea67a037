// Lays a message out for reading, as plain text in parts. Everything is read once, from left to right, so that a broken or hostile message
// takes no longer than a good one.

// `edifact`, `x12`, `tradacoms`, `xml`, `json` or `text`.
export function kindOf(text) {
  const head = text.slice(0, 400).trimStart();
  if (/^(UNA.{6}\s*)?U(NB|NG|NH|IB)[^A-Za-z0-9]/s.test(head)) return 'edifact';
  if (/^ISA[^A-Za-z0-9\s]/.test(head)) return 'x12';
  if (head.startsWith('STX=')) return 'tradacoms';
  if (/^<[?!A-Za-z_]/.test(head)) return 'xml';
  return /^[[{]/.test(head) && /[\]}]$/.test(text.slice(-400).trimEnd()) ? 'json' : 'text';
}

// Lines of `{ depth, parts: [[text, isMark]] }`; marks are tags and names, the rest is content.
export const layOut = (text, kind = kindOf(text)) => ({ edifact, x12, tradacoms: all => segments(all, 0, "'", '?'), xml, json }[kind] ?? plain)(text);

export const plain = text => text.split(/\r?\n/).map(line => ({ depth: 0, parts: [[line, false]] }));

// Segments that open a group, and those that close it.
const OPEN = new Set(['UNB', 'UIB', 'UNG', 'UNH', 'UIH', 'ISA', 'GS', 'ST', 'STX', 'BAT', 'MHD']);
const CLOSE = new Set(['UNZ', 'UIZ', 'UNE', 'UNT', 'UIT', 'IEA', 'GE', 'SE', 'END', 'EOB', 'MTR']);

function edifact(text) {
  const start = text.search(/\S/);
  if (!text.startsWith('UNA', start)) return segments(text, start, "'", '?');
  const una = text.slice(start, start + 9);
  return [{ depth: 0, parts: [[una, true]] }, ...segments(text, start + 9, una[8], una[6].replace(' ', ''))];
}

// The separators stand behind ISA's sixteen elements, padded or not. The data of BIN may hold any character; its length is told.
function x12(text) {
  let at = text.search(/\S/);
  const element = text[at + 3];
  for (let n = 0; n < 16 && at >= 0; n++) at = text.indexOf(element, at + 1);
  return segments(text, 0, (at >= 0 && text[at + 2]) || '~', '', from => {
    const [tag, length] = text.slice(from, from + 40).trimStart().split(element, 2);
    return tag === 'BIN' && /^\d{1,9}$/.test(length) ? text.indexOf(element + length + element, from) + length.length + 2 + Number(length) : from;
  });
}

function segments(text, from, end, release, skip = at => at) {
  const lines = [];
  let depth = 0;
  const take = to => {
    const segment = text.slice(from, to).trim(), tag = /^[A-Z0-9]{0,3}/.exec(segment)[0];
    from = to;
    if (!segment) return;
    if (CLOSE.has(tag)) depth = Math.max(0, depth - 1);
    lines.push({ depth, parts: [[tag, true], [segment.slice(tag.length), false]] });
    if (OPEN.has(tag)) depth++;
  };
  for (let i = skip(from); i < text.length; i++) {
    if (text[i] === release) i++;
    else if (text[i] === end) {
      take(i + 1);
      i = Math.max(i, skip(from) - 1);
    }
  }
  take(text.length);
  return lines;
}

function json(text) {
  const lines = [];
  let depth = 0, parts = [];
  const flush = () => {
    if (parts.length) lines.push({ depth, parts });
    parts = [];
  };
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\[^][^"\\]*)*"?|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    if (token === '}' || token === ']') {
      const bare = !parts.length && /[{[]$/.test(lines.at(-1)?.parts.at(-1)[0] ?? '');
      flush();
      depth = Math.max(0, depth - 1);
      if (bare) ({ parts } = lines.pop());
    } else if (token === ':' && parts.length) parts.at(-1)[1] = true;
    parts.push([token === ':' ? ': ' : token, false]);
    if (/^[{[,]$/.test(token)) flush();
    if (/^[{[]$/.test(token)) depth++;
  }
  flush();
  return lines;
}

function xml(text) {
  const tokens = tokensOf(text), lines = [];
  let depth = 0;
  const add = (...parts) => lines.push({ depth, parts });
  for (let i = 0; i < tokens.length; i++) {
    const [kind, token] = tokens[i], [next, inner] = tokens[i + 1] ?? [], [after, end] = tokens[i + 2] ?? [];
    if (kind === 'open' && next === 'close') {
      add([token + inner, true]);
      i++;
    } else if (kind === 'open' && next === 'text' && after === 'close' && !inner.trim().includes('\n')) {
      add([token, true], [inner.trim() || inner, false], [end, true]);
      i += 2;
    } else {
      if (kind === 'close') depth = Math.max(0, depth - 1);
      for (const line of token.split('\n')) if (line.trim()) add([line.trim(), kind !== 'text']);
      if (kind === 'open') depth++;
    }
  }
  return lines;
}

// `[kind, text]`: `open`, `close`, `empty` or `text`, which is all that is no markup.
function tokensOf(text) {
  const tokens = [];
  for (let at = 0; at < text.length;) {
    const [kind, found] = text[at] === '<' ? markup(text, at) : ['text', text.indexOf('<', at)];
    const end = found < 0 ? text.length : found;
    if (kind === 'text' && tokens.at(-1)?.[0] === 'text') tokens.at(-1)[1] += text.slice(at, end);
    else tokens.push([kind, text.slice(at, end)]);
    at = end;
  }
  return tokens;
}

function markup(text, at) {
  for (const [mark, end, kind] of [['<!--', '-->', 'empty'], ['<![CDATA[', ']]>', 'text'], ['<?', '?>', 'empty']]) {
    if (!text.startsWith(mark, at)) continue;
    const found = text.indexOf(end, at + mark.length);
    return [kind, found < 0 ? -1 : found + end.length];
  }
  if (!/[/!A-Za-z_:\x80-\uffff]/.test(text[at + 1] ?? '')) return ['text', at + 1];
  const next = text[at + 1];
  let brackets = 0;
  for (let i = at + 1; i < text.length; i++) {
    const char = text[i];
    if (char === '"' || char === "'") {
      i = text.indexOf(char, i + 1);
      if (i < 0) break;
    } else if (next === '!' && /[[\]]/.test(char)) brackets += char === '[' ? 1 : -1;
    else if (brackets > 0) continue;
    else if (char === '<') return ['text', i];
    else if (char === '>') return [next === '/' ? 'close' : next === '!' || text[i - 1] === '/' ? 'empty' : 'open', i + 1];
  }
  return ['text', -1];
}
