/**
 * The filter: which forwarded packets pass. A packet that passes returns: what others say about it on the same hook, in
 * whatever table, still counts.
 */
import type { Config } from '../../model/config.ts';
import type { Family } from '../../model/prefix.ts';
import type { Guard } from './guard.ts';
import {
  back,
  CAUSES,
  type Chain,
  CUT,
  chain,
  destination,
  drop,
  flood,
  from,
  fromDomain,
  go,
  jump,
  learning,
  type Match,
  notDestination,
  note,
  only,
  type Rule,
  redirectedCall,
  replies,
  rule,
  source,
  state,
  to,
  toDomain,
  toNet,
} from './rules.ts';
import { type Foresight, type SetNames, SUBNETS, UNSEEN } from './sets.ts';

/** What the chains for forwarded packets are made from. */
interface Given {
  readonly family: Family;
  readonly sets: SetNames;
  readonly config: Config;
  readonly uplinks: readonly string[];
  /** What is there because of a wire to other hosts. */
  readonly wire: {
    readonly devices: readonly string[];
    /** What is asked before everything else, and its chains. */
    readonly apart: readonly Rule[];
    readonly forward: readonly Chain[];
    /** What domains may send by it. */
    readonly egress: readonly Rule[];
    /** What passes from it to domains: replies, and what their rules have judged. */
    readonly replies: readonly Rule[];
    readonly judged: readonly Rule[];
  };
  readonly guarded: Guard;
  readonly foresight: Foresight;
  /** What must see the packets before the first verdict. */
  readonly clamps: readonly Rule[];
  /** What else is noted of an address that somebody's rule has led a call to. */
  readonly particular: readonly Rule[];
}

/**
 * What the raw table has untracked is already known to be for a domain's address or from one. Most packets are such, and
 * meet one rule. Its first condition is the device, the cheapest comparison.
 */
export function forwardChains(given: Given): Chain[] {
  const { sets, config, uplinks, wire, guarded, foresight, clamps, particular } = given;
  return [
    chain(
      'hnet-forward',
      ...clamps,
      ...wire.apart,
      known(foresight, from([...new Set([...uplinks, ...wire.devices])]), toDomain, state('UNTRACKED')),
      rule(go('hnet-egress'), fromDomain),
      rule(go('hnet-ingress'), toDomain),
    ),
    chain('hnet-egress', ...egressRules(given)),
    chain(
      'hnet-reserved',
      ...guarded.reachable.map(one => rule(back, toNet(one))),
      rule(drop(CAUSES.reserved)),
    ),
    chain('hnet-between', ...betweenRules(sets, config, foresight)),
    chain('hnet-ingress', ...ingressRules(given)),
    held(sets),
    ...redirectedChains(sets, particular),
    ...wire.forward,
  ];
}

const egressRules = ({ family, sets, config, uplinks, wire, guarded }: Given): Rule[] => [
  ...denied(family, config),
  ...leaving(sets, uplinks, guarded),
  rule(go('hnet-between'), toDomain),
  rule(jump('hnet-outbound'), source(sets.tracked)),
  rule(back, to(uplinks)),
  ...wire.egress,
  ...insideRules(config),
];

/**
 * Calls that somebody's rule has led here: to a bootstrap address, or to a public one. Of the latter the raw table has to
 * know, before connection tracking, which answers belong to such calls. Each packet of a call says so anew.
 */
const redirectedChains = (sets: SetNames, particular: readonly Rule[]): Chain[] => [
  chain('hnet-redirected', rule(go('hnet-learning'), destination(sets.in)), rule(back)),
  learning('hnet-learning', sets, particular),
];

/** Where the raw table couldn't yet look after subnets, a chain does that which is empty until there is one. */
const known = (foresight: Foresight, ...when: Match[]): Rule =>
  rule(foresight === 'raw' ? back : go(SUBNETS), ...when);

/**
 * Packets to a subnet that a domain holds. For an address that doesn't answer, each would make an entry of the neighbour
 * table, which all bridges share. Who has sent something lately does answer.
 */
