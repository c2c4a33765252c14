import { expect } from 'chai';
import { essence, parseDomain, readDomain } from '../../src/model/parse-domain.ts';
import { readDiffering, readRunning } from '../../src/model/running.ts';
import { domainXml } from '../support/domain.ts';
import { refusalOf } from '../support/refused.ts';

const TAPS = ['vnet3', 'vnet4'].map(tap => ({ bridge: 'br116', tap }));
/** As libvirt writes it: with hardware before and behind the interfaces, and a namespace of its own. */
const withHardware = (xml: string) =>
  xml
    .replace(
      "<domain type='qemu'",
      "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'",
    )
    .replace('<devices>', "<devices><disk type='file'><target dev='vda'/></disk>")
    .replace('</devices>', "<video><model type='vga'/></video></devices><qemu:commandline/>");

describe("a domain's XML read quickly", () => {
  for (const [what, xml] of [
    ['with an address', domainXml('vm1', { addresses: ['123.45.90.116'], taps: TAPS })],
    ['with nothing of ours', domainXml('vm1', { taps: TAPS })],
    ['with no metadata', domainXml('vm1', { taps: TAPS }).replace('<metadata></metadata>', '')],
    [
      'with a name like its end',
      domainXml('</metadata></domain>', { addresses: ['123.45.90.116'], taps: TAPS }),
    ],
  ] as const) {
    it(`says the same as the whole (${what})`, () => {
      const whole = withHardware(xml);
      expect(essence(whole)).not.to.contain('vda');
      expect(readDomain(whole)).to.deep.equal(parseDomain(whole));
    });
  }

  it('is refused where it is cut off, after whichever byte', () => {
    const whole = withHardware(domainXml('vm1', { addresses: ['123.45.90.116'], taps: TAPS })).trimEnd();
    for (let length = 0; length < whole.length; length++)
      expect(
        refusalOf(() => readDomain(whole.slice(0, length))),
        `${length} bytes`,
      ).to.contain('XML');
  });
});

describe('the XML of all running domains', () => {
  const domains = ['vm1', 'vm2', 'vm3'].map(name => withHardware(domainXml(name, { taps: TAPS })));
  const [, second = ''] = domains;

  it('says of each what its own says', () => {
    const expected = domains.map(parseDomain).map(domain => [domain.uuid, domain] as const);
    expect([...readRunning(domains)]).to.deep.equal(expected);
    expect(readRunning([])).to.deep.equal(new Map());
  });

  for (const [what, broken] of [
    ['is cut off', second.slice(0, -20)],
    ["can't be read", second.replace('<name>', '<name><b></name>')],
    ['ends early', `</domains>${second}`],
    ['has a DOCTYPE', `<!DOCTYPE x>${second}`],
    ['is another element', second.replaceAll(/(<\/?)domain/g, '$1network')],
  ] as const) {
    it(`leaves the others as they are where that of one ${what}, and this one running`, () => {
      const given = domains.with(1, broken);
      const found = [...readRunning(given).values()];
      expect(found.map(({ name, intent }) => [name, intent.kind])).to.deep.equal([
        ['vm1', 'none'],
        [parseDomain(second).uuid, 'malformed'],
        ['vm3', 'none'],
      ]);
    });
  }

  for (const [what, other] of [
    ['with a declaration', `<?xml version='1.0'?>\n${second}`],
    ['by two documents in one text', `${second}${second}`],
  ] as const) {
    it(`is told apart ${what}`, () => {
      const found = [...readRunning(domains.with(1, other)).values()];
      expect(found).to.have.length(3);
      expect(found[0]).to.deep.equal(parseDomain(domains[0] ?? ''));
      expect(found[2]).to.deep.equal(parseDomain(domains[2] ?? ''));
    });
  }
});

describe('definitions of running domains', () => {
  const live = domainXml('vm1', { addresses: ['123.45.90.116'], taps: TAPS });
  const plain = live.replaceAll(/<target dev='vnet\d'\/>/g, '');

  it('are read only where they say something else of the assignment or of bridges', () => {
    const others = [
      plain.replace("bridge='br116'", "bridge='virbr0'"),
      plain.replace('123.45.90.116', '123.45.90.117'),
      plain.replace(/<metadata>.*<\/metadata>/, ''),
      plain.replace(/<interface[\s\S]*<\/interface>/, ''),
    ];
    const second = domainXml('vm2', { addresses: ['123.45.90.117'] });
    expect(readDiffering([plain, second], [live, second])).to.deep.equal(new Map());
    for (const other of others)
      expect(readDiffering([other, second], [live, second])).to.deep.equal(readRunning([other]));
    // It has started since.
    expect(readDiffering([second], [live])).to.deep.equal(readRunning([second]));
  });
});
