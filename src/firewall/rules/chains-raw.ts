/** Before connection tracking: spoofed packets are dropped, and packets that need no tracking are taken out of it. */

import { type Config, rangesOf } from '../../model/config.ts';
import type { Family, Prefix } from '../../model/prefix.ts';
import {
  accept,
  back,
  CAUSES,
  type Chain,
  destination,
  drop,
  from,
  fromDomain,
  go,
  icmpTypes,
  ND,
  notDestination,
  type Rule,
  rule,
  source,
  untrack,
} from './rules.ts';
import type { SetNames } from './sets.ts';

export function rawChains(family: Family, sets: SetNames, config: Config, device: string): Chain[] {
  // Only IPv4 is translated.
  const scopes = (rule: Rule): Rule[] => (family === 4 ? [rule] : []);
  return [
    {
      name: 'hnet-prerouting',
      rules: [rule(go('hnet-arriving'), from(device)), rule(go('hnet-leaving'), fromDomain)],
    },
    { name: 'hnet-leaving', rules: family === 4 ? leaving4(sets) : leaving6(sets) },
    ...(family === 4 ? [] : discoveryChains(sets)),
    {
      name: 'hnet-untrack',
      rules: [
        rule(back, source(sets.tracked)),
        rule(go('hnet-neighbour'), destination(sets.near)),
        // The host's own services and connections keep their tracking.
        rule(back, { is: 'local' }),
        rule(untrack),
      ],
    },
    {
      name: 'hnet-neighbour',
      rules: [
        rule(back, destination(sets.tracked)),
        ...scopes(rule(back, destination(sets.scopes))),
        rule(back, { is: 'local' }),
        rule(untrack),
      ],
    },
    { name: 'hnet-arriving', rules: arriving(rangesOf(family, config)) },
    {
      name: 'hnet-suspect',
      rules: [rule(drop(CAUSES.borrowed), source(sets.ours)), rule(go('hnet-arrived'))],
    },
    {
      name: 'hnet-arrived',
      rules: [
        rule(go('hnet-assigned'), destination(sets.in)),
        ...scopes(rule(drop(CAUSES.scope), destination(sets.scopes))),
      ],
    },
    { name: 'hnet-assigned', rules: [rule(untrack, notDestination(sets.tracked))] },
  ];
}

/**
 * A set lookup costs about as much as twelve comparisons. So where there are few ranges, a packet from the uplink is
 * compared with these first, and only a match costs a lookup. Almost none match.
 */
const arriving = (ranges: readonly Prefix[]): Rule[] =>
  ranges.length > COMPARISONS
    ? [rule(go('hnet-suspect'))]
    : [
        ...ranges.map(prefix => rule(go('hnet-suspect'), { is: 'net', side: 'source', prefix })),
        rule(go('hnet-arrived')),
      ];

const COMPARISONS = 8;

const leaving4 = (sets: SetNames): Rule[] => [
  rule(accept, { is: 'dhcp-discover' }),
  rule(drop(CAUSES.spoofed), { is: 'spoofed' }),
  rule(go('hnet-untrack'), source(sets.out)),
  // nftables' reverse-path check also passes the broadcast address of a scope as a source.
  rule(drop(CAUSES.spoofed), { is: 'broadcast-source' }),
  rule(back),
];

/** Link-local sources pass the reverse-path check; the kernel never forwards them. */
const leaving6 = (sets: SetNames): Rule[] => [
  rule(go('hnet-unspecified'), { is: 'net', side: 'source', prefix: UNSPECIFIED }),
  rule(drop(CAUSES.spoofed), { is: 'spoofed' }),
  rule(go('hnet-discovery'), icmpTypes(ND.routers, ND.neighbours, ND.neighbour)),
  rule(go('hnet-untrack'), source(sets.out)),
  rule(back),
];

/**
 * A system without an address sends ICMPv6 from the unspecified address, to its own link (RFC 4862, 5.4.2); kernels'
 * reverse-path checks differ in what they make of that. Discovery is not counted as traffic of a public address: like ARP,
 * it goes no further than the host.
 */
const discoveryChains = (sets: SetNames): Chain[] => [
  {
    name: 'hnet-unspecified',
    rules: [rule(back, { is: 'protocol', protocol: 'icmp' }), rule(drop(CAUSES.spoofed))],
  },
  {
    name: 'hnet-discovery',
    rules: [
      rule(drop(CAUSES.solicitation), icmpTypes(ND.routers, ND.neighbours), {
        is: 'flood',
        set: sets.soliciting,
      }),
      rule(back),
    ],
  },
];

const UNSPECIFIED: Prefix = { family: 6, first: 0n, length: 128 };
