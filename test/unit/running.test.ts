import { expect } from 'chai';
import { parseDomain } from '../../src/domain.ts';
import { essence, readDomain } from '../../src/running.ts';
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
