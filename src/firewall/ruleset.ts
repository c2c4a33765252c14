/**
 * What the filter enforces, for one family; the same on a host with no domain and with 4,000.
 *
 * Goals: a domain uses exactly the addresses that are routed to it; a packet meets as few rules and sets as
 * can decide about it; a full connection-tracking table harms nobody who needs no tracking.
 *
 * So raw decides first, before tracking: what is spoofed is dropped, what is public on both ends, and belongs
 * to no domain with rules of its own, isn't tracked at all. Accounting happens there too, where every packet
 * of an established flow still passes; it counts what a policy drops later as well, for the provider does.
 *
 * Tension: untracked packets have no replies. Only a domain with rules needs to know them, so its addresses
 * stand in the set `tracked`, and its flows are judged in the direction in which they began.
 */
import type { Family, Prefix } from '../address.ts';
import type { Config } from '../config.ts';
import { GATEWAY6 } from '../names.ts';
import {
  accept,
  back,
  CAUSES,
  type Chain,
  CUT,
  destination,
  drop,
  type Entrance,
  from,
  fromDomain,
  go,
  jump,
  type Match,
  notDestination,
  type Rule,
  type Ruleset,
  rule,
  type SetSpec,
  source,
  state,
  to,
  toDomain,
  untrack,
} from './rules.ts';
import type { Uplink } from './uplink.ts';

/** The sets of a family. Their names fit ipset's 31 bytes and nftables' alike. */
export const setNames = (family: Family) => ({
  /** Public addresses, as destination and as source: an entry's counters are shared by all who match it. */
  in: `hnet${family}-in`,
  out: `hnet${family}-out`,
  /** Bootstrap scopes of running domains; of IPv4 only. */
  scopes: `hnet${family}-scopes`,
  /** Pools and scopes: what belongs to domains, of this host. */
  near: `hnet${family}-near`,
  /** The same without the uplink's own subnet: never a source of packets from outside. */
  ours: `hnet${family}-ours`,
  /** Addresses of domains with rules of their own. */
  tracked: `hnet${family}-tracked`,
  /** Addresses of domains that have nothing to do with their neighbours. */
  isolated: `hnet${family}-isolated`,
  /** Addresses of running domains that have just got their first rules; entries end by themselves. */
  settling: `hnet${family}-settling`,
  /** Bridges whose domains have just solicited neighbours; of IPv6 only. */
  soliciting: `hnet${family}-soliciting`,
});

export type SetNames = ReturnType<typeof setNames>;

/**
 * The chains that lead to the rules of single domains, by the domain's address: their contents come and go with
 * them. `to` is which of its chains.
 */
export const DISPATCH = [
  { name: 'hnet-inbound-rules', side: 'destination', to: 'inbound' },
  { name: 'hnet-outbound-rules', side: 'source', to: 'outbound' },
  { name: 'hnet-midstream-in', side: 'destination', to: 'midstreamIn' },
  { name: 'hnet-midstream-out', side: 'source', to: 'midstreamOut' },
] as const;

/** How long such a domain's new flows may be old ones, in seconds: see {@link policyChains}. */
export const SETTLING = 2;

/**
 * A domain makes the host note a neighbour by each solicitation, under any link-local address, and all bridges share
 * the kernel's table (1,024 entries by default, which live five seconds at least). So many it may send from a bridge in
 * {@link SOLICITING} seconds; a system that boots sends a handful.
 */
export const SOLICITATIONS = 40;
export const SOLICITING = 2;

/** ICMPv6 messages (RFC 4861, 4): solicitations of routers and neighbours, advertisements, redirects. */
const ND = { routers: 133, advertisement: 134, neighbours: 135, neighbour: 136, redirect: 137 } as const;

const icmpTypes = (...types: number[]): Match => ({ is: 'icmp-types', types });

const replies: Match = state('RELATED', 'ESTABLISHED');

export function ruleset(family: Family, config: Config, uplink: Uplink): Ruleset {
  const sets = setNames(family);
  return {
    sets: setSpecs(family, sets),
    entrances: entrances(uplink.device).filter(({ point }) => family === 4 || point !== 'nat-postrouting'),
    chains: {
      raw: rawChains(family, sets, rangesOf(family, config), uplink.device),
      filter: [
        ...forwardChains(sets, config, uplink.device),
        ...policyChains(sets),
        ...hostChains(family, config),
      ],
      nat: family === 4 ? [natChain(sets, uplink)] : [],
    },
  };
}

