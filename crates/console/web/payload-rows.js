// The rows of a payload's view, `{ number, depth, parts, change }`, none of them long: a row without a number goes on with the line before it,
// or is gone.

// A longer line is cut, because a browser lays out a row as a whole.
const LONGEST = 2000;

// So far two revisions are searched for where they are the same again; the time goes with it.
const FARTHEST = 1500;

export function textRows(lines) {
  const rows = [];
  let number = 0;
  for (const { depth, parts, change } of lines) {
    let row = { number: change === 'del' ? null : ++number, depth, change, parts: [] }, room = LONGEST;
    rows.push(row);
    for (let [text, mark] of parts) {
      while (text.length > room) {
        const cut = /[\ud800-\udbff]/.test(text[room - 1]) ? room - 1 : room;
        row.parts.push([text.slice(0, cut), mark]);
        text = text.slice(cut);
        rows.push(row = { depth, change, parts: [] });
        room = LONGEST;
      }
      row.parts.push([text, mark]);
      room -= text.length;
    }
  }
  return rows;
}

// Bytes as hex, `wide` of them a row; like an array, but its rows are made when they are asked for.
export function hexRows(bytes, wide = 16) {
  const row = at => {
    const some = [...bytes.subarray(at, at + wide)];
    const hex = some.map(byte => byte.toString(16).padStart(2, '0')).join(' ').padEnd(wide * 3);
    const ascii = some.map(byte => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : '·')).join('');
    return { number: at.toString(16).padStart(6, '0'), depth: 0, parts: [[hex, false], [ascii, true]] };
  };
  const length = Math.ceil(bytes.length / wide);
  return { length, slice: (from, to) => Array.from({ length: Math.min(to, length) - from }, (_, i) => row((from + i) * wide)) };
}

// The lines of `after`, new ones marked `ins`, and between them those of `before` that are gone, marked `del`.
export function compared(before, after) {
  const [a, b] = [before, after].map(lines => lines.map(({ parts }) => parts.map(([text]) => text).join('')));
  const lines = [];
  const take = (all, from, to, change) => lines.push(all.slice(from, to).map(line => ({ ...line, change })));
  for (let i = 0, j = 0; i < a.length || j < b.length; i++, j++) {
    const [gone, fresh] = untilSame(a, b, i, j);
    take(before, i, i += gone, 'del');
    take(after, j, j += fresh, 'ins');
    take(after, j, j + 1);
  }
  return lines.flat();
}

// How many of each stand before the nearest two that are the same, the ends included; two brackets alone say little.
function untilSame(a, b, i, j) {
  for (let both = 0; both <= FARTHEST; both++) {
    for (let x = i, y = j + both; y >= j; x++, y--) {
      if (a[x] === b[y] && (!both || a[x]?.length > 2 || a[x + 1] === b[y + 1])) return [x - i, y - j];
    }
  }
  return [a.length, b.length];
}
