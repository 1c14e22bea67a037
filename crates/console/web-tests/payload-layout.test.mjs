// How messages are laid out: nothing is lost but the blanks between lines, whatever the message.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOf, layOut, plain } from '../web/payload-layout.js';
import { compared, hexRows, textRows } from '../web/payload-rows.js';

const drawn = (text) => layOut(text).map(({ depth, parts }) => '  '.repeat(depth) + parts.map(([part]) => part).join(''));
const solid = (text) => text.replace(/\s/g, '');

test('edifact is a segment a line, indented by its groups', () => {
  assert.deepEqual(drawn("UNB+UNOC:3+A+B'UNH+1+ORDERS:D:96A:UN'BGM+220+PO?'1'UNT+3+1'UNZ+1+1'"),
    ["UNB+UNOC:3+A+B'", "  UNH+1+ORDERS:D:96A:UN'", "    BGM+220+PO?'1'", "  UNT+3+1'", "UNZ+1+1'"]);
});

test('edifact reads its separators from una', () => {
  assert.deepEqual(drawn('UNA=*.! ~\nUNB*UNOA=3~\nUNH*1~\nFTX*a!~b??~\nUNT*1~\n'),
    ['UNA=*.! ~', 'UNB*UNOA=3~', '  UNH*1~', '    FTX*a!~b??~', '  UNT*1~']);
  assert.deepEqual(drawn("UNA:+.  'UNB+?'UNH'"), ["UNA:+.  '", "UNB+?'", "  UNH'"]);
});

test('x12 reads its separators behind isa, padded or not', () => {
  const isa = `ISA*00*${' '.repeat(10)}*00*${' '.repeat(10)}*ZZ*A${' '.repeat(14)}*ZZ*B${' '.repeat(14)}*960807*1548*U*00401*000000020*0*T*>`;
  assert.deepEqual(drawn(`${isa}~GS*IN~ST*810*1~BIG*1~SE*3*1~GE*1~IEA*1~`),
    [`${isa}~`, '  GS*IN~', '    ST*810*1~', '      BIG*1~', '    SE*3*1~', '  GE*1~', 'IEA*1~']);
  const bare = 'ISA*00**00**ZZ*A*ZZ*B*960807*1548*U*00401*1*0*T*>';
  assert.deepEqual(drawn(`${bare}\n  GS*IN\n    ST*810\n`), [bare, '  GS*IN', '    ST*810']);
});

test('the data of a binary segment may hold the terminator', () => {
  const isa = 'ISA*00**00**ZZ*A*ZZ*B*960807*1548*U*00401*1*0*T*>~';
  assert.deepEqual(drawn(`${isa}BIN*5*a~b~c~SE*1~`), [isa, '  BIN*5*a~b~c~', '  SE*1~'].map((line, i) => (i === 2 ? 'SE*1~' : line)));
});

test('tradacoms nests its messages', () => {
  assert.deepEqual(drawn("STX=ANA:1+X'MHD=1+ORDHDR:9'TYP=0430'MTR=3'END=1'"), ["STX=ANA:1+X'", "  MHD=1+ORDHDR:9'", "    TYP=0430'", "  MTR=3'", "END=1'"]);
});

test('xml is an element a line, with its text beside it', () => {
  assert.deepEqual(drawn('<?xml version="1.0"?><!-- c --><a x="1>2"><b>t</b><c/><d></d><e><![CDATA[<x>]]></e></a>'),
    ['<?xml version="1.0"?>', '<!-- c -->', '<a x="1>2">', '  <b>t</b>', '  <c/>', '  <d></d>', '  <e><![CDATA[<x>]]></e>', '</a>']);
  assert.deepEqual(drawn('<!DOCTYPE a [<!ENTITY x "y">]>\n<a>\n  mixed <b>t</b> on\n</a>'),
    ['<!DOCTYPE a [<!ENTITY x "y">]>', '<a>', '  mixed', '  <b>t</b>', '  on', '</a>']);
});

test('broken xml is shown to its last character', () => {
  for (const text of ['<a><b></a>', '<a', '<a "x', '<a><!-- no end', '<a>1 < 2 <b>', '</x></y>', '<a><![CDATA[', '<a b=<c>', '<!DOCTYPE a [ <b>']) {
    assert.equal(solid(drawn(text).join('')), solid(text), text);
  }
});

test('json is a member a line, every number and name as it was written', () => {
  assert.deepEqual(drawn('{"a":[1.0,12345678901234567890],"b":{},"c":[],"a":"{,}\\""}'),
    ['{', '  "a": [', '    1.0,', '    12345678901234567890', '  ],', '  "b": {},', '  "c": [],', '  "a": "{,}\\""', '}']);
  assert.equal(solid(drawn('{"a":[1,}').join('')), '{"a":[1,}');
});

