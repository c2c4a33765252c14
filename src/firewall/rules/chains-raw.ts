/** The raw table, before connection tracking: it drops spoofed packets, and untracks those that need no tracking. */
import { type Config, isOnLink, rangesOf } from '../../model/config.ts';
import type { Family, Prefix } from '../../model/prefix.ts';
import {
  back,
  CAUSES,
  type Chain,
  chain,
  destination,
  drop,
  type Foresight,
  flood,
  from,
  fromDomain,
  fromNet,
  go,
  icmpTypes,
  jump,
  type Match,
  ND,
  notDestination,
  note,
  notSource,
  only,
  type Rule,
  rule,
  source,
  untrack,
  type Verdict,
} from './rules.ts';
import { APPEARING, type SetNames, SOLICITATIONS } from './sets.ts';

export function rawChains(
  family: Family,
  sets: SetNames,
  config: Config,
  uplinks: readonly string[],
  foresight: Foresight,
): Chain[] {
  const ranges = rangesOf(family, config);
  // Only IPv4 is translated.
  const scopes = (verdict: Verdict) => (family === 4 ? [rule(verdict, destination(sets.scopes))] : []);
  return [
    chain(
      'hnet-prerouting',
      rule(go('hnet-arriving'), from(uplinks)),
      rule(go('hnet-leaving'), fromDomain),
      ...within(ranges, sets).map(when => rule(go('hnet-inside'), ...when)),
    ),
    // A container, a VPN's peer: neither may send under an address that is routed to a bridge, or nowhere.
    chain('hnet-inside', rule(back, from(['lo'])), rule(drop(CAUSES.impostor), { is: 'spoofed' })),
    ...(family === 4 ? [leaving4(sets)] : [leaving6(sets), ...discoveryChains(sets)]),
    speaking(sets, foresight),
    ...untrackingChains(sets, scopes(back), foresight),
    chain('hnet-arriving', ...arriving(ranges)),
    chain(
      'hnet-suspect',
      rule(drop(CAUSES.borrowed), source(sets.ours)),
      // On the wire others have addresses between those of domains: a pool may be the uplink's own subnet.
      ...(family === 4 && isOnLink(4, config) ? [rule(drop(CAUSES.borrowed), source(sets.in))] : []),
      rule(go('hnet-arrived')),
    ),
    ...arrivedChains(sets, scopes(drop(CAUSES.scope)), foresight),
    chain('hnet-assigned', rule(untrack, notDestination(sets.tracked))),
  ];
}

/** What is for a domain with rules meets `hnet-held` after these (chains-filter.ts): what they drop harms nobody. */
const arrivedChains = (sets: SetNames, scopes: readonly Rule[], foresight: Foresight): Chain[] =>
  foresight === 'mangle'
    ? [chain('hnet-arrived', rule(go('hnet-assigned'), destination(sets.in)), ...scopes)]
    : [
        chain(
          'hnet-arrived',
          rule(go('hnet-assigned'), only('singles', 'destination', sets.in)),
          rule(go('hnet-subnet'), only('subnets', 'destination', sets.in)),
          ...scopes,
        ),
        chain('hnet-subnet', rule(back, destination(sets.tracked)), rule(jump('hnet-held')), rule(untrack)),
      ];

/** Which addresses of a subnet are in use. */
const speaking = (sets: SetNames, foresight: Foresight): Chain => {
  const next = foresight === 'raw' ? 'hnet-untrack-subnet' : 'hnet-untrack';
  return chain(
    'hnet-speaking',
    rule(go(next), notSource(sets.held)),
    rule(go(next), notSource(sets.seen), flood(sets.appearing, APPEARING)),
    rule(note('source', sets.seen)),
    rule(go(next)),
  );
};

/** Packets from domains' addresses. */
const sent = (sets: SetNames): Rule[] => [
  rule(go('hnet-untrack'), only('singles', 'source', sets.out)),
  rule(go('hnet-speaking'), only('subnets', 'source', sets.out)),
];

