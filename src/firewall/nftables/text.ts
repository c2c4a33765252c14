/** The filter's rules in the words of nft. */
import { format } from '../../model/address.ts';
import { DEVICE_GROUP } from '../../model/names.ts';
import { formatPorts, numberOf, type Protocol } from '../../model/ports.ts';
import { type Family, isSingle, type Prefix } from '../../model/prefix.ts';
import type { FilterView } from '../../model/view.ts';
import { type Action, nft } from '../../resources/action.ts';
import {
  type Chain,
  combinations,
  type Match,
  type PlainMatch,
  type Rule,
  type Side,
  type Verdict,
  type Written,
} from '../rules/rules.ts';
import { overOf, WITHOUT_ADDRESSES } from '../rules/sets.ts';

/** nft's words for a family: its tables and headers, its addresses, its ICMP. */
export const FAMILY = {
  4: { table: 'ip', type: 'ipv4_addr', icmp: 'icmp' },
  6: { table: 'ip6', type: 'ipv6_addr', icmp: 'icmpv6' },
} as const;

/** The table's name, in each family. */
export const TABLE = 'hnet';

export const tableOf = (family: Family): string => `${FAMILY[family].table} ${TABLE}`;

/** A chain's name in the view. */
export const chainKey = (chain: string, family: Family): string => `${FAMILY[family].table} ${chain}`;

/**
 * A set of nftables that may hold subnets is a tree: among thousands of entries, a lookup visits a dozen nodes. So a set of
 * domains' addresses is two sets of nft: a hash table of single addresses, where a lookup always costs the same, and
 * subnets.
 */
export const partsOf = (name: string): readonly string[] =>
  WITHOUT_ADDRESSES.has(name) ? [name] : [name, `${name}-subnets`];

/** The part that holds a prefix. */
export const partFor = (name: string, prefix: Prefix): string =>
  (isSingle(prefix) ? undefined : partsOf(name)[1]) ?? name;

/** A rule as lines of nft: one for each part of a set that it looks up. Rules that drop also count. */
export function renderRule({ when, verdict }: Rule, family: Family): string[] {
  const end = [...(verdict.do === 'drop' ? ['counter'] : []), renderVerdict(verdict, family)];
  return combinations(when.map(match => renderMatch(match, family))).map(words =>
    [...words, ...end].join(' '),
  );
}

function renderMatch(match: Match, family: Family): readonly string[] {
  if (match.is === 'protocol') return renderProtocol(match.protocol, family);
  if (match.is !== 'set') return [renderOther(match, family)];
  const not = 'not' in match && match.not;
  const [singles = '', ...subnets] = partsOf(match.name).map(
    part => `${addressOf(match.side, family)} ${not ? '!= ' : ''}@${part}`,
  );
  if ('only' in match) return match.only === 'singles' ? [singles] : subnets;
  return not ? [[singles, ...subnets].join(' ')] : [singles, ...subnets];
}

export const addressOf = (side: Side, family: Family): string =>
  `${FAMILY[family].table} ${side === 'source' ? 'saddr' : 'daddr'}`;

/** Of several the kernel makes a set, whose lookup costs no more than the comparison. */
const oneOf = (devices: readonly string[]): string => {
  const quoted = devices.map(device => `"${device}"`);
  return quoted.length === 1 ? quoted.join('') : `{ ${quoted.join(', ')} }`;
};

function renderProtocol(protocol: Protocol, family: Family): readonly string[] {
  if (protocol === 'icmp') return [`meta l4proto ${family === 6 ? 'ipv6-icmp' : protocol}`];
  const extension = family === 6 ? EXTENSIONS[numberOf(protocol)] : undefined;
  return (
    extension ?? [`meta l4proto ${protocol === 'tcp' || protocol === 'udp' ? protocol : numberOf(protocol)}`]
  );
}

/** IPv6's extension headers (RFC 8200, 4.1) are no protocol to nft. For AH it has no word: only for what comes before it. */
const EXTENSIONS: Readonly<Record<number, readonly string[]>> = {
  0: ['exthdr hbh exists'],
  43: ['exthdr rt exists'],
  44: ['exthdr frag exists'],
  51: ['ip6', 'hbh', 'rt', 'dst'].map(before => `${before} nexthdr 51`),
  60: ['exthdr dst exists'],
};

function renderOther(match: Exclude<Match, { is: 'set' | 'protocol' }>, family: Family): string {
  switch (match.is) {
    case 'from-device':
      return `iifname ${oneOf(match.devices)}`;
    case 'to-device':
      return `oifname ${oneOf(match.devices)}`;
    case 'service':
      return `${WITH_PORTS} ${serviceOf(match.side, family)} @${match.set}`;
    case 'net':
      return `${addressOf(match.side, family)} ${format(match.prefix)}`;
    case 'ports':
      return `${match.protocol} ${match.side === 'source' ? 'sport' : 'dport'} { ${match.ranges.map(formatPorts).join(', ')} }`;
    case 'state':
      return `ct state ${match.states.join(',').toLowerCase()}`;
    case 'icmp-types':
      return `${FAMILY[family].icmp} type { ${match.types.join(', ')} }`;
    case 'flood':
      return renderFlood(match);
    default:
      return PLAIN[match.is][family];
  }
}

