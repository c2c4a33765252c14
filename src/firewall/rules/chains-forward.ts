/** What happens to forwarded packets, and to whom the rules of domains are asked about. */
import type { Config } from '../../model/config.ts';
import {
  accept,
  back,
  CAUSES,
  type Chain,
  CUT,
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
 * What raw has untracked it has found to be for a domain's address, or from one: most packets are, and meet one
 * rule that asks for no set. The device comes first in it, for to compare that costs next to nothing.
 */
export function forwardChains(sets: SetNames, config: Config, device: string): Chain[] {
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
        ...config.firewall.outboundDeny.map(ports => rule(drop(CAUSES.outbound), { is: 'ports', ...ports })),
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
export function policyChains(sets: SetNames): Chain[] {
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
