import { expect } from 'chai';
import { parseListing } from '../../src/firewall/nftables/listing.ts';
import { addFor, entries, leadTo } from '../../src/firewall/nftables/sets.ts';
import { renderRule } from '../../src/firewall/nftables/text.ts';
import {
  back,
  drop,
  from,
  fromNet,
  go,
  jump,
  keep,
  notDestination,
  rule,
  source,
  state,
  toDomain,
  untrack,
} from '../../src/firewall/rules/rules.ts';
import { parsePrefix } from '../../src/model/address.ts';
import { describe as describeAction } from '../../src/resources/action.ts';
import { refusalOf } from './refusal.ts';

describe('nft', () => {
  it('translates a source that nobody is to translate to itself, for chains of a later priority', () => {
    expect(renderRule(rule(keep, fromNet(parsePrefix('123.45.90.112/29'))), 4)).to.deep.equal([
      'ip saddr 123.45.90.112/29 snat to ip saddr',
    ]);
    expect(renderRule(rule(keep), 6)).to.deep.equal(['snat to ip6 saddr']);
  });

  it('gets a rule as it reads it, with a counter on what drops', () => {
    expect(renderRule(rule(back, from(['eth0']), state('UNTRACKED')), 4)).to.deep.equal([
      'iifname "eth0" ct state untracked return',
    ]);
    expect(renderRule(rule(drop('why'), source('hnet4-ours')), 4)).to.deep.equal([
      'ip saddr @hnet4-ours counter drop',
    ]);
    expect(renderRule(rule(jump('hnet-in'), toDomain), 4)).to.deep.equal(['oifgroup 26734 jump hnet-in']);
  });

  it('asks for a single address first, and then for a subnet; or for neither, in one rule', () => {
    expect(renderRule(rule(go('hnet-assigned'), from(['eth0']), source('hnet6-in')), 6)).to.deep.equal([
      'iifname "eth0" ip6 saddr @hnet6-in goto hnet-assigned',
      'iifname "eth0" ip6 saddr @hnet6-in-subnets goto hnet-assigned',
    ]);
    expect(renderRule(rule(untrack, notDestination('hnet4-tracked')), 4)).to.deep.equal([
      'ip daddr != @hnet4-tracked ip daddr != @hnet4-tracked-subnets notrack',
    ]);
  });

  it('keeps single addresses apart from subnets, but where ranges alone are kept', () => {
    const [single, subnet] = [parsePrefix('123.45.90.116'), parsePrefix('2001:db8:1::/64')];
    const lines = [
      entries.add('hnet4-in', single),
      entries.remove('hnet6-in', subnet),
      entries.add('hnet4-ours', single),
      leadTo('hnet6-inbound-rules', subnet, 'hnet-in-1'),
      addFor('hnet4-settling', single, 2),
    ];
    expect(lines.map(describeAction)).to.deep.equal([
      "nft 'add element ip hnet hnet4-in { 123.45.90.116 }'",
      "nft 'delete element ip6 hnet hnet6-in-subnets { 2001:db8:1::/64 }'",
      "nft 'add element ip hnet hnet4-ours { 123.45.90.116 }'",
      "nft 'add element ip6 hnet hnet6-inbound-rules-subnets { 2001:db8:1::/64 : goto hnet-in-1 }'",
      "nft 'add element ip hnet hnet4-settling { 123.45.90.116 timeout 2s }'",
    ]);
  });

  it('gets any number of ports at once', () => {
    const prefix = parsePrefix('2001:db8::/32');
    const ranges = Array.from({ length: 20 }, (_, index) => [index + 1, index + 1] as const);
    expect(
      renderRule(
        rule(back, { is: 'net', side: 'destination', prefix }, { is: 'ports', protocol: 'udp', ranges }),
        6,
      ),
    ).to.deep.equal([
      `ip6 daddr 2001:db8::/32 udp dport { ${ranges.map(([port]) => port).join(', ')} } return`,
    ]);
    expect(
      renderRule(rule(back, { is: 'ports', protocol: 'tcp', ranges: [[80, 90]], side: 'source' }), 4),
    ).to.deep.equal(['tcp sport { 80-90 } return']);
  });

  it('gets the ICMP of the family', () => {
    expect(renderRule(rule(back, { is: 'icmp-error' }), 4)).to.deep.equal([
      'icmp type { destination-unreachable, time-exceeded, parameter-problem } return',
    ]);
    expect(renderRule(rule(back, { is: 'icmp-error' }), 6)[0]).to.contain(
      'icmpv6 type { destination-unreachable, packet-too-big,',
    );
    expect(renderRule(rule(back, { is: 'protocol', protocol: 'icmp' }), 6)).to.deep.equal([
      'meta l4proto ipv6-icmp return',
    ]);
  });
});

