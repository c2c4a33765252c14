import { expect } from 'chai';
import fc from 'fast-check';
import { format, parsePrefix } from '../../src/model/address.ts';
import { type FirstWay, firstConfig } from '../../src/model/config-text.ts';
import { parseConfig } from '../../src/model/parse-config.ts';

const MAIN: FirstWay = {
  devices: ['eth0'],
  host: parsePrefix('123.45.12.48'),
  gateway: parsePrefix('123.45.12.1'),
  pools: ['123.45.90.112/29', '2001:db8:12:48::/64'].map(parsePrefix),
  delivery: { 4: 'on-link', 6: undefined },
};
const scopes = parsePrefix('172.30.0.0/16');
const dns = ['9.9.9.9', '2620:fe::fe'];
const textOf = (main: Partial<FirstWay> = {}, further: readonly FirstWay[] = []): string =>
  firstConfig({ main: { ...MAIN, ...main }, further, scopes, dns });

/** What a user has who takes the sign away from a commented key, and no more. */
const uncommented = (text: string): string => text.replaceAll(/^# (\w+ = )/gm, '$1');

describe('the first hnet.toml', () => {
  it('says what it was given, and the rest as it is without the key', () => {
    const { uplinks, pools, dhcp } = parseConfig(textOf());
    const [{ devices, delivery, addresses }] = uplinks;
    expect(devices).to.deep.equal(['eth0']);
    expect(delivery).to.deep.equal({ 4: 'on-link', 6: 'routed' });
    expect(pools.map(format)).to.deep.equal(['123.45.90.112/29', '2001:db8:12:48::/64']);
    expect(addresses).to.deep.equal([]);
    expect(dhcp.dns.map(format)).to.deep.equal(dns);
    const plain = parseConfig('pools = []');
    for (const key of ['mode', 'domain', 'lease', 'boot', 'ntp'] as const)
      expect(dhcp[key], key).to.deep.equal(plain.dhcp[key]);
    expect(parseConfig(textOf()).firewall).to.deep.equal(plain.firewall);
  });

  it('is valid too where the signs are taken away', () => {
    const [{ addresses, gateways }] = parseConfig(uncommented(textOf())).uplinks;
    expect([...addresses, ...gateways].map(format)).to.deep.equal(['123.45.12.48', '123.45.12.1']);
    const nowhere = textOf({ devices: [], host: undefined, gateway: undefined, pools: [] });
    expect(nowhere).to.match(/^# uplink = "eth0"$/m);
    expect(parseConfig(nowhere).uplinks[0].devices).to.deep.equal([]);
    expect(parseConfig(uncommented(nowhere)).uplinks[0].devices).to.deep.equal(['eth0']);
  });

  it('says which delivery could not be found out, and of no family that has no pool', () => {
    expect(textOf())
      .to.match(/^ipv4 = "on-link"$/m)
      .and.match(/^ipv6 = "routed" +# it could not be found out/m);
    expect(textOf({ pools: [], delivery: { 4: undefined, 6: undefined } })).not.to.include('found out when');
  });

  it('has a table for each further way, whatever is known of it', () => {
    const vlan: FirstWay = {
      devices: ['eth0.4000'],
      host: undefined,
      gateway: parsePrefix('203.0.113.1'),
      pools: [parsePrefix('203.0.113.0/28')],
      delivery: { 4: 'on-link', 6: undefined },
    };
    const tunnel = { ...vlan, devices: ['gre1'], gateway: undefined, pools: [parsePrefix('198.18.7.0/26')] };
    const { uplinks } = parseConfig(textOf({ devices: ['eth0', 'eth1'] }, [vlan, tunnel]));
    expect(uplinks.map(({ devices }) => devices)).to.deep.equal([['eth0', 'eth1'], ['eth0.4000'], ['gre1']]);
    expect(uplinks[1]?.gateways.map(format)).to.deep.equal(['203.0.113.1']);
    expect(uplinks[2]?.gateways).to.deep.equal([]);
  });

  it('explains each of its keys: a comment stands before it, or before the one that it follows', () => {
    const lines = textOf().split('\n');
    const bare = lines.filter((line, at) => /^\w+ = /.test(line) && !/^(#|\w+ = )/.test(lines[at - 1] ?? ''));
    expect(bare).to.deep.equal([]);
  });

  it('is valid whatever the interfaces are called', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/);
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 4 }), devices => {
        expect(parseConfig(textOf({ devices })).uplinks[0].devices).to.deep.equal(devices);
      }),
    );
  });
});
