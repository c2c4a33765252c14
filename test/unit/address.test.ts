import { expect } from 'chai';
import fc from 'fast-check';
import {
  format,
  formatLong,
  parseAddress,
  parseInterfaceAddress,
  parsePrefix,
  parseRoutable,
} from '../../src/model/address.ts';
import {
  addresses,
  around,
  compare,
  contains,
  equal,
  last,
  overlaps,
  size,
  subtract,
} from '../../src/model/prefix.ts';
import { hostile, prefix, prefix4 } from '../support/arbitrary.ts';
import { doneOrRefused, refusalOf } from '../support/refused.ts';

describe('address', () => {
  it('reads what it writes', () => {
    fc.assert(
      fc.property(prefix, one => {
        expect(parsePrefix(format(one))).to.deep.equal(one);
        expect(parsePrefix(formatLong(one))).to.deep.equal(one);
      }),
    );
  });

  for (const [text, canonical] of [
    ['123.45.90.116', '123.45.90.116'],
    ['123.45.90.116/32', '123.45.90.116'],
    ['123.45.90.112/29', '123.45.90.112/29'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['255.255.255.255', '255.255.255.255'],
    // RFC 5952: lower case, the longest run of zeros shortened, the first of two equally long ones.
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:48:0::/80', '2001:db8:0:48::/80'],
    ['::', '::'],
    ['fe80::1/128', 'fe80::1'],
  ] as const) {
    it(`writes ${text} as ${canonical}`, () => {
      expect(format(parsePrefix(text))).to.equal(canonical);
    });
  }

  for (const text of [
    '',
    ' 1.2.3.4',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '010.1.1.1',
    '0x7f.1.1.1',
    '1.2.3.4/33',
    '1.2.3.4/08',
    '1.2.3.4/',
    '1.2.3.4/-1',
    '1.2.3.4\n',
    '2001:db8::1::',
    '2001:db8::/129',
    'localhost',
    '--help',
    '$(id)',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(refusalOf(() => parsePrefix(text))).to.match(/^".*" is not an IP address or subnet such as /);
    });
  }

  it('refuses a zone index, which says nothing to another machine', () => {
    expect(refusalOf(() => parsePrefix('fe80::1%eth0'))).to.equal(
      '"fe80::1%eth0" has a zone index, which only means something on one machine',
    );
  });

  for (const [text, what] of [
    ['224.0.0.9', 'a multicast'],
    ['ff02::1', 'a multicast'],
    ['ff00::/12', 'a multicast'],
    ['169.254.1.1', 'a link-local'],
    ['fe80::1', 'a link-local'],
    ['fe80::/64', 'a link-local'],
    ['127.0.0.1', 'a loopback'],
    ['::1', 'the loopback'],
    ['::', 'the unspecified'],
  ] as const) {
    it(`routes no ${text}`, () => {
      expect(refusalOf(() => parseRoutable(text))).to.equal(
        `"${text}" is ${what} address, which can't be routed to a domain`,
      );
    });
  }

  it('routes what is unicast', () => {
    for (const text of ['123.45.90.116', '123.45.90.112/29', '2001:db8:12:48::116', '2001:db8:12:48:1::/80'])
      expect(format(parseRoutable(text))).to.equal(text);
  });

  it('says which subnet was meant where host bits are set', () => {
    const said = refusalOf(() => parsePrefix('123.45.90.116/29'));
    expect(said).to.equal('"123.45.90.116/29" has host bits set: the subnet is 123.45.90.112/29');
    const { address, length } = parseInterfaceAddress('172.30.116.1/24');
    expect([format(address), length]).to.deep.equal(['172.30.116.1', 24]);
  });

  it('refuses IPv4 in the clothes of IPv6, and a subnet for an address', () => {
    expect(refusalOf(() => parseRoutable('::ffff:1.2.3.4'))).to.contain('is an IPv4-mapped address');
    // Others may have a rule or a route about it.
    expect(format(parsePrefix('::ffff:0.0.0.0/96'))).to.equal('::ffff:0:0/96');
    expect(refusalOf(() => parseAddress('123.45.90.112/29'))).to.contain('a single address is needed');
  });

  it('never fails in another way, whatever it reads', () => {
    fc.assert(fc.property(hostile, text => doneOrRefused(() => parsePrefix(text))));
  });

  it('lists every address of a subnet, the first and the last included', () => {
    const all = [...addresses(parsePrefix('123.45.90.112/29'))].map(format);
    expect(all).to.have.length(8);
    expect([all[0], all[7]]).to.deep.equal(['123.45.90.112', '123.45.90.119']);
  });

  it('orders, and knows that prefixes share addresses only by containing', () => {
    fc.assert(
      fc.property(prefix, prefix, (a, b) => {
        expect(compare(a, b) === 0).to.equal(equal(a, b));
        expect(Math.sign(compare(a, b))).to.equal(-Math.sign(compare(b, a)) + 0);
        const share = a.family === b.family && a.first <= last(b) && b.first <= last(a);
        expect(overlaps(a, b)).to.equal(share);
      }),
    );
  });

  it('knows the ranges around one, the largest first', () => {
    const ranges = around(parsePrefix('123.45.90.116')).map(formatLong);
    expect(ranges).to.have.length(32);
    expect([ranges[0], ranges[24], ranges[31]]).to.deep.equal([
      '0.0.0.0/0',
      '123.45.90.0/24',
      '123.45.90.116/31',
    ]);
    for (const text of ['2001:db8::/48', '123.45.90.112/29']) {
      const inner = parsePrefix(text);
      expect(around(inner).every(outer => contains(outer, inner) && !equal(outer, inner))).to.equal(true);
    }
  });

  it('subtracts: what is left and what was taken make the whole, and share nothing', () => {
    fc.assert(
      fc.property(prefix4, prefix4, (from, without) => {
        const left = subtract(from, without);
        const taken = overlaps(from, without) ? (contains(without, from) ? size(from) : size(without)) : 0n;
        expect(left.reduce((sum, one) => sum + size(one), taken)).to.equal(size(from));
        for (const one of left) expect(contains(from, one) && !overlaps(one, without)).to.equal(true);
      }),
    );
  });
});
