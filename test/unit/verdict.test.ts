import { expect } from 'chai';
import fc from 'fast-check';
import { toRoutingRules } from '../../src/host/observe/routing-rules.ts';
import { questionOf, toVerdict } from '../../src/host/observe/verdict.ts';
import { parseAddress, parsePrefix, routeKey } from '../../src/model/address.ts';
import { type Packet, takes, type Verdict } from '../../src/model/verdict.ts';
import { EMPTY_VIEW, type Route, type View } from '../../src/model/view.ts';
import { causeOf, isServed, type Way } from '../../src/repair/cause.ts';
import { hostile } from '../support/arbitrary.ts';
import { UPLINK } from '../support/uplink.ts';

const packet = (from: string, to: string, iif: string): Packet => ({
  from: parseAddress(from),
  to: parseAddress(to),
  iif,
});
const TOWARDS = packet('192.0.2.1', '123.45.90.116', 'eth0');

/** What iproute2 6.1 and the kernel 6.18 say to `ip -json -details route get`, and what it means. */
const ANSWERS: readonly [string, Verdict][] = [
  [
    '{"type":"unicast","dst":"123.45.90.116","from":"192.0.2.1","dev":"br116","table":"main","flags":[],"cache":[],"iif":"eth0"}',
    { is: 'forwarded', dev: 'br116', table: 'main' },
  ],
  [
    '{"type":"unicast","dst":"2000::1","from":"2001:db8:12:48::116","gateway":"fe80::1","dev":"eth0","table":"main","protocol":"boot","scope":"global","metric":1024,"flags":[],"iif":"br116","pref":"medium"}',
    { is: 'forwarded', dev: 'eth0', table: 'main' },
  ],
  [
    '{"type":"unicast","dst":"192.0.2.1","from":"123.45.90.116","dev":"vpn","table":"52","flags":[],"cache":[],"iif":"br116"}',
    { is: 'forwarded', dev: 'vpn', table: '52' },
  ],
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

const RULES = `0:	from all lookup local
100:	from 123.45.90.116 prohibit proto static
101:	from all to 2001:db8:12:48::116 unreachable
200:	from all iif br116 lookup 7
32764:	from all lookup main suppress_prefixlength 0
32765:	not from all fwmark 0xca6c lookup 51820
5210:	from all fwmark 0x80000/0xff0000 lookup main
5270:	from all lookup 52
300:	from 10.0.0.0/8 iif lo ipproto tcp dport 22 lookup 9
301:	from all fwmark 0/0xff lookup 10
32766:	from all lookup main
a line that is none`;

describe('what the kernel says of a packet', () => {
  it('is asked for in the words of ip', () => {
    expect(questionOf(TOWARDS)).to.equal('route get 123.45.90.116 from 192.0.2.1 iif eth0');
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
  const rules = new Map(toRoutingRules(RULES).map(rule => [rule.preference, rule]));

  it('are read, and take the packets that they name', () => {
    expect([...rules.keys()]).to.deep.equal([0, 100, 101, 200, 32764, 32765, 5210, 5270, 300, 301, 32766]);
    const back = packet('123.45.90.116', '192.0.2.1', 'br116');
    const towards6 = packet('2000::1', '2001:db8:12:48::116', 'eth0');
    const taking = (one: Packet): number[] =>
      [...rules.values()].filter(rule => takes(rule, one)).map(({ preference }) => preference);
    // wg-quick's takes what has no mark, and tailscale's what has one.
    expect(taking(TOWARDS)).to.deep.equal([0, 32764, 32765, 5270, 301, 32766]);
    expect(taking(back)).to.deep.equal([0, 100, 200, 32764, 32765, 5270, 301, 32766]);
    expect(taking(towards6)).to.deep.equal([0, 101, 32764, 32765, 5270, 301, 32766]);
    expect(rules.get(100)).to.include({
      drops: true,
      table: undefined,
      text: 'from 123.45.90.116 prohibit proto static',
    });
    expect(rules.get(32765)).to.include({ drops: false, table: '51820' });
  });

  it('are read from anything, without an error', () => {
    const word = fc.oneof(
      hostile,
      fc.constantFrom('from', 'to', 'iif', 'fwmark', 'lookup', 'not', 'all', '1.2.3.4/33'),
    );
    const line = fc.array(word).map(words => `7:\t${words.join(' ')}`);
    fc.assert(
      fc.property(fc.array(fc.oneof(line, hostile)), lines => {
        for (const rule of toRoutingRules(lines.join('\n'))) expect(takes(rule, TOWARDS)).to.be.a('boolean');
      }),
    );
  });
});

describe('why an address is not served', () => {
  const way: Way = { address: TOWARDS.to, packet: TOWARDS, wanted: 'br116' };
  const served: Verdict = { is: 'forwarded', dev: 'br116', table: 'main' };
  const dropped = (words: string): Verdict => ({ is: 'dropped', words });
  const seen = (more: Partial<View>, rules = ''): Parameters<typeof causeOf>[3] => ({
    view: { ...EMPTY_VIEW, ...more },
    uplink: UPLINK,
    rules: { 4: toRoutingRules(rules), 6: [] },
  });
  const sysctls = (values: Readonly<Record<string, string>>): Partial<View> => ({
    sysctl: path => values[path.replace('/proc/sys/net/ipv4/conf/', '')],
  });
  const route = (text: string, more: Partial<Route>): Partial<View> => {
    const prefix = parsePrefix(text);
    const made = { prefix, type: 'unicast', dev: undefined, protocol: 'static', metric: 0, ...more };
    return { routes: new Map([[routeKey(prefix, made.metric), made]]) };
  };
  const home: Verdict = { is: 'forwarded', dev: 'eth0', table: 'main' };

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
      seen(route('123.45.90.0/24', { type: 'unreachable' })),
      'the route unreachable 123.45.90.0/24 metric 0 drops what is sent to it',
    ],
    // Before 6.13 the kernel named the check by an error of its own.
    ...['Invalid argument', 'Invalid cross-device link'].map(
      words =>
        [
          dropped(words),
          { is: 'forwarded', dev: 'wg0', table: '51820' },
          seen(sysctls({ 'all/rp_filter': '1', 'eth0/rp_filter': '0' })),
          'the reverse-path check of eth0 (rp_filter is 1) drops what is sent to it: the way back leads to wg0',
        ] as const,
    ),
    [
      dropped('Invalid argument'),
      home,
      seen(sysctls({ 'all/rp_filter': '1', 'eth0/rp_filter': '2' })),
      'the kernel drops what is sent to it: Invalid argument',
    ],
    [
      dropped('Network is unreachable'),
      home,
      seen({}, '9: from all prohibit'),
      'the rule 9 (from all prohibit) forbids what is sent to it',
    ],
    [dropped('Network is unreachable'), home, seen({}), 'there is no route for what is sent to it'],
    [
      { is: 'forwarded', dev: 'wg0', table: '51820' },
      home,
      seen({}, '32765: not from all fwmark 0xca6c lookup 51820'),
      'the rule 32765 (not from all fwmark 0xca6c lookup 51820) leads what is sent to it to wg0',
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
