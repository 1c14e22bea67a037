// Which code page a payload is read in, and that nothing invisible passes unseen.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runs, visible } from '../web/dom.js';
import { decode, PAGES, recognise } from '../web/payload-decode.js';

const bytes = (...all) => Uint8Array.from(all);
const ascii = (text) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const utf8 = (text) => new TextEncoder().encode(text);
const utf16le = (text) => Uint8Array.from([...text].flatMap((char) => [char.charCodeAt(0) & 255, char.charCodeAt(0) >> 8]));
const utf16be = (text) => Uint8Array.from([...text].flatMap((char) => [char.charCodeAt(0) >> 8, char.charCodeAt(0) & 255]));
const read = (all) => decode(all, recognise(all).page);

test('plain ascii and utf-8 are utf-8', () => {
  assert.deepEqual(recognise(ascii("UNB+UNOC:3'")), { page: 'utf-8', bom: 0 });
  assert.deepEqual(recognise(utf8('Köln, 東京, 🚚')), { page: 'utf-8', bom: 0 });
  assert.deepEqual(recognise(bytes()), { page: 'utf-8', bom: 0 });
});

test('a byte order mark says the page and is not part of the text', () => {
  for (const [mark, page, body] of [[[0xef, 0xbb, 0xbf], 'utf-8', utf8('ä')], [[0xff, 0xfe], 'utf-16le', utf16le('ä')], [[0xfe, 0xff], 'utf-16be', utf16be('ä')]]) {
    const all = bytes(...mark, ...body);
    assert.deepEqual(recognise(all), { page, bom: mark.length });
    assert.equal(read(all), 'ä');
  }
});

test('utf-16 without a mark is told by its nuls', () => {
  assert.equal(recognise(utf16le('<?xml version="1.0"?><a>ä</a>')).page, 'utf-16le');
  assert.equal(recognise(utf16be('<?xml version="1.0"?><a>ä</a>')).page, 'utf-16be');
  assert.equal(read(utf16be('<a>ä</a>')), '<a>ä</a>');
});

test('bytes that are no utf-8 and have no c1 controls are iso 8859-1', () => {
  const orders = ascii("UNB+UNOC:3+1'NAD+BY+++K\xe4se'");
  assert.equal(recognise(orders).page, 'iso-8859-1');
  assert.equal(read(orders), "UNB+UNOC:3+1'NAD+BY+++Käse'");
});

test('what an interchange says of its page counts where it is not utf-8', () => {
  assert.equal(read(ascii("UNA:+.? 'UNB+UNOD:3+1'NAD+\xb3'")).at(-2), 'ł');
  assert.equal(read(ascii('<?xml version="1.0" encoding="ISO-8859-5"?><a>\xbf</a>')).at(-5), 'П');
  assert.equal(read(ascii('<?xml version="1.0" encoding="windows-1251"?><a>\xcf</a>')).at(-5), 'П');
  assert.equal(recognise(utf8('<?xml version="1.0" encoding="ISO-8859-5"?><a>ä</a>')).page, 'utf-8');
  assert.equal(recognise(ascii('<?xml version="1.0" encoding="no-such"?><a>\xe4</a>')).page, 'iso-8859-1');
});

test('noise has no code page', () => {
  let seed = 7;
  const noise = Uint8Array.from({ length: 4096 }, () => (seed = (seed * 1103515245 + 12345) % 2147483648) >> 16 & 255);
  assert.equal(recognise(noise).page, null);
  assert.equal(recognise(bytes(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d)).page, null);
});

test('a text with some nuls and edi separators is a text still', () => {
  assert.equal(recognise(ascii('a\0b and more of it')).page, 'utf-8');
  assert.equal(recognise(ascii('ISA\x1d00\x1d\x1fGS\x1d\x1cST\x1d')).page, 'utf-8');
});

test('every page offered can be decoded and reads ascii', () => {
  for (const page in PAGES) assert.equal(typeof decode(ascii('ab'), page), 'string', page);
  assert.equal(decode(ascii('\x80\xff'), 'iso-8859-1'), '\x80\xff');
});

test('a megabyte of latin-1 is decoded whole', () => {
  const all = new Uint8Array(1 << 20).fill(0xe4);
  assert.equal(decode(all, 'iso-8859-1').length, 1 << 20);
});

test('controls, direction marks and fillers become symbols', () => {
  assert.deepEqual(runs('a\0b'), ['a', '⟨U+0000⟩', 'b']);
  assert.equal(visible('\x1d\x7f\x85\r'), '⟨U+001D⟩⟨U+007F⟩⟨U+0085⟩⟨U+000D⟩');
  assert.equal(visible('\u202egnp.exe\u2066\u200f\ufeff\u061c'), '⟨U+202E⟩gnp.exe⟨U+2066⟩⟨U+200F⟩⟨U+FEFF⟩⟨U+061C⟩');
  assert.equal(visible('\u{e0041}\ud800x\u2028\xad'), '⟨U+E0041⟩⟨U+D800⟩x⟨U+2028⟩⟨U+00AD⟩');
});

test('letters of every script, tabs, spaces and pictures stay as they are', () => {
  const text = 'Grüße\tשלום مرحبا 東京 🚚';
  assert.deepEqual(runs(text), [text]);
});

test('a megabyte of hidden characters is shown at once', () => {
  const from = performance.now();
  assert.equal(runs('\0'.repeat(1 << 20)).length, (1 << 21) + 1);
  assert.ok(performance.now() - from < 20_000);
});