/**
 * The host's own services and connections (`local`) keep their tracking, as do scopes, which are translated, and answers
 * to calls whose destination somebody has translated: they would leave under another address than was called. Where single
 * addresses and subnets are looked up apart, each has its chain, with one lookup less.
 */
const untrackingChains = (sets: SetNames, scopes: readonly Rule[], foresight: Foresight): Chain[] => [
  ...(foresight === 'raw'
    ? [
        leaving('hnet-untrack', only('singles', 'source', sets.tracked), sets),
        leaving('hnet-untrack-subnet', only('subnets', 'source', sets.tracked), sets),
      ]
    : [leaving('hnet-untrack', source(sets.tracked), sets)]),
  chain(
    'hnet-partly',
    rule(back, { is: 'service', set: sets.translated, side: 'source' }),
    // It may be an error about such a flow.
    rule(back, { is: 'protocol', protocol: 'icmp' }),
    ...others(sets),
  ),
  chain(
    'hnet-neighbour',
    // It may be an answer, and passes only as one.
    rule(back, destination(sets.inside)),
    rule(back, destination(sets.tracked)),
    ...scopes,
    rule(back, { is: 'local' }),
    rule(untrack),
  ),
];

const leaving = (name: string, tracked: Match, sets: SetNames): Chain =>
  chain(name, rule(back, tracked), rule(go('hnet-partly'), source(sets.partly)), ...others(sets));

const others = (sets: SetNames): Rule[] => [
  rule(go('hnet-neighbour'), destination(sets.near)),
  rule(back, { is: 'local' }),
  rule(untrack),
];

/**
 * A set lookup costs about as much as twelve comparisons. So where there are few ranges, packets from the uplink are
 * compared with these first. Almost none match, and only a match costs a lookup.
 */
const arriving = (ranges: readonly Prefix[]): Rule[] =>
  ranges.length > COMPARISONS
    ? [rule(go('hnet-suspect'))]
    : [...ranges.map(prefix => rule(go('hnet-suspect'), fromNet(prefix))), rule(go('hnet-arrived'))];

const COMPARISONS = 8;

/** The same for packets from the host's other networks, which `near` holds too: what is their own is nobody's here. */
const within = (ranges: readonly Prefix[], sets: SetNames): Match[][] =>
  ranges.length > COMPARISONS
    ? [[source(sets.near), notSource(sets.inside)]]
    : ranges.map(range => [fromNet(range)]);

const leaving4 = (sets: SetNames): Chain =>
  chain(
    'hnet-leaving',
    rule(back, { is: 'dhcp-discover' }),
    rule(drop(CAUSES.spoofed), { is: 'spoofed' }),
    ...sent(sets),
    // nftables' reverse-path check also passes the broadcast address of a scope as a source.
    rule(drop(CAUSES.spoofed), { is: 'broadcast-source' }),
    rule(back),
  );

/** Link-local sources pass the reverse-path check; the kernel never forwards them. */
const leaving6 = (sets: SetNames): Chain =>
  chain(
    'hnet-leaving',
    rule(go('hnet-unspecified'), fromNet(UNSPECIFIED)),
    rule(drop(CAUSES.spoofed), { is: 'spoofed' }),
    rule(go('hnet-discovery'), icmpTypes(ND.routers, ND.neighbours, ND.neighbour)),
    ...sent(sets),
    rule(back),
  );

/**
 * A system without an address sends ICMPv6 from the unspecified address (RFC 4862, 5.4.2), which the reverse-path checks of
 * kernels treat differently. Discovery isn't counted as traffic of an address: like ARP, it ends at the host.
 */
const discoveryChains = (sets: SetNames): Chain[] => [
  chain('hnet-unspecified', rule(back, { is: 'protocol', protocol: 'icmp' }), rule(drop(CAUSES.spoofed))),
  chain(
    'hnet-discovery',
    rule(
      drop(CAUSES.solicitation),
      icmpTypes(ND.routers, ND.neighbours),
      flood(sets.soliciting, SOLICITATIONS),
    ),
    rule(back),
  ),
];

const UNSPECIFIED: Prefix = { family: 6, first: 0n, length: 128 };
