/** The raw table, before connection tracking: it drops spoofed packets, and untracks those that need no tracking. */
import { type Config, isOnLink, rangesOf } from '../../model/config.ts';
import type { Family, Prefix } from '../../model/prefix.ts';
import type { Guard } from './guard.ts';
import {
  back,
  CAUSES,
  type Chain,
  chain,
  destination,
  drop,
  flood,
  from,
  fromDomain,
  fromNet,
  go,
  icmpTypes,
  jump,
  ND,
  notDestination,
  note,
  notSource,
  only,
  type Rule,
  rule,
  source,
  toNet,
  untrack,
  type Verdict,
} from './rules.ts';
import { APPEARING, COMPARISONS, type Foresight, type SetNames, SOLICITATIONS } from './sets.ts';

/** What these chains are made from. */
interface Given {
  readonly family: Family;
  readonly sets: SetNames;
  readonly config: Config;
  readonly uplinks: readonly string[];
  /** What is there because of a wire to other hosts. */
  readonly wire: {
    readonly devices: readonly string[];
    /** What leads packets from it to chains of its own, and these. */
    readonly entrance: readonly Rule[];
    readonly raw: readonly Chain[];
    /** What comes by an uplink under an address of ours, and is for this host itself. */
    readonly visits: readonly Rule[];
    /** What has come by any way, and is for no domain of this host. */
    readonly relays: readonly Rule[];
  };
  readonly guarded: Guard;
  readonly foresight: Foresight;
}

export function rawChains(given: Given): Chain[] {
  const { family, sets, config, wire, guarded, foresight } = given;
  const ranges = rangesOf(family, config);
  // Only IPv4 is translated.
  const scopes = (verdict: Verdict) => (family === 4 ? [rule(verdict, destination(sets.scopes))] : []);
  return [
    entrance(given),
    ...(ranges.length > COMPARISONS ? [chain('hnet-ranges', ...ranges.map(insideFrom))] : []),
    // A container, a VPN's peer: neither may send under an address that is routed to a bridge, or nowhere.
    chain('hnet-inside', rule(back, from(['lo'])), rule(drop(CAUSES.impostor), { is: 'spoofed' })),
    ...(family === 4 ? [leaving4(sets, foresight)] : [leaving6(sets, foresight), ...discoveryChains(sets)]),
    ...(foresight === 'raw' ? apart(sets) : together(sets)),
    ...nearChains(sets, scopes(back), guarded),
    chain('hnet-arriving', ...arriving(ranges)),
    suspect(given),
    ...arrivedChains(sets, [...scopes(drop(CAUSES.scope)), ...wire.relays], foresight),
    chain('hnet-assigned', rule(untrack, notDestination(sets.tracked))),
    ...wire.raw,
  ];
}

/** Where a packet goes on by the way it came. */
function entrance({ family, sets, config, uplinks, wire }: Given): Chain {
  // The wire may be an uplink too.
  const outside = uplinks.filter(device => !wire.devices.includes(device));
  return chain(
    'hnet-prerouting',
    ...(outside.length === 0 ? [] : [rule(go('hnet-arriving'), from(outside))]),
    ...wire.entrance,
    rule(go('hnet-leaving'), fromDomain),
    ...within(family, config, sets),
  );
}

/** What comes by an uplink under an address of ours. */
const suspect = ({ family, sets, config, wire }: Given): Chain =>
  chain(
    'hnet-suspect',
    ...wire.visits,
    rule(drop(CAUSES.borrowed), source(sets.ours)),
    // On the wire others have addresses between those of domains: a pool may be the uplink's own subnet.
    ...(family === 4 && isOnLink(4, config) ? [rule(drop(CAUSES.borrowed), source(sets.in))] : []),
    rule(go('hnet-arrived')),
  );

/** What is for a domain with rules meets `hnet-held` after these (chains-filter.ts): what they drop harms nobody. */
const arrivedChains = (sets: SetNames, others: readonly Rule[], foresight: Foresight): Chain[] =>
  foresight === 'mangle'
    ? [chain('hnet-arrived', rule(go('hnet-assigned'), destination(sets.in)), ...others)]
    : [
        chain(
          'hnet-arrived',
          rule(go('hnet-assigned'), only('singles', 'destination', sets.in)),
          rule(go('hnet-subnet'), only('subnets', 'destination', sets.in)),
          ...others,
        ),
        chain('hnet-subnet', rule(back, destination(sets.tracked)), rule(jump('hnet-held')), rule(untrack)),
      ];

/** Packets from domains' addresses. */
const sent = (sets: SetNames, foresight: Foresight): Rule[] =>
  foresight === 'mangle'
    ? [rule(go('hnet-untrack'), source(sets.out))]
    : [
        rule(go('hnet-untrack'), only('singles', 'source', sets.out)),
        rule(go('hnet-untrack-subnet'), only('subnets', 'source', sets.out)),
      ];

