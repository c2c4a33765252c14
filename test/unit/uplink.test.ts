import { expect } from 'chai';
import { printFiles } from '../../src/guest/file.ts';
import { HOST_FORMATS, hostNetwork } from '../../src/guest/host-network.ts';
import { describeUplink, uplinkFaults } from '../../src/guest/uplink-faults.ts';
import { parseAddress } from '../../src/model/address.ts';
import type { UplinkFacts } from '../../src/model/uplink.ts';
import { FACTS } from '../support/uplink.ts';

const SIX: UplinkFacts = {
  ...FACTS,
  family: 6,
  address: parseAddress('2001:db8:12:48::2'),
  length: 128,
  gateway: parseAddress('fe80::1'),
  onlink: false,
  acceptRa: '1',
};

describe("the host's uplink", () => {
  it('has no faults as the article has it, in both families', () => {
    expect([FACTS, SIX].flatMap(uplinkFaults)).to.deep.equal([]);
    expect(describeUplink(FACTS)).to.equal('eth0: 123.45.12.48/32, gateway 123.45.12.1, on-link');
  });

  const cases: readonly [string, UplinkFacts, RegExp][] = [
    ['a subnet', { ...FACTS, length: 24 }, /^123\.45\.12\.48 on eth0 has the length \/24 where \/32/],
    ['an IPv6 subnet', { ...SIX, length: 64 }, /^2001:db8:12:48::2 on eth0 has the length \/64 where \/128/],
    ['a gateway in a subnet', { ...FACTS, onlink: false }, /pointopoint/],
    ['an IPv6 gateway in a subnet', { ...SIX, gateway: parseAddress('2001:db8::1') }, /on-link$/],
    ['no gateway', { ...FACTS, gateway: undefined }, /IPv4 default route through eth0 has no gateway/],
    ['no forwarding', { ...SIX, forwarding: false }, /^IPv6 forwarding is off$/],
    ['a default route of advertisements', { ...SIX, protocol: 'ra' }, /accept_ra=2/],
  ];
  for (const [what, facts, message] of cases) {
    it(`tells of ${what}, once`, () => {
      const faults = uplinkFaults(facts);
      expect(faults).to.have.length(1);
      expect(faults[0]).to.match(message);
    });
  }

  it('may have its subnet where addresses are looked for on the wire, or nobody else is on it', () => {
    const wide = { ...FACTS, length: 24, onlink: false };
    expect(uplinkFaults({ ...wide, delivery: 'on-link' })).to.deep.equal([]);
    expect(uplinkFaults({ ...FACTS, length: 30 })).to.deep.equal([]);
    expect(uplinkFaults(wide)).to.have.length(2);
    const network = hostNetwork([{ ...wide, delivery: 'on-link' }], {
      hostname: 'h1',
      dns: [],
      search: 'lan',
    });
    expect(printFiles(HOST_FORMATS['ifupdown']?.(network) ?? []))
      .to.contain('    address 123.45.12.48/24\n    gateway 123.45.12.1')
      .and.not.to.contain('pointopoint');
  });

  it('lets advertisements be where the host takes them or forwards nothing by them', () => {
    expect(uplinkFaults({ ...SIX, protocol: 'ra', acceptRa: '2' })).to.deep.equal([]);
    expect(uplinkFaults({ ...SIX, protocol: 'ra', forwarding: false })).to.deep.equal([
      'IPv6 forwarding is off',
    ]);
  });

  it('is printed without a resolver, by name, and with networkd told to leave routes alone', () => {
    const network = hostNetwork([{ ...FACTS, mtu: 1400 }, SIX], {
      hostname: 'h1',
      dns: [parseAddress('9.9.9.9')],
      search: 'lan',
    });
    const ifupdown = printFiles(HOST_FORMATS['ifupdown']?.(network) ?? []);
    expect(ifupdown).to.contain(
      'auto eth0\niface eth0 inet static\n    address 123.45.12.48/32\n    pointopoint 123.45.12.1',
    );
    expect(ifupdown).not.to.contain('resolv.conf');
    const networkd = printFiles(HOST_FORMATS['networkd']?.(network) ?? []);
    expect(networkd).to.contain('[Match]\nName=eth0').and.to.contain('ManageForeignRoutes=no');
    expect(printFiles(HOST_FORMATS['netplan']?.(network) ?? []))
      .to.contain('ManageForeignRoutes=no')
      .and.not.to.contain('match:');
    // What the interface has already stays.
    for (const text of [ifupdown, networkd]) expect(text).to.match(/mtu.*1400/i);
  });
});