/** What there is in one family alone: translated scopes, and solicitations. */
const ONLY: Partial<Record<keyof SetNames, Family>> = { scopes: 4, soliciting: 6 };

function setSpecs(family: Family, sets: SetNames): SetSpec[] {
  const keys = (Object.keys(sets) as (keyof SetNames)[]).filter(key => (ONLY[key] ?? family) === family);
  return keys.map(key => ({
    name: sets[key],
    counters: key === 'in' || key === 'out',
    ...(key === 'settling' ? { timeout: SETTLING } : {}),
    ...(key === 'soliciting' ? { timeout: SOLICITING, ofBridges: true } : {}),
  }));
}

/** One jump from each built-in chain; what isn't from, to or by us passes on after one comparison. */
function entrances(device: string): Entrance[] {
  return [
    { point: 'raw-prerouting', when: [], chain: 'hnet-prerouting' },
    { point: 'filter-forward', when: [], chain: 'hnet-forward' },
    { point: 'filter-input', when: [fromDomain], chain: 'hnet-input' },
    { point: 'filter-output', when: [toDomain], chain: 'hnet-output' },
    { point: 'nat-postrouting', when: [to(device)], chain: 'hnet-postrouting' },
  ];
}

/** What belongs to domains of this host: pools and scopes. */
export const rangesOf = (family: Family, { pools, dhcp: { scopes } }: Config): Prefix[] =>
  [...pools, ...scopes].filter(range => range.family === family);

/** So many ranges are compared one by one in less time than a set takes to answer. */
const FEW = 4;

/** Few packets from outside bear one of our addresses as source: only those are looked for in the set. */
function borrowed(name: string, ranges: readonly Prefix[]): Rule[] {
  const guards: Match[][] = ranges.map(prefix => [{ is: 'net', side: 'source', prefix }]);
  return (guards.length === 0 || guards.length > FEW ? [[]] : guards).map(guard =>
    rule(drop(CAUSES.borrowed), ...guard, source(name)),
  );
}

function rawChains(family: Family, sets: SetNames, ranges: readonly Prefix[], device: string): Chain[] {
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
    {
      name: 'hnet-arriving',
      rules: [
        ...borrowed(sets.ours, ranges),
        rule(go('hnet-assigned'), destination(sets.in)),
        ...scopes(rule(drop(CAUSES.scope), destination(sets.scopes))),
      ],
    },
    { name: 'hnet-assigned', rules: [rule(untrack, notDestination(sets.tracked))] },
  ];
}

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

/**
 * What raw has untracked it has found to be for a domain's address, or from one: most packets are, and meet one
 * rule that asks for no set. The device comes first in it, for to compare that costs next to nothing.
 */
function forwardChains(sets: SetNames, config: Config, device: string): Chain[] {
  return [
    {
      name: 'hnet-forward',
      rules: [
        rule(accept, from(device), toDomain, state('UNTRACKED')),
        rule(go('hnet-egress'), fromDomain),
        rule(go('hnet-ingress'), toDomain),
      ],
    },
    {
      name: 'hnet-egress',
      rules: [
        ...config.firewall.outboundDeny.map(ports => rule(drop(CAUSES.outbound), ports)),
        rule(accept, to(device), state('UNTRACKED')),
        rule(go('hnet-between'), toDomain),
        rule(jump('hnet-outbound'), source(sets.tracked)),
        rule(accept, to(device)),
        rule(drop(CAUSES.elsewhere)),
      ],
    },
    { name: 'hnet-between', rules: betweenRules(sets, config) },
    {
      name: 'hnet-ingress',
      rules: [
        rule(jump('hnet-inbound'), destination(sets.tracked)),
        rule(accept, from(device), destination(sets.tracked)),
        rule(accept, replies),
        // Assigned, and yet tracked: somebody else's rule has it so.
        rule(accept, from(device), destination(sets.in)),
        rule(drop(CAUSES.unassigned)),
      ],
    },
  ];
}

