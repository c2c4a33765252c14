import { expect } from 'chai';
import fc from 'fast-check';
import { type NeededTraffic, obstacle } from '../../src/firewall/foreign/obstacles.ts';
import { parseSaved } from '../../src/firewall/foreign/parse-iptables.ts';
import { hasUnclearFlags, parseRuleset } from '../../src/firewall/foreign/parse-nft.ts';
import { passages } from '../../src/firewall/foreign/passages.ts';
import { iptables } from '../../src/firewall/iptables/iptables.ts';
import { parsePrefix } from '../../src/model/address.ts';
import { DEFAULT_CONFIG } from '../../src/model/parse-config.ts';
import { EMPTY_VIEW, type ForeignTable } from '../../src/model/view.ts';
import { UPLINK } from '../support/uplink.ts';
import { ODD_NFT, ODD_SAVED, recordedBy } from './recorded/foreign.ts';

/** What each release printed: its tables of iptables, and title → listing of nft. */
const RELEASES = [
  {
    release: 'Debian 12',
    saved: ODD_SAVED,
    listings: new Map([...ODD_NFT].map(([title, { listing }]) => [title, listing])),
  },
  ...[13, 14].map(release => {
    const { saved, odd } = recordedBy(release);
    const tables = ([4, 6] as const).flatMap(family =>
      ['nft', 'legacy'].map(kind => ({ text: saved[`odd ${family}, ${kind}`] ?? '', family })),
    );
    return { release: `Debian ${release}`, saved: tables, listings: new Map(Object.entries(odd)) };
  }),
];
const SAVED = ODD_SAVED;
const LISTINGS = RELEASES[0]?.listings ?? new Map<string, string>();

const POOLS = ['123.45.90.112/29', '2001:db8:90::/64'].map(parsePrefix);
const CONFIG = { ...DEFAULT_CONFIG, pools: POOLS };
const AT_HOST = ['0.0.0.0', '255.255.255.255', 'fe80::/64', 'ff02::/16'].map(parsePrefix);

/** Programs listen on the queues 5 and 6. */
function places(table: ForeignTable): number[] {
  return [...table.chains].flatMap(([name, { base }]) => {
    if (base === undefined) return [];
    const { point } = base;
    const families = table.family === 'ip' ? [4 as const] : [6 as const, 4 as const];
    const traffic: NeededTraffic = {
      point,
      families,
      uplinks: ['eth0'],
      queues: new Set([5, 6]),
      prefixes: point === 'forward' ? POOLS : AT_HOST,
    };
    return obstacle(table, name, traffic) ?? [];
  });
}

/** Everything that is done with tables that were read. */
function useAll(tables: readonly ForeignTable[]): void {
  const view = {
    ...EMPTY_VIEW,
    filter: { ...EMPTY_VIEW.filter, foreign: { tables, complete: true, carry: [] } },
  };
  for (const resource of passages(CONFIG, [UPLINK], iptables([4, 6]))) {
    resource.probe(view);
    resource.up(view);
    resource.down(view);
  }
}

