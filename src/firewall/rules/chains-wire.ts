/**
 * What the filter has on a host of a cluster, beside that for its uplinks: the wire leads to the other hosts, and to the
 * domains that run there.
 *
 * Goals: a packet under an address of ours comes by the wire only if the routing table leads to that address by the wire,
 * as it is on a bridge; domains reach domains there, and nothing else on the wire; what keeps domains of one host apart
 * keeps them apart from those of other hosts.
 *
 * Tension: for a while this host may pass on what still comes for a domain that has moved away (the relay). It sees one
 * direction of such flows, so they must not be tracked.
 */
import { type Config, rangesOf } from '../../model/config.ts';
import type { Family, Prefix } from '../../model/prefix.ts';
import {
  back,
  CAUSES,
  type Chain,
  chain,
  destination,
  drop,
  from,
  fromDomain,
  fromNet,
  go,
  jump,
  type Match,
  notDestination,
  notSource,
  type Rule,
  replies,
  rule,
  source,
  to,
  toDomain,
  toNet,
  untrack,
} from './rules.ts';
import { COMPARISONS, type SetNames } from './sets.ts';

interface Given {
  readonly sets: SetNames;
  /** Those of the family. */
  readonly pools: readonly Prefix[];
  readonly scopes: readonly Prefix[];
  readonly betweenDomains: boolean;
}

/** Where there is no wire. */
const NOTHING = {
  devices: [],
  entrance: [],
  raw: [],
  visits: [],
  relays: [],
  apart: [],
  forward: [],
  egress: [],
  replies: [],
  judged: [],
};

/** What each of the filter's chains gets. */
type WireRules = { readonly [Part in keyof typeof NOTHING]: readonly Of<Part>[] };
type Of<Part> = Part extends 'devices' ? string : Part extends 'raw' | 'forward' ? Chain : Rule;

/** What the chains of chains-raw.ts and chains-filter.ts hold because of the wire, by the names that it has there. */
export function wireRules(family: Family, config: Config, sets: SetNames): WireRules {
  const { cluster, dhcp, firewall } = config;
  if (cluster === undefined) return NOTHING;
  const [pools, scopes] = [config.pools, dhcp.scopes].map(all =>
    all.filter(one => one.family === family),
  ) as [Prefix[], Prefix[]];
  const given = { sets, pools, scopes, betweenDomains: firewall.betweenDomains };
  const [comes, goes] = [from([cluster.wire]), to([cluster.wire])];
  // The other hosts themselves aren't counted when they come by the wire, but where their destination is looked up.
  const counted = (when: Match): Rule[] => [rule(back, comes, when, notSource(sets.inside))];
  return {
    devices: [cluster.wire],
    entrance: [rule(go('hnet-wire'), comes)],
    raw: [...arrivals(family, given, rangesOf(family, config)), ...visitors(given), ...relayed(given)],
    visits: [rule(go('hnet-visiting'), { is: 'local' }, source(sets.ours))],
    relays: manyPools(given)
      ? [rule(go('hnet-relays'), destination(sets.near), notDestination(sets.kept))]
      : pools.map(toRelay),
    apart: [rule(jump('hnet-from-peers'), comes, toDomain), rule(jump('hnet-to-peers'), goes, fromDomain)],
    forward: [
      ...apartChains('hnet-from-peers', given, fromNet, destination(sets.isolated)),
      ...apartChains('hnet-to-peers', given, toNet, source(sets.isolated)),
    ],
    egress: pools.map(pool => rule(back, goes, toNet(pool))),
    replies: counted(replies),
    judged: counted(destination(sets.tracked)),
  };
}

const manyPools = ({ pools }: Given): boolean => pools.length > COMPARISONS;
const toRelay = (pool: Prefix): Rule => rule(go('hnet-relayed'), toNet(pool));

/** What has come by the wire. */
function arrivals(family: Family, { sets, scopes }: Given, ranges: readonly Prefix[]): Chain[] {
  // Those that the configuration doesn't hold.
  const apart = family === 4 ? [rule(go('hnet-peer'), source(sets.scopes))] : [];
  const fromPeer = (range: Prefix): Rule => rule(go('hnet-peer'), fromNet(range));
  const isMany = ranges.length > COMPARISONS;
  const rest = rule(go('hnet-arrived'));
  return [
    chain(
      'hnet-wire',
      ...(isMany
        ? [rule(go('hnet-peers'), source(sets.near), notSource(sets.kept)), ...scopes.map(fromPeer)]
        : ranges.map(fromPeer)),
      ...apart,
      // The other hosts themselves: as from any other network of this host.
      rule(back, source(sets.inside)),
      rest,
    ),
    ...(isMany ? [chain('hnet-peers', ...ranges.map(fromPeer), rest)] : []),
    chain(
      'hnet-peer',
      rule(drop(CAUSES.borrowed), { is: 'spoofed' }),
      rule(go('hnet-relayed'), notDestination(sets.near)),
      rest,
    ),
  ];
}

/** Domains of other hosts call this host itself as they call anybody outside, and answer what bears its address. */
const visitors = ({ sets, pools }: Given): Chain[] => [
  chain(
    'hnet-visiting',
    rule(drop(CAUSES.borrowed), source(sets.in)),
    ...pools.map(pool => rule(back, fromNet(pool))),
    rule(drop(CAUSES.borrowed)),
  ),
];

const relayed = (given: Given): Chain[] => [
  ...(manyPools(given) ? [chain('hnet-relays', ...given.pools.map(toRelay))] : []),
  chain('hnet-relayed', rule(back, { is: 'local' }), rule(untrack)),
];

/**
 * What would be exchanged with a domain of another host, and must not be.
 * @param side of packets that comes from there, or goes there
 * @param isolated whether the domain of this host is
 */
function apartChains(
  name: string,
  { pools, betweenDomains }: Given,
  side: (pool: Prefix) => Match,
  isolated: Match,
): Chain[] {
  const drops = (cause: string): Rule[] => pools.map(pool => rule(drop(cause), side(pool)));
  if (!betweenDomains) return [chain(name, ...drops(CAUSES.between))];
  return [
    chain(name, rule(go(`${name}-apart`), isolated)),
    chain(`${name}-apart`, ...drops(CAUSES.isolated)),
  ];
}
