import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { type NeededTraffic, obstacle } from '../../src/firewall/foreign/obstacles.ts';
import { parseSaved } from '../../src/firewall/foreign/parse-iptables.ts';
import { parseRuleset } from '../../src/firewall/foreign/parse-nft.ts';
import { passages } from '../../src/firewall/foreign/passages.ts';
import { iptables } from '../../src/firewall/iptables/iptables.ts';
import { parsePrefix } from '../../src/model/address.ts';
import { DEFAULT_CONFIG } from '../../src/model/parse-config.ts';
import { EMPTY_VIEW, type ForeignTable } from '../../src/model/view.ts';
import { UPLINK } from '../support/uplink.ts';

const textOf = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

/** What iptables-save 1.8.9 prints: a filter table of IPv4, and one of IPv6. */
const SAVED = textOf('odd-iptables.txt')
  .split(/^(?=\*filter)/m)
  .slice(1)
  .map((text, index) => ({ text, family: index === 0 ? 4 : 6 }) as const);
/** Title → what nft 1.0.6 prints. */
const LISTINGS = new Map(
  textOf('odd-nft.txt')
    .split(/^### /m)
    .slice(1)
    .map(part => {
      const lines = part.trim().split('\n');
      return [lines[0] ?? '', lines.at(-1) ?? ''];
    }),
);

const POOLS = ['123.45.90.112/29', '2001:db8:90::/64'].map(parsePrefix);
const CONFIG = { ...DEFAULT_CONFIG, pools: POOLS };
const AT_HOST = ['0.0.0.0', '255.255.255.255', 'fe80::/64', 'ff02::/16'].map(parsePrefix);

function places(table: ForeignTable): number[] {
  return [...table.chains].flatMap(([name, { base }]) => {
    if (base === undefined) return [];
    const { point } = base;
    const families = table.family === 'ip' ? [4 as const] : [6 as const, 4 as const];
    const traffic: NeededTraffic = {
      point,
      families,
      uplink: 'eth0',
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
  for (const resource of passages(CONFIG, UPLINK, iptables([4, 6]))) {
    resource.probe(view);
    resource.up(view);
    resource.down(view);
  }
}

describe('odd but legal rules of others', () => {
  it('of iptables block our domains only where they take the bulk of the traffic', () => {
    const blocking = SAVED.flatMap(({ text, family }) => {
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
      '-A FORWARD -m conntrack --ctstate INVALID,UNTRACKED -j DROP',
      '-A FORWARD -m comment --comment "a\\\\b -d 123.45.90.112/32" -j DROP',
      '-A FORWARD -m comment --comment "-j ACCEPT" -m comment --comment "two comments -g X" -j DROP',
      '-A FORWARD ! -p tcp -j DROP',
      '-A FORWARD -i eth0 -j DROP',
      '-A FORWARD -o eth+ -j DROP',
      '-A FORWARD ! -i br+ -j DROP',
      '-A FORWARD ! -i lo ! -o lo -j DROP',
      '-A FORWARD -m devgroup ! --src-group 0x0/0xff -j DROP',
      '-A FORWARD -j OTHER-DROP',
      '-A FORWARD -d 123.45.90.112/28 -j DROP',
      '-A FORWARD -j DROP',
      '-A FORWARD -j REJECT --reject-with icmp-admin-prohibited',
      '-A FORWARD -j we+ird#chain',
    ]);
  });

  it('of nft block our domains only where they take the bulk of the traffic', () => {
    const blocking = [...LISTINGS].map(
      ([title, listing]) => [title, parseRuleset(listing).flatMap(places)] as const,
    );
    expect(Object.fromEntries(blocking.filter(([, found]) => found.length > 0))).to.deep.equal({
      'vmap with intervals': [1],
      'vmap jump to chains by iifname with wildcard': [0],
      'ct expressions': [10],
      'drop of all untracked or new': [0],
      fib: [2],
      'synproxy, quota, limit, counter, objects': [0],
      'masked source that takes ours': [0],
      'chain priorities, devices, policy drop with a comment and unicode': [0],
      'nested jumps, goto, return': [0],
      'reject by types': [0],
      'negated sets, != with everything': [0],
      'negated own device': [1],
      'family-less iif index, group': [1],
      // nft 1.0.6 prints garbage for this flag.
      dormant: [0],
    });
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