for (const { release, saved, listings } of RELEASES)
  describe(`odd but legal rules of others, as ${release} prints them`, () => {
    it('of iptables block our domains only where they take the bulk of the traffic', () => {
      const blocking = saved.flatMap(({ text, family }) => {
        const lines = text.split('\n').filter(line => /^[:-]/.test(line));
        const builtin = (line: string): boolean => /^-A (FORWARD|INPUT|OUTPUT)\b/.test(line);
        // Each rule of a built-in chain alone, with all that it may jump to.
        return lines.filter(builtin).filter(line => {
          const alone = ['*filter', ...lines.filter(one => one === line || !builtin(one)), 'COMMIT', ''];
          return parseSaved(alone.join('\n'), family).flatMap(places).length > 0;
        });
      });
      expect([...new Set(blocking)]).to.deep.equal([
        '-A INPUT -p udp -m udp --sport 68 --dport 67:68 -j DROP',
        '-A INPUT ! -s 0.0.0.0/32 -p udp -j DROP',
        '-A FORWARD ! -d 123.45.0.3/255.255.0.255 -j DROP',
        '-A FORWARD -p tcp -m multiport ! --dports 22,80,443,1000:2000 -j DROP',
        '-A FORWARD -m policy --dir in --pol none -j DROP',
        '-A FORWARD -m conntrack --ctstate INVALID,UNTRACKED -j DROP',
        '-A FORWARD -m comment --comment "a\\\\b -d 123.45.90.112/32" -j DROP',
        '-A FORWARD -m comment --comment "-j ACCEPT" -m comment --comment "two comments -g X" -j DROP',
        '-A FORWARD -m statistic --mode random --probability 0.50000000000 -j DROP',
        '-A FORWARD ! -p tcp -j DROP',
        '-A FORWARD -i eth0 -j DROP',
        '-A FORWARD -o eth+ -j DROP',
        '-A FORWARD ! -i br+ -j DROP',
        '-A FORWARD ! -i lo ! -o lo -j DROP',
        '-A FORWARD -m devgroup ! --src-group 0x0/0xff -j DROP',
        '-A FORWARD -m addrtype ! --src-type LOCAL --limit-iface-in -j DROP',
        '-A FORWARD -j OTHER-DROP',
        '-A FORWARD -d 123.45.90.112/28 -j DROP',
        '-A FORWARD -j DROP',
        '-A FORWARD -j REJECT --reject-with icmp-admin-prohibited',
        '-A FORWARD -j we+ird#chain',
      ]);
    });

    it('of nft block our domains only where they take the bulk of the traffic', () => {
      const blocking = [...listings].map(
        ([title, listing]) => [title, parseRuleset(listing).flatMap(places)] as const,
      );
      expect(Object.fromEntries(blocking.filter(([, found]) => found.length > 0))).to.deep.equal({
        'vmap with intervals': [1],
        'vmap jump to chains by iifname with wildcard': [0],
        'ct expressions': [10],
        'drop of all untracked or new': [0],
        fib: [2],
        'socket, osf, rt, numgen, jhash': [6],
        'synproxy, quota, limit, counter, objects': [0],
        'raw payload, exthdr, masks, shifts': [11],
        'masked source that takes ours': [0],
        meta: [5],
        'kinds that take all of ours: iifkind bridge without more': [0],
        'chain priorities, devices, policy drop with a comment and unicode': [0],
        'nested jumps, goto, return': [0],
        'reject by types': [0],
        'negated sets, != with everything': [0],
        'negated own device': [1],
        'family-less iif index, group': [1],
      });
    });
  });