const WITH_PORTS = 'meta l4proto { tcp, udp }';
const serviceOf = (side: Side, family: Family): string =>
  `${addressOf(side, family)} . meta l4proto . th ${side === 'source' ? 'sport' : 'dport'}`;

const BRIDGE: Readonly<Record<Side, string>> = { source: 'iif', destination: 'fib daddr oif' };

function renderFlood({ set, of, packets, seconds }: Extract<Match, { is: 'flood' }>): string {
  const [over, bridge] = [overOf(set), BRIDGE[of]];
  const noted = over === undefined ? '' : ` add @${over} { ${bridge} }`;
  return `update @${set} { ${bridge} limit rate over ${packets / seconds}/second burst ${packets} packets }${noted}`;
}

type PerFamily = Readonly<Record<Family, string>>;
const both = (words: string): PerFamily => ({ 4: words, 6: words });

const PLAIN: Readonly<Record<PlainMatch, PerFamily>> = {
  'from-domain': both(`iifgroup ${DEVICE_GROUP}`),
  'to-domain': both(`oifgroup ${DEVICE_GROUP}`),
  reply: both('ct direction reply'),
  redirected: both('ct status dnat'),
  'redirected-call': both('ct status dnat ct direction original'),
  'not-opening': both('tcp flags & (fin | syn | rst | ack) != syn'),
  announcing: both('tcp flags & (syn | rst) == syn'),
  spoofed: both('fib saddr . iif oif missing'),
  'broadcast-source': both('fib saddr type broadcast'),
  local: both('fib daddr type local'),
  'dhcp-discover': both('ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67'),
  'dhcp-request': { 4: 'udp sport 68 udp dport 67', 6: 'udp sport 546 udp dport 547' },
  'dhcp-reply': { 4: 'udp sport 67 udp dport 68', 6: 'udp sport 547 udp dport 546' },
  'icmp-error': {
    4: 'icmp type { destination-unreachable, time-exceeded, parameter-problem }',
    6: 'icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem }',
  },
  'icmp-redirect': { 4: 'icmp type redirect', 6: 'icmpv6 type nd-redirect' },
};

function renderVerdict(verdict: Verdict, family: Family): string {
  // An accept would leave the flow to chains of a later priority, a translation to itself doesn't.
  if (verdict.do === 'keep') return `snat to ${addressOf('source', family)}`;
  if (verdict.do === 'translate') return `snat to ${format(verdict.source)}`;
  if (verdict.do === 'redirect') return renderRedirect(verdict);
  if (verdict.do === 'note') return renderNote(verdict, family);
  // No checksum at all, which IPv4 allows (RFC 768).
  if (verdict.do === 'checksum') return 'udp checksum set 0';
  if (verdict.do === 'clamp')
    return `tcp option maxseg size set ${verdict.segment === 'path' ? 'rt mtu' : verdict.segment}`;
  if (verdict.do === 'note-service') return `update @${verdict.set} { ${serviceOf(verdict.side, family)} }`;
  if ('chain' in verdict) return `${verdict.do} ${verdict.chain}`;
  return verdict.do === 'untrack' ? 'notrack' : verdict.do;
}

/** nft has no word for a range whose ports keep their places: so each is named. */
function renderRedirect(verdict: Extract<Verdict, { do: 'redirect' }>): string {
  const { target, protocol, to } = verdict;
  const [first, final] = verdict.ports;
  const address = target.family === 4 ? format(target) : `[${format(target)}]`;
  if (to === first) return `dnat to ${format(target)}`;
  if (first === final) return `dnat to ${address}:${to}`;
  const pairs = Array.from({ length: final - first + 1 }, (_, place) => `${first + place} : ${to + place}`);
  return `dnat to ${address} : ${protocol} dport map { ${pairs.join(', ')} }`;
}

function renderNote({ set, side, seconds }: Extract<Verdict, { do: 'note' }>, family: Family): string {
  const timeout = seconds === undefined ? '' : ` timeout ${seconds}s`;
  return `update @${set} { ${addressOf(side, family)}${timeout} }`;
}

/** A chain as nft reads it. */
export const written = ({ name, rules }: Chain, family: Family): Written => ({
  name,
  lines: rules.flatMap(rule => renderRule(rule, family)),
});

/** Adds the lines to a chain that exists and is empty, with the fingerprint as the last one's comment. */
export const fill = ({ name, lines }: Written, mark: string, family: Family): Action[] =>
  lines.map((line, index) => {
    const comment = index === lines.length - 1 ? ` comment "${mark}"` : '';
    return nft('add', 'rule', tableOf(family), name, `${line}${comment}`);
  });

/** Deletes those of these chains that exist. No entry of a map may lead to them any more. */
export function deletion(names: readonly string[], family: Family, actual: FilterView['chains']): Action[] {
  const ours = names.filter(name => actual.has(chainKey(name, family)));
  return ['flush', 'delete'].flatMap(verb => ours.map(name => nft(verb, 'chain', tableOf(family), name)));
}
