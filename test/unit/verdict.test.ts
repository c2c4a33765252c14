import { expect } from 'chai';
import fc from 'fast-check';
import { toRules } from '../../src/host/observe/ip.ts';
import { toVerdict } from '../../src/host/observe/route-get.ts';
import { questionOf } from '../../src/host/observe/verdict.ts';
import { parseAddress } from '../../src/model/address.ts';
import { drops, type Packet, tableOf, takes, type Verdict } from '../../src/model/verdict.ts';
import { EMPTY_VIEW, type View } from '../../src/model/view.ts';
import { causeOf, isServed, type Way } from '../../src/repair/cause.ts';
import { hostile } from '../support/arbitrary.ts';
import { UPLINK } from '../support/uplink.ts';

const packet = (from: string, to: string, iif: string): Packet => ({
  from: parseAddress(from),
  to: parseAddress(to),
  iif,
});
const TOWARDS = packet('192.0.2.1', '123.45.90.116', 'eth0');

/** What iproute2 6.1 and the kernel 6.18 say to `ip -json -details route get fibmatch`, and what it means. */
const ANSWERS: readonly [string, Verdict][] = [
  [
    '{"type":"unicast","dst":"123.45.90.116","from":"192.0.2.1","dev":"br116","table":"main","flags":[],"cache":[],"iif":"eth0"}',
    { is: 'forwarded', devices: ['br116'], table: 'main' },
  ],
  [
    '{"type":"unicast","dst":"2000::1","from":"2001:db8:12:48::116","gateway":"fe80::1","dev":"eth0","table":"main","protocol":"boot","scope":"global","metric":1024,"flags":[],"iif":"br116","pref":"medium"}',
    { is: 'forwarded', devices: ['eth0'], table: 'main' },
  ],
  [
    '{"type":"unicast","dst":"192.0.2.1","from":"123.45.90.116","dev":"vpn","table":"52","flags":[],"cache":[],"iif":"br116"}',
    { is: 'forwarded', devices: ['vpn'], table: '52' },
  ],
  [
    '{"type":"unicast","dst":"default","table":"main","flags":[],"nexthops":[{"gateway":"10.0.0.1","dev":"eth0","weight":200,"flags":[]},{"gateway":"10.1.0.1","dev":"eth1","weight":50,"flags":[]},{"gateway":"10.2.0.1","dev":"eth2","weight":1,"flags":["dead","linkdown"]}]}',
    { is: 'forwarded', devices: ['eth0', 'eth1'], table: 'main' },
  ],
  // Under net.ipv4.nexthop_compat_mode=0; then it is asked for a hop.
  ['{"type":"unicast","dst":"default","nhid":3,"table":"main"}', { is: 'dropped', words: 'unicast' }],
  [
    '{"type":"local","dst":"123.45.90.116","from":"192.0.2.1","dev":"lo","table":"main","flags":[],"cache":["local"],"iif":"eth0"}',
    { is: 'delivered' },
  ],
  [
    '{"type":"local","dst":"2001:db8:12:48::116","from":"2000::1","dev":"lo","table":"local","protocol":"kernel","scope":"global","metric":0,"flags":[],"iif":"eth0","pref":"medium"}',
    { is: 'delivered' },
  ],
  // Kernels before 4.20 answer so in IPv6.
  [
    '{"type":"unreachable","dst":"2001:db8::","dev":"lo","table":"main","error":-113}',
    { is: 'dropped', words: 'unreachable' },
  ],
];

const FAILURES: readonly [string, string][] = [
  ['RTNETLINK answers: Network is unreachable', 'Network is unreachable'],
  ['RTNETLINK answers: No route to host', 'No route to host'],
  ['RTNETLINK answers: Invalid argument', 'Invalid argument'],
  ['RTNETLINK answers: Invalid cross-device link', 'Invalid cross-device link'],
  [
    'Error: ipv6: Nexthop is odd.\nRTNETLINK answers: Permission denied',
    'ipv6: Nexthop is odd.; Permission denied',
  ],
  ['Cannot find device "br116"', 'Cannot find device "br116"'],
];