describe('odd but legal rules of others', () => {
  /** A rule of FORWARD alone, and whether it takes the bulk of the traffic, or what keeps it from that. */
  const JUDGED: readonly (readonly [rule: string, blocks: boolean])[] = [
    ['-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP', true],
    ['-p tcp -m tcp --tcp-flags SYN,RST SYN -j DROP', false],
    ['-p tcp -m tcp --dport 1:65535 -j DROP', true],
    ['-p tcp -m tcp --dport 1:1023 -j DROP', false],
    ['-m iprange --dst-range 123.45.90.100-123.45.90.130 -j DROP', true],
    ['-m iprange --dst-range 123.45.90.113-123.45.90.130 -j DROP', false],
    ['-m devgroup --src-group 0x686e -j DROP', true],
    ['-m devgroup --dst-group 0x6e/0xff -j DROP', true],
    ['-m devgroup --dst-group 0x7 -j DROP', false],
    ['-m mark --mark 0x0 -j DROP', true],
    ['-m mark --mark 0x0/0xff -j DROP', true],
    ['-m mark --mark 0x1/0xff -j DROP', false],
    ['-m connmark --mark 0x0 -j DROP', false],
    ['-m physdev ! --physdev-is-bridged -j DROP', true],
    ['-m physdev --physdev-is-bridged -j DROP', false],
    ['-m physdev ! --physdev-in tap+ -j DROP', true],
    ['-m pkttype --pkt-type unicast -j DROP', true],
    ['-m addrtype --dst-type UNICAST -j DROP', true],
    ['-m statistic --mode nth --every 2 --packet 0 -j DROP', true],
    ['-m statistic --mode nth --every 10 --packet 0 -j DROP', false],
    ['-m statistic --mode random --probability 0.01000000000 -j DROP', false],
    ['-p gre -j DROP', false],
    ['-p esp -j DROP', false],
    ['-f -j DROP', false],
    ['-m conntrack --ctorigdst 123.45.90.112/29 -j DROP', false],
    ['-m conntrack --ctstate NEW --ctdir REPLY -j DROP', false],
    ['-j NFQUEUE --queue-num 7', true],
    ['-j NFQUEUE --queue-balance 7:8', true],
    ['-j NFQUEUE --queue-balance 5:6', false],
    ['-j NFQUEUE --queue-num 7 --queue-bypass', false],
    ['-p icmp -j NFQUEUE --queue-num 7', false],
  ];
  for (const [rule, blocks] of JUDGED) {
    it(`${blocks ? 'takes' : "doesn't take"} the bulk of the traffic: ${rule}`, () => {
      const text = `*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD ${rule}\nCOMMIT\n`;
      expect(parseSaved(text, 4).flatMap(places)).to.deep.equal(blocks ? [0] : []);
    });
  }

  /** The same of nft, as the statements of a rule. */
  const meta = (key: string) => ({ meta: { key } });
  const is = (left: unknown, right: unknown, op = '==') => ({ match: { op, left, right } });
  const pair = { concat: [meta('iifname'), meta('oifname')] };
  const tcpFlags = { payload: { protocol: 'tcp', field: 'flags' } };
  const STATEMENTS: readonly (readonly [what: string, statements: readonly unknown[], blocks: boolean])[] = [
    ['two interfaces', [is(pair, { set: [{ concat: ['eth0', 'br1*'] }] })], true],
    [
      'two interfaces, one of them a bridge of ours',
      [is(pair, { set: [{ concat: ['eth0', 'br112'] }] })],
      false,
    ],
    ['several pairs', [is(pair, { set: [{ concat: ['lo', 'lo'] }, { concat: ['eth0', 'br*'] }] })], true],
    ['pairs of a named set', [is(pair, '@pairs')], false],
    ['a part of the group', [is({ '&': [meta('oifgroup'), 255] }, 110)], true],
    ['a part of another group', [is({ '&': [meta('oifgroup'), 255] }, 111)], false],
    ['bridges', [is(meta('oifkind'), 'bridge')], true],
    ['tunnels', [is(meta('oifkind'), 'tun')], false],
    ['Ethernet', [is(meta('iiftype'), 'ether')], true],
    ['no mark', [is(meta('mark'), 0)], true],
    ['no IPsec', [is(meta('ipsec'), false)], true],
    ['IPsec', [is(meta('ipsec'), true)], false],
    ['unicast', [is({ fib: { result: 'type', flags: ['daddr'] } }, 'unicast')], true],
    [
      'a range with the pool',
      [is({ payload: { protocol: 'ip', field: 'daddr' } }, { range: ['123.45.90.0', '123.45.91.7'] })],
      true,
    ],
    [
      'a range without',
      [is({ payload: { protocol: 'ip', field: 'daddr' } }, { range: ['123.45.90.0', '123.45.90.113'] })],
      false,
    ],
    ['opening segments', [is({ '&': [tcpFlags, ['fin', 'syn', 'rst', 'ack']] }, 'syn')], true],
    ['odd segments', [is({ '&': [tcpFlags, ['fin', 'syn']] }, ['fin', 'syn'])], false],
    ['half of all', [is({ numgen: { mode: 'random', mod: 10, offset: 0 } }, 5, '<')], true],
    ['a tenth', [is({ numgen: { mode: 'inc', mod: 10, offset: 0 } }, 0)], false],
  ];
  const forward = {
    family: 'inet',
    table: 'own',
    name: 'f',
    type: 'filter',
    hook: 'forward',
    prio: 0,
    policy: 'accept',
  };
  const judge = (expr: readonly unknown[], policy = 'accept') =>
    parseRuleset(
      JSON.stringify({
        nftables: [
          { chain: { ...forward, policy } },
          { chain: { family: 'inet', table: 'own', name: 'side' } },
          { rule: { family: 'inet', table: 'own', chain: 'f', handle: 1, expr } },
        ],
      }),
    ).flatMap(places);
  for (const [what, statements, blocks] of STATEMENTS) {
    it(`${blocks ? 'takes' : "doesn't take"} the bulk of the traffic (nft): ${what}`, () =>
      expect(judge([...statements, { drop: null }])).to.deep.equal(blocks ? [0] : []));
  }

  it('queues packets for nobody (nft), unless a program listens, or nobody need', () => {
    expect(judge([{ queue: { num: 7 } }])).to.deep.equal([0]);
    expect(judge([{ queue: { num: { range: [5, 6] } } }])).to.deep.equal([]);
    expect(judge([{ queue: { num: 7, flags: 'bypass' } }])).to.deep.equal([]);
  });

  it('leaves the chain for good by a goto: then the policy decides', () => {
    expect(judge([{ goto: { target: 'side' } }], 'drop')).to.deep.equal([0]);
    expect(judge([is(meta('iifname'), 'eth0'), { goto: { target: 'side' } }], 'drop')).to.deep.equal([0]);
    expect(judge([is(meta('iifname'), 'wg0'), { goto: { target: 'side' } }], 'drop')).to.deep.equal([1]);
    expect(judge([{ jump: { target: 'side' } }], 'drop')).to.deep.equal([1]);
    expect(judge([{ goto: { target: 'side' } }])).to.deep.equal([]);
  });

  it('in a table that is dormant block nothing', () => {
    for (const flags of ['dormant', ['dormant', 'owner']]) {
      const listing = (LISTINGS.get('dormant') ?? '').replace(
        /"flags":"[^"]*"/,
        `"flags":${JSON.stringify(flags)}`,
      );
      expect(parseRuleset(listing).flatMap(places)).to.deep.equal([]);
    }
  });

  it('in a table whose flags nft 1.0.6 prints as its name are known by its other listing', () => {
    const listing = LISTINGS.get('dormant') ?? '';
    expect(hasUnclearFlags(listing)).to.equal(true);
    expect(hasUnclearFlags(LISTINGS.get('fib') ?? '')).to.equal(false);
    const printed = (flags: string) =>
      `table inet other {\n\tflags dormant\n}\ntable inet t31 {\n\tflags ${flags}\n\tset s {\n\t\tflags dormant\n\t}\n}\n`;
    expect(parseRuleset(listing, printed('dormant')).flatMap(places)).to.deep.equal([]);
    expect(parseRuleset(listing, printed('owner')).flatMap(places)).to.deep.equal([0]);
  });

  it('that return unconditionally leave the packet to the policy', () => {
    const saved = (policy: string) =>
      `*filter\n:FORWARD ${policy} [0:0]\n-A FORWARD -j RETURN\n-A FORWARD -j DROP\nCOMMIT\n`;
    expect(parseSaved(saved('ACCEPT'), 4).flatMap(places)).to.deep.equal([]);
    expect(parseSaved(saved('DROP'), 4).flatMap(places)).to.deep.equal([0]);
  });
});