const held = (sets: SetNames): Chain =>
  chain(
    'hnet-held',
    rule(back, notDestination(sets.held)),
    rule(back, destination(sets.seen)),
    rule(back, destination(sets.tried)),
    rule(drop(CAUSES.unseen), flood(sets.unseen, UNSEEN, 'destination')),
    rule(note('destination', sets.tried)),
  );

const denied = (family: Family, { firewall }: Config): Rule[] =>
  firewall.outboundDeny.flatMap((one): Rule[] => {
    if ('protocol' in one) return [rule(drop(CAUSES.outbound), { is: 'ports', ...one })];
    return one.family === family ? [rule(drop(CAUSES.outbound), toNet(one))] : [];
  });

/** What the raw table hasn't untracked may be to what is reserved, if that is looked for there (guarded-uplinks.ts). */
function leaving(sets: SetNames, uplinks: readonly string[], { devices, isEverywhere }: Guard): Rule[] {
  const untracked = rule(back, to(uplinks), state('UNTRACKED'));
  const reserved = rule(jump('hnet-reserved'), to(devices), destination(sets.reserved));
  return isEverywhere ? [untracked, reserved] : [reserved, untracked];
}

/** To the host's other networks: answers, what the operator has opened, and ports that somebody publishes on the host. */
const insideRules = ({ firewall: { inside, hostAccess } }: Config): Rule[] => [
  rule(back, replies),
  ...(inside.length === 0 ? [] : [rule(back, to(inside))]),
  rule(hostAccess === 'open' ? back : drop(CAUSES.host), { is: 'redirected' }),
  rule(drop(CAUSES.elsewhere)),
];

/** Only packets from an uplink have been counted already: the others are where their destination is looked up. */
const ingressRules = ({ sets, uplinks, wire }: Given): Rule[] => [
  rule(jump('hnet-inbound'), destination(sets.tracked)),
  rule(go('hnet-redirected'), redirectedCall),
  rule(back, from(uplinks), replies),
  ...wire.replies,
  rule(jump('hnet-held')),
  rule(back, from(uplinks), destination(sets.tracked)),
  ...wire.judged,
  // From the host's other networks; or from an uplink, and another program's rule has it tracked.
  rule(back, destination(sets.in)),
  rule(back, replies),
  rule(drop(CAUSES.unassigned)),
];

function betweenRules(sets: SetNames, config: Config, foresight: Foresight): Rule[] {
  // The rule names the set `isolated` even here: a brief look takes a set that no rule names for missing.
  if (!config.firewall.betweenDomains)
    return [rule(drop(CAUSES.isolated), source(sets.isolated)), rule(drop(CAUSES.between))];
  return [
    rule(drop(CAUSES.isolated), source(sets.isolated)),
    rule(drop(CAUSES.isolated), destination(sets.isolated)),
    // Neither of the two has rules.
    ...assigned(sets, foresight, state('UNTRACKED')),
    rule(jump('hnet-outbound'), source(sets.tracked)),
    rule(jump('hnet-inbound'), destination(sets.tracked)),
    rule(go('hnet-redirected'), redirectedCall),
    ...assigned(sets, foresight),
    rule(back, replies),
    rule(drop(CAUSES.unassigned)),
  ];
}

const assigned = (sets: SetNames, foresight: Foresight, ...when: Match[]): Rule[] =>
  foresight === 'raw'
    ? [
        rule(back, ...when, only('singles', 'destination', sets.in)),
        rule(go('hnet-held'), ...when, only('subnets', 'destination', sets.in)),
      ]
    : [known(foresight, ...when, destination(sets.in))];

/**
 * The rules of domains judge every packet in the direction in which its flow began, not only the first one. So a new rule
 * ends flows that are open, and replies need no rule.
 *
 * A domain's first rule starts the tracking of its flows, and some are already open. The next packet of such a flow is
 * tracked as its first, perhaps in the wrong direction, so it must satisfy the rules of both. This concerns TCP segments
 * that don't open a connection, and other protocols while the domain's addresses are in the set `settling`.
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
