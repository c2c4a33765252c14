/** What happens before connection tracking: what is spoofed is dropped, what needs no tracking gets none. */

import type { Config } from '../../model/config.ts';
import type { Family, Prefix } from '../../model/prefix.ts';
import { icmpTypes, ND } from './discovery.ts';
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
  notDestination,
  type Rule,
  rule,
  source,
  untrack,
} from './rules.ts';
import { rangesOf, type SetNames } from './sets.ts';

export function rawChains(family: Family, sets: SetNames, config: Config, device: string): Chain[] {
  // Translated addresses there are in IPv4 only.
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
 * Few packets from outside have a source of ours, by right (the uplink's own subnet) or not. To ask a set takes a packet
 * as long as a dozen comparisons, so where there are fewer ranges it is compared with those first.
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
  // To nftables' reverse-path check a scope's broadcast address is as good as any of its others.
  rule(drop(CAUSES.spoofed), { is: 'broadcast-source' }),
  rule(back),
];

/** Link-local sources pass the reverse-path check, and the kernel never forwards them. */
const leaving6 = (sets: SetNames): Rule[] => [
  rule(go('hnet-unspecified'), { is: 'net', side: 'source', prefix: UNSPECIFIED }),
  rule(drop(CAUSES.spoofed), { is: 'spoofed' }),
  rule(go('hnet-discovery'), icmpTypes(ND.routers, ND.neighbours, ND.neighbour)),
  rule(go('hnet-untrack'), source(sets.out)),
  rule(back),
];

/**
 * Whoever has no address yet speaks ICMPv6 from the unspecified one, to its own wire (RFC 4862, 5.4.2); the kernels'
 * reverse-path checks don't agree on what that is. Discovery from a public address is no traffic of it: it goes no
 * further than the host, as ARP does.
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