/** A text with some of its characters replaced, removed or repeated. */
const garbled = (text: string): fc.Arbitrary<string> =>
  fc
    .array(fc.tuple(fc.nat(text.length), fc.nat(12), fc.string({ maxLength: 4 }), fc.boolean()), {
      maxLength: 8,
    })
    .map(edits =>
      edits.reduce((left, [at, length, put, repeat]) => {
        const cut = left.slice(at, at + length);
        return left.slice(0, at) + put + (repeat ? cut + cut : '') + left.slice(at + length);
      }, text),
    );

describe("iptables' rules of others", () => {
  const table = (lines: readonly string[]): string =>
    ['*filter', ':INPUT ACCEPT [0:0]', ':FORWARD ACCEPT [0:0]', ...lines, 'COMMIT', ''].join('\n');
  const read = (text: string): ForeignTable[] => parseSaved(text, 4);

  for (const [what, texts] of [
    ['any text', fc.string()],
    ['any Unicode', fc.string({ unit: 'binary' })],
    ['any text as a table', fc.string().map(text => table([text]))],
    ['garbled output', fc.constantFrom(...SAVED.map(({ text }) => text)).chain(garbled)],
  ] as const) {
    it(`are read from ${what}`, () => fc.assert(fc.property(texts, text => useAll(read(text)))));
  }

  it('that are known are read beside any others', () => {
    const known = '-A FORWARD -s 192.0.2.0/24 -p tcp -m tcp --dport 25 -j DROP';
    const rules = fc.array(
      fc
        .oneof(fc.string(), fc.constantFrom(...SAVED.flatMap(({ text }) => text.split('\n'))).chain(garbled))
        .map(text => `-A FORWARD ${text.replaceAll(/[\r\n\u2028\u2029]/g, ' ')}`),
    );
    fc.assert(
      fc.property(rules, rules, (before, after) => {
        const [{ chains } = { chains: new Map() }] = read(table([...before, known, ...after]));
        expect(chains.get('FORWARD').rules).to.have.length(before.length + 1 + after.length);
        expect(chains.get('FORWARD').rules[before.length]).to.deep.equal({
          conditions: [
            { is: 'addresses', prefixes: [parsePrefix('192.0.2.0/24')] },
            { is: 'protocol', names: ['tcp'] },
            { is: 'ports', ranges: [[25, 25]] },
          ],
          effect: 'block',
        });
      }),
    );
  });
});