/** One lookup tells that there is nothing particular about an address. */
const together = (sets: SetNames): Chain[] => [
  chain('hnet-untrack', rule(go('hnet-particular'), source(sets.particular)), ...others(sets)),
  chain('hnet-particular', ...subnet(sets), rule(back, source(sets.tracked)), ...called(sets)),
  ...noticing(sets),
];

/** Where single addresses and subnets are looked up apart, each has its chain, with one lookup less. */
const apart = (sets: SetNames): Chain[] => [
  chain('hnet-untrack', rule(back, only('singles', 'source', sets.tracked)), ...called(sets)),
  chain(
    'hnet-untrack-subnet',
    ...subnet(sets),
    rule(back, only('subnets', 'source', sets.tracked)),
    ...called(sets),
  ),
  ...noticing(sets),
];

const subnet = (sets: SetNames): Rule[] => [rule(jump('hnet-speaking'), source(sets.held))];
const called = (sets: SetNames): Rule[] => [rule(go('hnet-partly'), source(sets.partly)), ...others(sets)];

/**
 * Which addresses of a subnet are in use; and answers to calls whose destination somebody has translated, which keep their
 * tracking: they would leave under another address than was called.
 */
const noticing = (sets: SetNames): Chain[] => [
  chain(
    'hnet-speaking',
    rule(back, notSource(sets.seen), flood(sets.appearing, APPEARING)),
    rule(note('source', sets.seen)),
  ),
  chain(
    'hnet-partly',
    rule(back, { is: 'service', set: sets.translated, side: 'source' }),
    // It may be an error about such a flow.
    rule(back, { is: 'protocol', protocol: 'icmp' }),
    ...others(sets),
  ),
];

/** The host's own services and connections (`local`) keep their tracking. */
const others = (sets: SetNames): Rule[] => [
  rule(go('hnet-neighbour'), destination(sets.near)),
  rule(back, { is: 'local' }),
  rule(untrack),
];

/**
 * To a domain; or to what keeps its tracking: scopes, which are translated, other networks of the host, which answer only
 * what was opened, and what is reserved, which is dropped on its way out unless it is named.
 */
const nearChains = (sets: SetNames, scopes: readonly Rule[], { reachable }: Guard): Chain[] => [
  chain(
    'hnet-neighbour',
    rule(go('hnet-kept'), destination(sets.kept)),
    rule(back, destination(sets.tracked)),
    rule(back, { is: 'local' }),
    rule(untrack),
  ),
  chain(
    'hnet-kept',
    rule(back, destination(sets.inside)),
    ...scopes,
    rule(back, { is: 'local' }),
    ...reachable.map(one => rule(untrack, toNet(one))),
  ),
];

/** Where there are few ranges, packets from the uplink are compared with these first. Almost none match. */
const arriving = (ranges: readonly Prefix[]): Rule[] =>
  ranges.length > COMPARISONS
    ? [rule(go('hnet-suspect'))]
    : [...ranges.map(prefix => rule(go('hnet-suspect'), fromNet(prefix))), rule(go('hnet-arrived'))];

/**
 * The same for packets from the host's other networks, which `kept` holds beside the scopes. A domain may also have a scope
 * that the configuration doesn't hold: those are in the set of the domains' scopes alone.
 */
function within(family: Family, config: Config, sets: SetNames): Rule[] {
  const ranges = rangesOf(family, config);
  const apart = family === 4 ? [rule(go('hnet-inside'), source(sets.scopes))] : [];
  if (ranges.length <= COMPARISONS) return [...ranges.map(insideFrom), ...apart];
  const scopes = config.dhcp.scopes.filter(scope => scope.family === family);
  return [
    rule(go('hnet-ranges'), source(sets.near), notSource(sets.kept)),
    ...scopes.map(insideFrom),
    ...apart,
  ];
}

const insideFrom = (range: Prefix): Rule => rule(go('hnet-inside'), fromNet(range));

const leaving4 = (sets: SetNames, foresight: Foresight): Chain =>
  chain(
    'hnet-leaving',
    rule(back, { is: 'dhcp-discover' }),
    rule(drop(CAUSES.spoofed), { is: 'spoofed' }),
    ...sent(sets, foresight),
    // nftables' reverse-path check also passes the broadcast address of a scope as a source.
    rule(drop(CAUSES.spoofed), { is: 'broadcast-source' }),
    rule(back),
  );

/** Link-local sources pass the reverse-path check; the kernel never forwards them. */
const leaving6 = (sets: SetNames, foresight: Foresight): Chain =>
  chain(
    'hnet-leaving',
    rule(go('hnet-unspecified'), fromNet(UNSPECIFIED)),
    rule(drop(CAUSES.spoofed), { is: 'spoofed' }),
    rule(go('hnet-discovery'), icmpTypes(ND.routers, ND.neighbours, ND.neighbour)),
    ...sent(sets, foresight),
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
