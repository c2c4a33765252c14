import { expect } from 'chai';
import { assignmentOf } from '../../src/lifecycle/admission.ts';
import { addressesOf } from '../../src/model/domain.ts';
import { parseDomain } from '../../src/model/parse-domain.ts';
import { escapeXml } from '../../src/model/xml.ts';
import { assignmentXml, domainXml, uuidOf } from '../support/domain.ts';
import { refusalOf } from '../support/refused.ts';

const ADDRESSES = ['123.45.90.116'];
const whole = domainXml('vm1', { addresses: ADDRESSES, taps: [{ bridge: 'br116', tap: 'vnet3' }] });

describe('domain', () => {
  it('is its UUID, name, interfaces and intent', () => {
    const domain = parseDomain(whole);
    expect([domain.uuid, domain.name]).to.deep.equal([uuidOf('vm1'), 'vm1']);
    const [nic] = domain.nics;
    expect(nic).to.include({ mac: '52:54:00:00:00:01', type: 'bridge', source: 'br116', tap: 'vnet3' });
    expect(addressesOf(domain).map(({ bridge }) => bridge)).to.deep.equal(['br116']);
  });

  it('knows no MAC that is none: it becomes part of what a DHCP server reads', () => {
    for (const mac of [
      '',
      '52:54:00:00:00',
      '52:54:00:00:00:01\ndhcp-script=/x',
      '.*',
      '52:54:00:00:00:0g',
    ]) {
      const [nic] = parseDomain(whole.replace('52:54:00:00:00:01', escapeXml(mac))).nics;
      expect(nic?.mac, mac).to.equal('');
    }
    const [nic] = parseDomain(whole.replace('52:54:00:00:00:01', '52:54:00:AB:CD:EF')).nics;
    expect(nic?.mac).to.equal('52:54:00:ab:cd:ef');
  });

  for (const name of [
    '$(id)',
    '..',
    '-rf',
    'a\nb',
    '<b>',
    '&lt;',
    `'"`,
    ' x ',
    '007',
    'ü',
    '\u{1f600}',
    'x'.repeat(1000),
  ]) {
    it(`may be called ${JSON.stringify(name).slice(0, 30)}`, () => {
      expect(parseDomain(domainXml(name, { addresses: ADDRESSES })).name).to.equal(name);
    });
  }

  it('is refused where its XML is cut off, after whichever byte', () => {
    for (let length = 0; length < whole.trimEnd().length; length++) {
      const said = refusalOf(() => parseDomain(whole.slice(0, length)));
      expect(said, `${length} bytes`).to.match(/^the XML /);
    }
  });

  for (const [what, xml, why] of [
    ['a DOCTYPE', `<!DOCTYPE d [<!ENTITY a "b">]>${whole}`, /^the XML has a DOCTYPE/],
    ['another root', '<network><name>x</name></network>', 'the XML is of a <network>, not of a <domain>'],
    ['no UUID', whole.replace(/<uuid>.*<\/uuid>/, ''), /^the domain's XML has no valid UUID/],
    [
      'a UUID that is a path',
      whole.replace(uuidOf('vm1'), '../../etc/passwd'),
      /no valid UUID: "\.\.\/\.\.\/etc\/passwd"$/,
    ],
    ['no name', whole.replace('<name>vm1</name>', ''), /^the XML of domain \S+ has no name$/],
  ] as const) {
    it(`is refused with ${what}`, () => {
      const said = refusalOf(() => parseDomain(xml));
      if (typeof why === 'string') expect(said).to.equal(why);
      else expect(said).to.match(why);
    });
  }

  it('is read although its assignment is malformed: one domain must not hide the others', () => {
    const domain = parseDomain(domainXml('vm1', { metadata: '<a xmlns="urn:hnet:1"/>' }));
    expect(domain.intent.kind).to.equal('malformed');
    expect(addressesOf(domain)).to.deep.equal([]);
    expect(refusalOf(() => assignmentOf(domain))).to.equal(
      "its hnet metadata can't be used: unknown element <a> in the metadata, expected <assignment>; run hnet unassign, then hnet assign",
    );
  });

  it('holds nothing as a clone, and may not start', () => {
    const clone = parseDomain(domainXml('vm2', { metadata: assignmentXml(uuidOf('vm1'), ADDRESSES) }));
    expect(addressesOf(clone)).to.deep.equal([]);
    expect(refusalOf(() => assignmentOf(clone))).to.match(
      /^its metadata assigns 123\.45\.90\.116 .* a clone; run hnet unassign on it$/,
    );
    expect(assignmentOf(parseDomain(whole))?.owner).to.equal(uuidOf('vm1'));
    expect(assignmentOf(parseDomain(domainXml('vm1')))).to.equal(undefined);
  });
});