describe("nft's rules of others", () => {
  const any = fc.jsonValue();
  const ours = { family: 'inet', table: 'filter' };
  const statement = fc.oneof(
    any,
    fc.record({ match: fc.record({ op: fc.constantFrom('==', '!=', 'in', '<'), left: any, right: any }) }),
    fc.record({ vmap: fc.record({ key: any, data: fc.oneof(any, fc.record({ set: fc.array(any) })) }) }),
    fc.record({ xt: any }),
    fc.record({ jump: any }),
    fc.constantFrom({ drop: null }, { accept: null }, { return: null }),
  );
  const rule = fc.record({ expr: fc.array(statement), comment: any }).map(one => ({
    rule: { ...one, ...ours, chain: 'forward', handle: 7 },
  }));
  const object = fc.oneof(
    any,
    rule,
    fc.record({ rule: any }),
    fc.record({ table: fc.record({ name: any, flags: any }).map(one => ({ ...one, family: 'inet' })) }),
    fc.record({
      chain: fc.record({ hook: any, policy: any }).map(one => ({ ...ours, name: 'other', ...one })),
    }),
  );
  const listing = (objects: readonly unknown[]): string => JSON.stringify({ nftables: objects });

  it('are read from any objects in a listing', () =>
    fc.assert(fc.property(fc.array(object), objects => useAll(parseRuleset(listing(objects))))));

  it('are read whatever is in the other listing', () => {
    const listing = LISTINGS.get('dormant') ?? '';
    fc.assert(fc.property(fc.string({ unit: 'binary' }), text => useAll(parseRuleset(listing, text))));
  });

  it('are read from real output of which any part is something else', () => {
    const texts = fc.constantFrom(...LISTINGS.values());
    fc.assert(
      fc.property(texts, fc.nat(), any, (text, place, value) => {
        const { nftables } = JSON.parse(text) as { nftables: unknown };
        const changed = replaced(nftables, place, value);
        useAll(parseRuleset(listing(Array.isArray(changed) ? changed : [changed])));
      }),
    );
  });

  it('that are known are read beside any others', () => {
    const chain = { chain: { ...ours, name: 'forward', hook: 'forward', policy: 'accept' } };
    const daddr = { payload: { protocol: 'ip', field: 'daddr' } };
    const known = {
      rule: {
        ...ours,
        chain: 'forward',
        handle: 9,
        expr: [{ match: { op: '==', left: daddr, right: '192.0.2.1' } }, { drop: null }],
      },
    };
    fc.assert(
      fc.property(fc.array(object), fc.array(object), (before, after) => {
        const tables = parseRuleset(listing([chain, ...before, known, ...after]));
        const rules = tables.find(({ name }) => name === 'filter')?.chains.get('forward')?.rules ?? [];
        expect(rules.filter(({ handle }) => handle === 9)).to.deep.equal([
          {
            conditions: [{ is: 'addresses', prefixes: [parsePrefix('192.0.2.1')] }],
            effect: 'block',
            handle: 9,
          },
        ]);
      }),
      // Something that can't be made a text, where a word is expected.
      { examples: [[[{ chain: { ...ours, name: 'other', hook: { toString: [] } } }], []]] },
    );
  });
});

/** JSON in which the value at a place, counted through the whole, is another. */
function replaced(json: unknown, place: number, value: unknown): unknown {
  let left = place % count(json);
  const walk = (inner: unknown): unknown => {
    if (left-- === 0) return value;
    if (Array.isArray(inner)) return inner.map(walk);
    if (typeof inner !== 'object' || inner === null) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, one]) => [key, walk(one)]));
  };
  return walk(json);
}

const count = (json: unknown): number =>
  typeof json === 'object' && json !== null
    ? Object.values(json).reduce((sum: number, one) => sum + count(one), 1)
    : 1;