/** What `ip -json -details rule show` prints: the kernel's own, of operators, of wg-quick and of tailscale. */
const RULES4 = [
  { priority: 0, src: 'all', table: 'local', protocol: 'kernel' },
  { priority: 100, src: '123.45.90.116', action: 'prohibit', protocol: 'unspec' },
  { priority: 200, src: 'all', iif: 'br116', table: '7' },
  { priority: 300, src: '10.0.0.0', srclen: 8, iif: 'lo', ipproto: 'tcp', dport: 22, table: '9' },
  { priority: 301, src: 'all', fwmark: '0', fwmask: '0xff', table: '10' },
  { priority: 302, src: 'all', iif: 'gone', iif_detached: null, table: '11' },
  { priority: 5210, src: 'all', fwmark: '0x80000', fwmask: '0xff0000', table: 'main' },
  { priority: 5270, src: 'all', table: '52' },
  { priority: 32764, src: 'all', table: 'main', suppress_prefixlen: 0 },
  { priority: 32765, not: null, src: 'all', fwmark: '0xca6c', table: '51820' },
  { priority: 32766, src: 'all', table: 'main', protocol: 'kernel' },
];
const RULES6 = [
  { priority: 101, src: 'all', dst: '2001:db8:12:48::116', action: 'unreachable' },
  { priority: 32766, src: 'all', table: 'main', protocol: 'kernel' },
];
const RULES = [...toRules(4, RULES4), ...toRules(6, RULES6)];

describe('what the kernel says of a packet', () => {
  it('is asked for in the words of ip', () => {
    expect(questionOf(TOWARDS)).to.equal('route get fibmatch 123.45.90.116 from 192.0.2.1 iif eth0');
  });

  it('is read from its answers', () => {
    for (const [text, verdict] of ANSWERS)
      expect(toVerdict({ found: [JSON.parse(text)] })).to.deep.equal(verdict);
    for (const [failure, words] of FAILURES)
      expect(toVerdict({ found: [], failure })).to.deep.equal({ is: 'dropped', words });
  });

  it('is a drop where there is no sense in it, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.jsonValue(), fc.object(), fc.anything())),
        fc.option(hostile),
        (found, failure) => {
          const verdict = toVerdict(failure === null ? { found } : { found, failure });
          expect(verdict.is).to.be.oneOf(['forwarded', 'delivered', 'dropped']);
        },
      ),
    );
    for (const odd of [[], [null], [{}], [{ type: 'unicast' }], [{ dev: 7 }], ['local']])
      expect(toVerdict({ found: odd }).is).to.equal('dropped');
  });
});

describe('rules of routing', () => {
  it('take the packets that they name', () => {
    const back = packet('123.45.90.116', '192.0.2.1', 'br116');
    const towards6 = packet('2000::1', '2001:db8:12:48::116', 'eth0');
    const taking = (one: Packet): number[] =>
      RULES.filter(rule => takes(rule, one)).map(({ preference }) => preference);
    // wg-quick's takes what has no mark, and tailscale's what has one.
    expect(taking(TOWARDS)).to.deep.equal([0, 301, 5270, 32764, 32765, 32766]);
    expect(taking(back)).to.deep.equal([0, 100, 200, 301, 5270, 32764, 32765, 32766]);
    expect(taking(towards6)).to.deep.equal([101, 32766]);
    expect(RULES.filter(drops).map(({ preference }) => preference)).to.deep.equal([100, 101]);
    expect(RULES.map(tableOf).slice(0, 4)).to.deep.equal(['local', undefined, '7', '9']);
  });

  it('are judged whatever their words are, without an error', () => {
    const word = fc.oneof(
      hostile,
      fc.constantFrom('from', 'to', 'iif', 'fwmark', 'lookup', 'not', '1.2.3.4/33'),
    );
    fc.assert(
      fc.property(fc.array(word), all => {
        const rule = { family: 4, preference: 7, words: all.join(' '), isOurs: false } as const;
        expect(takes(rule, TOWARDS)).to.be.a('boolean');
        expect(drops(rule)).to.be.a('boolean');
        tableOf(rule);
      }),
    );
  });
});