test('kinds are told by how a message begins', () => {
  const kinds = { "UNH+1'": 'edifact', 'ISA*00': 'x12', 'STX=ANA': 'tradacoms', '\n<a/>': 'xml', '<!doctype html>': 'xml', '[1]': 'json', '{ no': 'text', 'UNBOXED': 'text', '': 'text', 'a,b': 'text' };
  for (const [text, kind] of Object.entries(kinds)) assert.equal(kindOf(text), kind, text);
});

// What is not linear takes minutes, so that a slow machine does not matter.
test('a megabyte of anything is laid out at once', () => {
  const many = (unit) => unit.repeat(Math.ceil((1 << 20) / unit.length));
  const hostile = ['<a', '<a "', `<"'`, '<!--', '<![CDATA[', '<a><!DOCTYPE [', '&lt;<', ']]>'].map((unit) => `<x>${many(unit)}`);
  for (const text of [many('x'), many("UNH+1'"), `UNB+${many('?')}`, many('<a>'), ...hostile, `["${many('\\n')}"]`, `[${many('[')}]`, `[${many('"')}]`, `ISA*${many('BIN*99*')}`]) {
    const from = performance.now();
    const rows = textRows(layOut(text));
    assert.ok(performance.now() - from < 20_000, text.slice(0, 20));
    assert.ok(rows.every(({ parts }) => parts.reduce((sum, [part]) => sum + part.length, 0) <= 2000), text.slice(0, 20));
  }
});

test('a long line is cut into rows, and no character is', () => {
  const rows = textRows(plain(`${'x'.repeat(1999)}🚚${'y'.repeat(3000)}\nz`));
  assert.deepEqual(rows.map((row) => row.number), [1, undefined, undefined, 2]);
  assert.deepEqual(rows.map((row) => row.parts.map(([part]) => part).join('').length), [1999, 2000, 1002, 1]);
  assert.equal(rows[1].parts[0][0].slice(0, 2), '🚚');
});

test('bytes are shown as hex beside what of them is ascii', () => {
  const rows = hexRows(Uint8Array.from({ length: 17 }, (_, i) => i + 0x40));
  assert.equal(rows.length, 2);
  assert.deepEqual(rows.slice(1, 9), [{ number: '000010', depth: 0, parts: [['50'.padEnd(48), false], ['P', true]] }]);
});

const SIGNS = { ins: '+', del: '-' };
const changes = (before, after) => compared(plain(before), plain(after)).map(({ change, parts: [[line]] }) => `${SIGNS[change] ?? ''}${line}`);

test('of two revisions what is new and what is gone stands where it stood', () => {
  const cases = [
    ['one\ntwo\nfour', 'one\ntwo\nfour', ['one', 'two', 'four']],
    ['one\ntwo\nfour', 'one\nTWO\nfour', ['one', '-two', '+TWO', 'four']],
    ['one\nfour', 'one\ntwo\nfour', ['one', '+two', 'four']],
    ['one\ntwo\nfour', 'one\nfour', ['one', '-two', 'four']],
    ['one\ntwo', 'two\nfour', ['-one', 'two', '+four']],
    ['one', 'two', ['-one', '+two']],
    ['{\nx\n}\n{\ny\n}', '{\ny\n}', ['{', '-x', '-}', '-{', 'y', '}']],
  ];
  for (const [before, after, expected] of cases) assert.deepEqual(changes(before, after), expected, `${before} to ${after}`);
});

test('a row that is gone has no number, and those behind it keep theirs', () => {
  const rows = textRows(compared(plain('one\ntwo\nfour'), plain('one\nTWO\nfour')));
  assert.deepEqual(rows.map(({ number, change }) => [number, change]), [[1, undefined], [null, 'del'], [2, 'ins'], [3, undefined]]);
});

test('whatever two revisions are, each is there in whole and it takes no time', () => {
  const many = (n, line) => Array.from({ length: n }, (_, i) => line(i)).join('\n');
  const cases = [[many(20_000, i => `a${i}`), many(20_000, i => `b${i}`)], [many(5000, i => `${i % 7}`), many(9000, i => `${i % 11}`)], ['', many(3, String)], [many(4000, String), '']];
  for (const [before, after] of cases) {
    const from = performance.now();
    const lines = compared(plain(before), plain(after));
    assert.ok(performance.now() - from < 20_000);
    const side = gone => lines.filter(({ change }) => change !== gone).map(({ parts: [[line]] }) => line).join('\n');
    assert.equal(side('ins'), before);
    assert.equal(side('del'), after);
  }
});
