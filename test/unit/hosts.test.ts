import { expect } from 'chai';
import { fullName, hostsLine, ptrLine } from '../../src/guest/name-lines.ts';
import { parseAddress } from '../../src/model/address.ts';

const NAME = { label: 'vm1', full: undefined };

describe('lists of names', () => {
  it('/etc/hosts: address, full name, short name', () => {
    expect(hostsLine(parseAddress('123.45.90.116'), NAME, fullName(NAME, 'lan'))).to.equal(
      '123.45.90.116\tvm1.lan vm1',
    );
    const own = { label: 'www', full: 'www.example.org' };
    expect(hostsLine(parseAddress('2001:db8::80'), own, fullName(own, 'lan'))).to.equal(
      '2001:db8::80\twww.example.org www',
    );
  });

  it('reverse zones: octets, and nibbles (the example of RFC 3596)', () => {
    expect(ptrLine(parseAddress('123.45.90.116'), NAME, 'vm1.lan')).to.equal(
      '116.90.45.123.in-addr.arpa. IN PTR vm1.lan.',
    );
    expect(ptrLine(parseAddress('4321:0:1:2:3:4:567:89ab'), NAME, 'vm1.lan')).to.equal(
      'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa. IN PTR vm1.lan.',
    );
  });
});
