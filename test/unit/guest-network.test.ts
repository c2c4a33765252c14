import { expect } from 'chai';
import { configured, guestNetwork } from '../../src/guest/network.ts';
import { format, parsePrefix } from '../../src/model/address.ts';
import { Refusal } from '../../src/model/refusal.ts';
import { AROUND, assign, domainWith, networkFor } from './guest-fixture.ts';

describe('the network of a guest', () => {
  it('has one default route for each family it has, through the host or fe80::1', () => {
    const [nic] = networkFor([['2001:db8:12:48::116', '123.45.90.116']]).nics;
    expect(nic?.addresses.map(format)).to.deep.equal(['123.45.90.116', '2001:db8:12:48::116']);
    expect(nic?.routes.map(({ gateway, table }) => [format(gateway), table])).to.deep.equal([
      ['123.45.12.48', undefined],
      ['fe80::1', undefined],
    ]);
  });

  it('gives a second interface a table of its own, only in a family that the first has', () => {
    const [, second] = networkFor([['123.45.90.116'], ['123.45.90.112/31', '2001:db8:12:48::116']]).nics;
    expect(
      second?.routes.map(({ gateway, table, sources }) => [format(gateway), table, sources.map(format)]),
    ).to.deep.equal([
      ['123.45.12.48', 101, ['123.45.90.112/31']],
      ['fe80::1', undefined, ['2001:db8:12:48::116']],
    ]);
  });

  it('counts interfaces as the machine does, those without an address too', () => {
    const network = guestNetwork(domainWith(3), assign([[], [], ['123.45.90.116']]), AROUND, {
      dns: [],
      domain: 'lan',
    });
    expect(network.nics.map(({ index, mac }) => [index, mac])).to.deep.equal([[2, '52:54:00:00:00:02']]);
  });

  it('names only servers of a family that the guest has', () => {
    expect(networkFor([['123.45.90.116']]).dns.map(format)).to.deep.equal(['9.9.9.9']);
    expect(networkFor([['2001:db8:12:48::116']]).dns.map(format)).to.deep.equal(['2620:fe::fe']);
  });

  it('refuses a domain that is on another bridge', () => {
    const call = () =>
      guestNetwork(domainWith(1, 'v"m'), assign([[], ['123.45.90.116']]), AROUND, {
        dns: [],
        domain: 'lan',
      });
    expect(call).to.throw(Refusal, 'Cannot configure "v\\"m": none of its interfaces is on br1');
  });

  const cases: readonly [string, readonly string[]][] = [
    ['123.45.90.116', ['123.45.90.116']],
    ['123.45.90.112/30', ['123.45.90.112', '123.45.90.113', '123.45.90.114', '123.45.90.115']],
    ['123.45.90.0/27', ['123.45.90.0']],
    ['2001:db8::116', ['2001:db8::116']],
    ['2001:db8:12:48:1::/80', ['2001:db8:12:48:1::1']],
    ['2001:db8::/127', ['2001:db8::1']],
  ];
  for (const [prefix, expected] of cases) {
    it(`configures ${expected.length} of ${prefix}`, () => {
      expect(configured(parsePrefix(prefix)).map(format)).to.deep.equal(expected);
    });
  }

  it('configures all of the largest subnet that is listed', () => {
    expect(configured(parsePrefix('123.45.90.112/28'))).to.have.length(16);
    expect(networkFor([['123.45.90.112/28']]).notes).to.deep.equal([]);
  });
});
