/** What happens to forwarded packets, and which of them the rules of domains judge. */
import type { Config } from '../../model/config.ts';
import {
  accept,
  back,
  CAUSES,
  type Chain,
  CUT,
  chain,
  destination,
  drop,
  from,
  fromDomain,
  go,
  jump,
  type Match,
  type Rule,
  replies,
  rule,
  source,
  state,
  to,
  toDomain,
} from './rules.ts';
import type { SetNames } from './sets.ts';

/**
 * If the raw table has untracked a packet, it has already found it to be for a domain's address or from one. Most
 * packets are such, and meet one rule without a set lookup. Its first condition is the device, the cheapest comparison.
 */
export function forwardChains(sets: SetNames, config: Config, device: string): Chain[] {
  return [
    chain(
      'hnet-forward',
      rule(accept, from(device), toDomain, state('UNTRACKED')),
      rule(go('hnet-egress'), fromDomain),
      rule(go('hnet-ingress'), toDomain),
    ),
    chain(
      'hnet-egress',
      ...config.firewall.outboundDeny.map(ports => rule(drop(CAUSES.outbound), { is: 'ports', ...ports })),
      rule(accept, to(device), state('UNTRACKED')),
      rule(go('hnet-between'), toDomain),
      rule(jump('hnet-outbound'), source(sets.tracked)),
      rule(accept, to(device)),
      rule(drop(CAUSES.elsewhere)),
    ),
    chain('hnet-between', ...betweenRules(sets, config)),
    chain('hnet-ingress', ...ingressRules(sets, device)),
  ];
}

const ingressRules = (sets: SetNames, device: string): Rule[] => [
  rule(jump('hnet-inbound'), destination(sets.tracked)),
  rule(accept, from(device), destination(sets.tracked)),
  rule(accept, replies),
  // The address is assigned, but another program's rule has the packet tracked.
  rule(accept, from(device), destination(sets.in)),
  rule(drop(CAUSES.unassigned)),
];

function betweenRules(sets: SetNames, config: Config): Rule[] {
  // The rule names the set `isolated` even here: a brief look takes a set that no rule names for missing.
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
 * The rules of domains judge every packet that goes in the direction in which its flow began, not only the first one. So
 * a new rule ends flows that are open, and replies need no rule.
 *
 * A domain's first rule starts the tracking of its flows, and some are already open. Tracking takes the next packet
 * of such a flow for its first, perhaps in the wrong direction. So that packet must satisfy the rules of both directions.
 * This concerns TCP segments that don't open a connection, and packets of other protocols while the domain's addresses
 * are in the set `settling`.
 */
export const trackedChains = (sets: SetNames): Chain[] => [
  judged('hnet-inbound', 'hnet-midstream-in', destination(sets.settling), 'hnet-inbound-rules'),
  judged('hnet-outbound', 'hnet-midstream-out', source(sets.settling), 'hnet-outbound-rules'),
  chain(CUT, rule(drop(CAUSES.midstream))),
];

const judged = (name: string, midstream: string, settling: Match, rules: string): Chain =>
  chain(
    name,
    rule(back, { is: 'icmp-error' }),
    rule(back, { is: 'reply' }),
    rule(jump(midstream), state('NEW'), { is: 'not-opening' }),
    rule(go(rules), { is: 'protocol', protocol: 'tcp' }),
    rule(jump(midstream), state('NEW'), settling),
    rule(go(rules)),
  );