describe('why an address is not served', () => {
  const way: Way = { address: TOWARDS.to, packet: TOWARDS, wanted: ['br116'] };
  const served: Verdict = { is: 'forwarded', devices: ['br116'], table: 'main' };
  const dropped = (words: string): Verdict => ({ is: 'dropped', words });
  const seen = (more: Partial<View>, rules: readonly unknown[] = []): Parameters<typeof causeOf>[3] => ({
    view: { ...EMPTY_VIEW, policy: { rules: toRules(4, rules), own: [] }, ...more },
    uplinks: [UPLINK],
    routeOf: () => undefined,
  });
  const sysctls = (values: Readonly<Record<string, string>>): Partial<View> => ({
    sysctl: path => values[path.replace('/proc/sys/net/ipv4/conf/', '')],
  });
  const home: Verdict = { is: 'forwarded', devices: ['eth0'], table: 'main' };

  /** The verdict, that on the other way, what is known of the host, and the cause. */
  const CASES: readonly (readonly [Verdict, Verdict, ReturnType<typeof seen>, string])[] = [
    [
      dropped('No route to host'),
      home,
      seen(sysctls({ 'eth0/forwarding': '0' })),
      'forwarding is off on eth0',
    ],
    [
      dropped('No route to host'),
      home,
      seen({}),
      'an unreachable route drops what is sent to it (No route to host)',
    ],
    // Before 6.13 the kernel named the check by an error of its own.
    ...['Invalid argument', 'Invalid cross-device link'].map(
      words =>
        [
          dropped(words),
          { is: 'forwarded', devices: ['wg0'], table: '51820' },
          seen(sysctls({ 'all/rp_filter': '1', 'eth0/rp_filter': '0' })),
          'the reverse-path check of eth0 (rp_filter is 1) drops what is sent to it: the way back leads to wg0',
        ] as const,
    ),
    [
      dropped('Invalid argument'),
      home,
      seen(sysctls({ 'all/rp_filter': '1', 'eth0/rp_filter': '2' })),
      'a blackhole route drops what is sent to it (Invalid argument)',
    ],
    [
      dropped('Invalid argument'),
      home,
      seen({}, [{ priority: 100, src: 'all', table: '7' }]),
      'the rule 100 (from all lookup 7) has a table of its own, and a blackhole route drops what is sent to it (Invalid argument)',
    ],
    [
      dropped('Network is unreachable'),
      home,
      seen({}, [{ priority: 9, src: 'all', action: 'prohibit' }]),
      'the rule 9 (action prohibit from all) forbids what is sent to it',
    ],
    [
      dropped('Network is unreachable'),
      home,
      seen({}),
      'there is no route for what is sent to it (Network is unreachable)',
    ],
    [
      { is: 'forwarded', devices: ['wg0'], table: '51820' },
      home,
      seen({}, RULES4),
      'the rule 32765 (not fwmark 0xca6c from all lookup 51820) leads what is sent to it to wg0',
    ],
    [
      { is: 'forwarded', devices: ['br116', 'wg0'], table: '51820' },
      home,
      seen({}, RULES4),
      'the rule 32765 (not fwmark 0xca6c from all lookup 51820) leads a part of what is sent to it to wg0',
    ],
    [{ is: 'delivered' }, home, seen({}), 'the host takes it for its own, by a route of its table "local"'],
  ];

  it('is told by the verdict, and by what is known of the host', () => {
    expect(isServed(way, served)).to.equal(true);
    for (const [verdict, back, known, why] of CASES) {
      expect(isServed(way, verdict), why).to.equal(false);
      expect(causeOf(way, verdict, back, known).why).to.equal(why);
    }
  });
});
