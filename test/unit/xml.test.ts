import { expect } from 'chai';
import fc from 'fast-check';
import {
  childOf,
  childrenOf,
  type Element,
  escapeXml,
  parseXml,
  serialize,
  textOf,
} from '../../src/model/xml.ts';
import { hostile } from '../support/arbitrary.ts';
import { doneOrRefused, refusalOf } from '../support/refused.ts';

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
/** Any character that XML can carry (XML 1.0, 2.2), without those that a reader may change. */
const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter(one => !/[^\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(one));
const attributes = fc.dictionary(word, text, { maxKeys: 3 }).map(one => new Map(Object.entries(one)));

/** Elements as a reader gives them back: no two texts side by side. */
const element: fc.Arbitrary<Element> = fc.letrec<{ element: Element }>(tie => ({
  element: fc.record({
    name: word,
    namespace: fc.constant(''),
    attributes,
    children: fc.oneof(
      { maxDepth: 3 },
      fc.constant([]),
      fc.array(text, { minLength: 1, maxLength: 1 }),
      fc.array(tie('element'), { maxLength: 3 }),
    ),
  }),
})).element;

describe('xml', () => {
  it('reads what it writes', () => {
    fc.assert(fc.property(element, one => void expect(parseXml(serialize(one))).to.deep.equal(one)));
  });

  it('keeps text as it is: numbers, spaces, character references', () => {
    const root = parseXml('<a><b>007</b><b> x </b><b>&lt;&#10;&#x41;&amp;lt;</b><b><![CDATA[<&]]></b></a>');
    expect(childrenOf(root, 'b').map(textOf)).to.deep.equal(['007', ' x ', '<\nA&lt;', '<&']);
  });

  it('finds elements by namespace, whatever their prefix and wherever it was declared', () => {
    const root = parseXml(
      '<r xmlns:p="urn:1"><p:a/><q:a xmlns:q="urn:1"/><a xmlns="urn:1"><a/></a><a/><p:a xmlns:p="urn:2"/></r>',
    );
    expect(childrenOf(root, 'a', 'urn:1')).to.have.length(3);
    expect(childrenOf(root, 'a', 'urn:2')).to.have.length(1);
    expect(childrenOf(root, 'a')).to.have.length(1);
    expect(childOf(childrenOf(root, 'a', 'urn:1')[2] ?? root, 'a')?.namespace).to.equal('urn:1');
  });

  it('leaves out attributes of other namespaces', () => {
    const { attributes: found } = parseXml('<a x="1" p:x="2" xmlns:p="urn:1" xmlns="urn:2"/>');
    expect([...found]).to.deep.equal([['x', '1']]);
  });

  for (const [what, xml] of [
    ['an empty text', ''],
    ['a text that is no XML', 'hello'],
    ['two roots', '<a/><b/>'],
    ['a tag that is not closed', '<a><b></a>'],
    ['an attribute twice', '<a x="1" x="2"/>'],
    ['an undeclared prefix', '<p:a/>'],
  ] as const) {
    it(`refuses ${what}`, () => {
      expect(refusalOf(() => parseXml(xml))).to.match(/^the XML /);
    });
  }

  it('refuses a DOCTYPE, before an entity could grow', () => {
    const entities = Array.from({ length: 20 }, (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`);
    const bomb = `<!DOCTYPE a [<!ENTITY e0 "x">${entities.join('')}]><a>&e20;</a>`;
    expect(refusalOf(() => parseXml(bomb))).to.equal('the XML has a DOCTYPE, which libvirt never writes');
    expect(refusalOf(() => parseXml('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'))).to.contain('DOCTYPE');
  });

  it('never fails in another way, whatever it reads', () => {
    fc.assert(fc.property(hostile, one => doneOrRefused(() => parseXml(one))));
    fc.assert(fc.property(hostile, one => doneOrRefused(() => parseXml(`<a b="${one}">${one}</a>`))));
    fc.assert(
      fc.property(
        hostile,
        one => void expect(textOf(parseXml(`<a>${escapeXml(clean(one))}</a>`))).to.equal(clean(one)),
      ),
    );
  });
});

const clean = (one: string): string =>
  one.replaceAll(/[^\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '');
