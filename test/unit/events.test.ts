import { expect } from 'chai';
import fc from 'fast-check';
import { formatLong, parsePrefix } from '../../src/model/address.ts';
import { overlaps } from '../../src/model/prefix.ts';
import { concerns } from '../../src/repair/events.ts';
import { prefix } from '../support/arbitrary.ts';

const RANGES = ['123.45.90.112/29', '172.30.0.0/16', '123.45.12.1', '2001:db8:12:48::/64'].map(parsePrefix);

const GROUNDS = { ranges: RANGES, uplinks: ['eth0', 'eth5'] };

/** Lines as `ip -o monitor link address route rule` of iproute2 6.1 prints them. */
const CONCERN = [
  '2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default ',
  'Deleted 7: br116: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN group 26734 ',
  '3: eth0    inet 1.2.3.4/24 scope global eth0\\       valid_lft forever preferred_lft forever',
  '99:	from all lookup 52',
  'Deleted 32765:	not from all fwmark 0xca6c lookup 51820',
  'default via 123.45.12.1 dev eth0 onlink ',
  'Deleted default via 10.8.0.1 dev eth1 proto dhcp src 10.8.0.2 metric 50 ',
  '0.0.0.0/1 via 10.9.0.2 dev wg0 ',
  '8000::/1 via fd00:9::2 dev wg0 metric 1024 pref medium',
  'Deleted default via 123.45.12.1 dev eth0 table 26734 proto 104 onlink ',
  'Deleted 123.45.90.116 dev br116 proto 104 scope link ',
  'blackhole 198.51.100.0/24 proto 104 metric 1000000 ',
  'local 123.45.90.113 dev eth0 table local proto kernel scope host src 123.45.90.113 ',
  '123.45.90.114 dev tun0 scope link ',
  '2001:db8:12::/48 dev eth1 proto kernel metric 256 pref medium',
  '192.168.5.0/24 via 10.9.0.2 dev wg0 ',
  'Deleted 10.9.0.3 dev wg0 scope link ',
  'fd05::/64 via fd09::2 dev wg0 proto static metric 1024 pref medium',
  '20.9.0.0/24 \\	nexthop via 10.0.0.1 dev wg0 weight 1 \\	nexthop via 10.0.0.2 dev wg1 weight 1 ',
  '123.45.90.112/29 via 123.45.12.1 dev eth0 onlink ',
  'a line that nobody knows',
];
const NOTHING = [
  '20.1.2.0/24 via 123.45.12.1 dev eth0 proto bird onlink ',
  'Deleted 20.1.2.0/24 via 123.45.12.1 dev eth0 proto bird metric 32 ',
  '2a00:1:2::/48 via fe80::1 dev eth0 proto bird metric 1024 pref medium',
  'local 20.1.2.3 dev docker0 table local proto kernel scope host src 20.1.2.3 ',
  'broadcast 10.1.255.255 dev docker0 table local proto kernel scope link src 10.1.0.1 ',
  'multicast ff00::/8 dev eth0 table local proto kernel metric 256 pref medium',
  'unreachable 20.0.0.0/8 proto static ',
  '20.1.2.0/24 via 123.45.12.1 dev eth0 onlink ',
  'Deleted 2a00:1:2::/48 via fe80::1 dev eth0 proto static metric 1024 pref medium',
  '20.1.3.0/24 \\	nexthop via 10.0.0.1 dev eth0 weight 1 \\	nexthop via 10.0.0.2 dev eth5 weight 1 ',
  '20.1.2.0/24 proto bird \\	nexthop via 10.0.0.1 dev eth0 weight 1 \\	nexthop via 10.0.0.2 dev eth1 weight 1 ',
];

describe('an event of the network', () => {
  for (const line of CONCERN)
    it(`concerns domains: ${line}`, () => expect(concerns(line, GROUNDS)).to.equal(true));
  for (const line of NOTHING)
    it(`is nobody's business: ${line}`, () => expect(concerns(line, GROUNDS)).to.equal(false));

  it('of a route concerns them if, and only if, it touches their ranges or nearly everything', () => {
    fc.assert(
      fc.property(prefix, fc.boolean(), (one, isGone) => {
        const line = `${isGone ? 'Deleted ' : ''}${formatLong(one)} via 10.0.0.1 dev eth0 proto bird `;
        const touches = one.length < 8 || RANGES.some(range => overlaps(range, one));
        expect(concerns(line, GROUNDS)).to.equal(touches);
      }),
    );
  });
});
