import { expect } from 'chai';
import { parsePrefix } from '../../src/model/address.ts';
import { Refusal } from '../../src/model/refusal.ts';
import { formatRule, parseDenial, parseRule } from '../../src/model/rule.ts';
import { refusalOf } from './refusal.ts';

describe('a rule of a domain', () => {
  const read: readonly (readonly [string, string])[] = [
    ['allow tcp/22 from 203.0.113.0/24', 'allow tcp/22 from 203.0.113.0/24'],
    ['allow tcp/80,443', 'allow tcp/80,443'],
    ['deny  udp/1024-2047 ', 'deny udp/1024-2047'],
    ['inbound deny udp/53', 'deny udp/53'],
    ['outbound deny tcp/25', 'outbound deny tcp/25'],
    ['outbound allow any to 2001:db8::/32', 'outbound allow any to 2001:db8::/32'],
    ['allow', 'allow any'],
    ['deny from 198.51.100.7', 'deny any from 198.51.100.7'],
    ['allow icmp', 'allow icmp'],
    ...['esp', 'ah', 'gre', 'ipip', 'sctp', '0', '58', '255'].map(
      what => [`deny ${what}`, `deny ${what}`] as const,
    ),
    ['allow sctp/36412,38412', 'allow sctp/36412,38412'],
    ['outbound deny 47 to 203.0.113.7', 'outbound deny gre to 203.0.113.7'],
    ['allow 6/22', 'allow tcp/22'],
    ['allow 1', 'allow icmp'],
    ['allow tcp/7-7', 'allow tcp/7'],
    ['allow tcp/22 from 0.0.0.0/0', 'allow tcp/22 from 0.0.0.0/0'],
    ['allow tcp/22 from ::/0', 'allow tcp/22 from ::/0'],
  ];
  for (const [text, canonical] of read) {
    it(`is read: ${text}`, () => {
      const rule = parseRule(text);
      expect(formatRule(rule)).to.equal(canonical);
      expect(parseRule(canonical)).to.deep.equal(rule);
    });
  }

  const refused: readonly (readonly [string, number, RegExp])[] = [
    ['', 1, /expected allow or deny/],
    ['permit tcp/22', 1, /expected allow or deny, not "permit"$/],
    ['outbound', 9, /expected allow or deny/],
    ['allow vrrp', 7, /"vrrp" is not icmp, ipip, .*, sctp, any or a number up to 255$/],
    ['allow 256', 7, /is not icmp/],
    ['allow 050', 7, /is not icmp/],
    ['allow constructor', 7, /is not icmp/],
    ['allow gre/1', 7, /names ports, which gre has not/],
    ['allow 50/1', 7, /names ports, which esp has not/],
    ['allow 99/1', 7, /names ports, which 99 has not/],
    ['allow sctp/0', 7, /not a port or range/],
    ['allow tcp/', 7, /not a port or range/],
    ['allow tcp/0', 7, /not a port or range/],
    ['allow tcp/65536', 7, /not a port or range/],
    ['allow tcp/80,', 7, /not a port or range/],
    ['allow tcp/80-', 7, /not a port or range/],
    ['allow tcp/90-80', 7, /ends before it begins/],
    ['allow tcp/80/81', 7, /two slashes/],
    ['allow icmp/8', 7, /names ports, which icmp has not/],
    ['allow any/80', 7, /is not icmp/],
    ['allow tcp/22 from', 18, /expected an address or subnet after from/],
    ['allow tcp/22 from 203.0.113.1/24', 19, /is not an address or subnet/],
    ['allow tcp/22 from example.org', 19, /is not an address or subnet/],
    ['allow tcp/22 to 203.0.113.1', 14, /"to" isn't from, which is what inbound rules take$/],
    ['outbound deny tcp/25 from 203.0.113.1', 22, /"from" isn't to/],
    ['allow tcp/22 203.0.113.1', 14, /isn't from/],
    ['allow tcp/22 from 203.0.113.1 please', 31, /is too much/],
  ];
  for (const [text, column, why] of refused) {
    it(`is refused at column ${column}: ${text}`, () => {
      const message = refusalOf(() => parseRule(text)).message;
      expect(message).to.match(why);
      expect(message).to.contain(`Cannot read the rule ${JSON.stringify(text)}, column ${column}: `);
    });
  }
});

describe('a host-wide denial', () => {
  it('is ports of a protocol', () => {
    expect(parseDenial('tcp/25,465-587')).to.deep.equal({
      protocol: 'tcp',
      ranges: [
        [25, 25],
        [465, 587],
      ],
    });
  });

  it('is an address or subnet', () => {
    for (const text of ['203.0.113.7', '198.18.0.0/15', 'fd00::/8', '::1', 'abcd::'])
      expect(parseDenial(text)).to.deep.equal(parsePrefix(text));
  });

  for (const text of ['tcp', 'icmp', 'any', '25', 'tcp/', 'tcp/0', '', '10.0.0.1/8', 'fd00::1/8', 'gre/1'])
    it(`is not ${JSON.stringify(text)}`, () => {
      expect(() => parseDenial(text)).to.throw(Refusal);
    });
});
