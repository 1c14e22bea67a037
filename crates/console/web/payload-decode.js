// Bytes to text: recognises a payload's code page and names what cannot be seen. It never changes the bytes.

// Code pages one may choose by hand, by a TextDecoder's names.
export const PAGES = { 'utf-8': 'UTF-8', 'utf-16le': 'UTF-16 LE', 'utf-16be': 'UTF-16 BE', 'iso-8859-1': 'ISO 8859-1',
  'windows-1252': 'Windows-1252', 'iso-8859-2': 'ISO 8859-2', 'iso-8859-15': 'ISO 8859-15' };

// The code page, null where bytes are no text, and the length of the byte order mark.
export function recognise(bytes) {
  const starts = (...mark) => mark.every((byte, i) => bytes[i] === byte);
  const even = bytes.length % 2 === 0;
  if (starts(0xef, 0xbb, 0xbf)) return { page: 'utf-8', bom: 3 };
  if (even && starts(0xff, 0xfe)) return { page: 'utf-16le', bom: 2 };
  if (even && starts(0xfe, 0xff)) return { page: 'utf-16be', bom: 2 };
  return { page: (even && byNuls(bytes)) || (fewControls(bytes) && narrow(bytes)) || null, bom: 0 };
}

// Text that is mostly ASCII has a NUL in every second byte of UTF-16.
function byNuls(bytes) {
  const head = bytes.subarray(0, 2048), nuls = [0, 0];
  head.forEach((byte, i) => { if (!byte) nuls[i % 2]++; });
  const most = Math.max(...nuls), least = Math.min(...nuls);
  return most > head.length * 0.3 && least * 10 < most ? (nuls[1] === most ? 'utf-16le' : 'utf-16be') : null;
}

// A few controls are a text's oddity, many are no text. EDI's separators (FS, GS, RS, US) are none.
function fewControls(bytes) {
  const head = bytes.subarray(0, 65536);
  return head.filter(byte => byte < 9 || (byte > 13 && byte < 28) || byte === 127).length <= 2 + head.length / 10;
}

function narrow(bytes) {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return 'utf-8';
  } catch {
    return declared(latin1(bytes.subarray(0, 1024))) ?? (bytes.some(byte => byte > 127 && byte < 160) ? null : 'iso-8859-1');
  }
}

// What a message says of itself, asked only where the bytes are not UTF-8: EDIFACT's UNOD is ISO 8859-2, and so on to UNOK.
function declared(head) {
  const uno = /^(?:UNA.{6})?\s*UNB.UNO([D-K])/s.exec(head);
  const label = uno ? `iso-8859-${[2, 5, 7, 3, 4, 6, 8, 9]['DEFGHIJK'.indexOf(uno[1])]}` : /^<\?xml[^>]*\sencoding=["']([\w.:-]+)/.exec(head)?.[1];
  if (!label || /8859.?1$|latin.?1$/i.test(label)) return null;
  try {
    const { encoding } = new TextDecoder(label);
    return encoding.startsWith('utf-') ? null : encoding;
  } catch {
    return null;
  }
}

// Without the byte order mark; what is not valid in the page becomes U+FFFD.
export const decode = (bytes, page) => (page === 'iso-8859-1' ? latin1(bytes) : new TextDecoder(page).decode(bytes));

// By hand, for a TextDecoder takes ISO 8859-1 for Windows-1252.
function latin1(bytes) {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return text;
}
