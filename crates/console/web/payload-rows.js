// The rows of a payload's view, `{ number, depth, parts }`, none of them long: a row without a number goes on with the line before it.

// A longer line is cut, because a browser lays out a row as a whole.
const LONGEST = 2000;

export function textRows(lines) {
  const rows = [];
  lines.forEach(({ depth, parts }, i) => {
    let row = { number: i + 1, depth, parts: [] }, room = LONGEST;
    rows.push(row);
    for (let [text, mark] of parts) {
      while (text.length > room) {
        const cut = /[\ud800-\udbff]/.test(text[room - 1]) ? room - 1 : room;
        row.parts.push([text.slice(0, cut), mark]);
        text = text.slice(cut);
        rows.push(row = { depth, parts: [] });
        room = LONGEST;
      }
      row.parts.push([text, mark]);
      room -= text.length;
    }
  });
  return rows;
}

// Bytes as hex, `wide` of them a row; like an array, but its rows are made when they are asked for.
export function hexRows(bytes, wide = 16) {
  const row = (at) => {
    const some = [...bytes.subarray(at, at + wide)];
    const hex = some.map((byte) => byte.toString(16).padStart(2, '0')).join(' ').padEnd(wide * 3);
    const ascii = some.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : '·')).join('');
    return { number: at.toString(16).padStart(6, '0'), depth: 0, parts: [[hex, false], [ascii, true]] };
  };
  const length = Math.ceil(bytes.length / wide);
  return { length, slice: (from, to) => Array.from({ length: Math.min(to, length) - from }, (_, i) => row((from + i) * wide)) };
}