function betweenRules(sets: SetNames, config: Config): Rule[] {
  // A set that no rule names can't be seen at a start's brief look, which takes it for missing.
  if (!config.firewall.betweenDomains)
    return [rule(drop(CAUSES.isolated), source(sets.isolated)), rule(drop(CAUSES.between))];
  return [
    rule(drop(CAUSES.isolated), source(sets.isolated)),
    rule(drop(CAUSES.isolated), destination(sets.isolated)),
    rule(jump('hnet-outbound'), source(sets.tracked)),
    rule(jump('hnet-inbound'), destination(sets.tracked)),
    rule(accept, destination(sets.in)),
    rule(accept, replies),
    rule(drop(CAUSES.unassigned)),
  ];
}

/**
 * Rules of domains are asked about the packets that go the way their flow began, all of them and not the first
 * alone: so a new rule ends a flow that is open, and replies need no rule.
 *
 * A domain's first rule begins the tracking of its flows, some of which are under way then. The first packet of
 * these that comes by would be taken for their opening, and pass by the rules of the wrong direction. Therefore
 * it must satisfy those of both: a TCP segment that opens nothing, and of other protocols what comes while
 * older flows may still be going by.
 */
function policyChains(sets: SetNames): Chain[] {
  return [
    {
      name: 'hnet-inbound',
      rules: judged('hnet-midstream-in', destination(sets.settling), 'hnet-inbound-rules'),
    },
    {
      name: 'hnet-outbound',
      rules: judged('hnet-midstream-out', source(sets.settling), 'hnet-outbound-rules'),
    },
    { name: CUT, rules: [rule(drop(CAUSES.midstream))] },
  ];
}

function judged(midstream: string, settling: Match, rules: string): Rule[] {
  return [
    rule(back, { is: 'icmp-error' }),
    rule(back, { is: 'reply' }),
    rule(jump(midstream), state('NEW'), { is: 'not-opening' }),
    rule(go(rules), { is: 'protocol', protocol: 'tcp' }),
    rule(jump(midstream), state('NEW'), settling),
    rule(go(rules)),
  ];
}

/** 0.0.0.0/8, "this network" (RFC 1122, 3.2.1.3). */
const THIS_NETWORK: Match = { is: 'net', side: 'source', prefix: { family: 4, first: 0n, length: 8 } };

/**
 * The host believes no router on a bridge, whatever its settings; and it must hear its neighbours. What it advertises
 * itself comes back to it, as multicasts do, and is no attempt of a domain's.
 */
const discovery: Rule[] = [
  rule(drop(CAUSES.echo), { is: 'net', side: 'source', prefix: GATEWAY6 }, icmpTypes(ND.advertisement)),
  rule(drop(CAUSES.advertisement), icmpTypes(ND.advertisement, ND.redirect)),
  rule(accept, icmpTypes(ND.routers, ND.neighbours, ND.neighbour)),
];

/**
 * The reverse-path check lets 0.0.0.0 through to broadcast and multicast addresses, because DHCP needs it. Only
 * the host itself receives those, so what isn't DHCP is dropped here, at no cost to what is forwarded.
 */
function hostChains(family: Family, config: Config): Chain[] {
  const closed = config.firewall.hostAccess === 'dhcp-only';
  return [
    {
      name: 'hnet-input',
      rules: [
        rule(accept, { is: 'dhcp-request' }),
        ...(family === 4 ? [rule(drop(CAUSES.spoofed), THIS_NETWORK)] : discovery),
        rule(accept, replies),
        ...(closed
          ? [rule(accept, { is: 'protocol', protocol: 'icmp' } as const), rule(drop(CAUSES.host))]
          : []),
      ],
    },
    {
      name: 'hnet-output',
      rules: [
        rule(accept, { is: 'dhcp-reply' }),
        // send_redirects can't be switched off for one interface while conf.all has it on, as is the default.
        rule(drop(CAUSES.redirect), { is: 'icmp-redirect' }),
        ...(family === 4 ? [] : [rule(accept, icmpTypes(ND.advertisement, ND.neighbours, ND.neighbour))]),
      ],
    },
  ];
}

/** Only bootstrap leases are translated: a public address is never touched, in either direction. */
function natChain(sets: SetNames, { host }: Uplink): Chain {
  return { name: 'hnet-postrouting', rules: [rule({ do: 'translate', source: host }, source(sets.scopes))] };
}