describe('what nft -j prints', () => {
  const listing = JSON.stringify({
    nftables: [
      { metainfo: { version: '1.0.6' } },
      { table: { family: 'ip', name: 'hnet', handle: 1 } },
      {
        set: {
          family: 'ip',
          table: 'hnet',
          name: 'hnet4-in',
          elem: [{ elem: { val: '123.45.90.116', counter: { packets: 12, bytes: 3456 } } }],
        },
      },
      {
        set: {
          family: 'ip',
          table: 'hnet',
          name: 'hnet4-in-subnets',
          elem: [
            {
              elem: {
                val: { prefix: { addr: '123.45.90.112', len: 30 } },
                counter: { packets: 0, bytes: 0 },
              },
            },
          ],
        },
      },
      {
        set: {
          family: 'ip',
          table: 'hnet',
          name: 'hnet4-scopes',
          elem: [{ prefix: { addr: '172.30.116.0', len: 24 } }, '172.30.7.7'],
        },
      },
      {
        map: {
          family: 'ip',
          table: 'hnet',
          name: 'hnet4-inbound-rules',
          elem: [['123.45.90.116', { goto: { target: 'hnet-in-1' } }]],
        },
      },
      { map: { family: 'ip', table: 'hnet', name: 'hnet4-inbound-rules-subnets' } },
      { chain: { family: 'ip', table: 'hnet', name: 'hnet-arriving' } },
      { chain: { family: 'ip', table: 'foreign', name: 'hnet-forward' } },
      { set: { family: 'ip', table: 'foreign', name: 'hnet4-out', elem: ['192.0.2.7'] } },
      {
        rule: {
          family: 'ip',
          table: 'hnet',
          chain: 'hnet-arriving',
          comment: 'hnet:1234',
          expr: [{ counter: { packets: 3, bytes: 180 } }, { drop: null }],
        },
      },
    ],
  });

  it('is read: sets and maps with their entries, chains with their rules', () => {
    const { sets, chains } = parseListing(listing, false);
    const entriesOf = (name: string) => [...(sets.get(name) as ReadonlyMap<string, unknown>)];
    expect(entriesOf('hnet4-in')).to.deep.equal([
      ['123.45.90.116/32', { packets: 12n, bytes: 3456n }],
      ['123.45.90.112/30', { packets: 0n, bytes: 0n }],
    ]);
    expect(entriesOf('hnet4-scopes').map(([entry]) => entry)).to.deep.equal([
      '172.30.116.0/24',
      '172.30.7.7/32',
    ]);
    expect(entriesOf('hnet4-inbound-rules').map(([entry]) => entry)).to.deep.equal(['123.45.90.116/32']);
    const [line] = chains.get('ip hnet-arriving') ?? [];
    expect(line?.counter).to.deep.equal({ packets: 3n, bytes: 180n });
    expect(line?.text).to.contain('hnet:1234');
    expect([...chains.keys(), ...sets.keys()], "others' tables").not.to.include.members(['ip hnet-forward']);
    expect(sets.has('hnet4-out')).to.equal(false);
  });

  it('is no set where one of its parts is missing', () => {
    const sets = ['hnet4-in', 'hnet4-out-subnets', 'hnet4-near'].map(name => ({
      set: { family: 'ip', table: 'hnet', name },
    }));
    expect([...parseListing(JSON.stringify({ nftables: sets }), false).sets.keys()]).to.deep.equal([
      'hnet4-near',
    ]);
  });

  it('is read without entries where they were not asked for', () => {
    expect([...parseListing(listing, true).sets.values()]).to.deep.equal(['unread', 'unread', 'unread']);
  });

  it('is nothing where there is no table', () => {
    expect(parseListing('', false)).to.deep.equal({ sets: new Map(), chains: new Map() });
  });

  it('is refused if it is something else', () => {
    expect(refusalOf(() => parseListing('{"nftables": 7}', false)).message).to.match(
      /^Cannot read nft's listing/,
    );
  });
});
