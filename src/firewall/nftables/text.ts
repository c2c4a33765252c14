/** The filter's rules in the words of nft. */
import { format } from '../../model/address.ts';
import { DEVICE_GROUP } from '../../model/names.ts';
import type { PortRange } from '../../model/ports.ts';
import { type Family, isSingle, type Prefix } from '../../model/prefix.ts';
import { combinations, type Match, type Rule, type Side, type Verdict } from '../rules/rules.ts';
import { SOLICITATIONS, SOLICITING, WITHOUT_ADDRESSES } from '../rules/sets.ts';

/** nft's word for a family, and for its packets' header and ICMP. */
export const FAMILY = {
  4: { table: 'ip', type: 'ipv4_addr', icmp: 'icmp' },
  6: { table: 'ip6', type: 'ipv6_addr', icmp: 'icmpv6' },
} as const;

/** The table's name, in each family. */
export const TABLE = 'hnet';

export const tableOf = (family: Family): string => `${FAMILY[family].table} ${TABLE}`;

const SUBNETS = '-subnets';

/**
 * A set of nftables that may hold a subnet is a tree, of which a packet passes a dozen nodes among thousands. So what
 * holds the addresses of domains is two: single addresses in a hash, which a packet asks once however many there are,
 * and subnets.
 */
export const partsOf = (name: string): readonly string[] =>
  WITHOUT_ADDRESSES.has(name) ? [name] : [name, `${name}${SUBNETS}`];

/** Which part has a prefix. */
export const partFor = (name: string, prefix: Prefix): string =>
  (isSingle(prefix) ? undefined : partsOf(name)[1]) ?? name;

/** A rule as the lines that nft reads: one for each part of a set that it asks. What drops also counts. */
export function renderRule({ when, verdict }: Rule, family: Family): string[] {
  const end = [...(verdict.do === 'drop' ? ['counter'] : []), renderVerdict(verdict)];
  return combinations(when.map(match => renderMatch(match, family))).map(words =>
    [...words, ...end].join(' '),
  );
}

function renderMatch(match: Match, family: Family): string[] {
  if (match.is !== 'set') return [renderOther(match, family)];
  const address = addressOf(match.side, family);
  return match.not
    ? [
        partsOf(match.name)
          .map(part => `${address} != @${part}`)
          .join(' '),
      ]
    : partsOf(match.name).map(part => `${address} @${part}`);
}

export const addressOf = (side: Side, family: Family): string =>
  `${FAMILY[family].table} ${side === 'source' ? 'saddr' : 'daddr'}`;

function renderOther(match: Exclude<Match, { is: 'set' }>, family: Family): string {
  const { icmp } = FAMILY[family];
  switch (match.is) {
    case 'from-domain':
      return `iifgroup ${DEVICE_GROUP}`;
    case 'to-domain':
      return `oifgroup ${DEVICE_GROUP}`;
    case 'from-device':
      return `iifname "${match.device}"`;
    case 'to-device':
      return `oifname "${match.device}"`;
    case 'net':
      return `${addressOf(match.side, family)} ${format(match.prefix)}`;
    case 'protocol':
      return `meta l4proto ${match.protocol === 'icmp' && family === 6 ? 'ipv6-icmp' : match.protocol}`;
    case 'ports':
      return `${match.protocol} ${match.side === 'source' ? 'sport' : 'dport'} { ${match.ranges.map(renderRange).join(', ')} }`;
    case 'state':
      return `ct state ${match.states.join(',').toLowerCase()}`;
    case 'reply':
      return 'ct direction reply';
    case 'not-opening':
      return 'tcp flags & (fin | syn | rst | ack) != syn';
    case 'spoofed':
      return 'fib saddr . iif oif missing';
    case 'broadcast-source':
      return 'fib saddr type broadcast';
    case 'local':
      return 'fib daddr type local';
    case 'dhcp-discover':
      return 'ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67';
    case 'dhcp-request':
      return family === 4 ? 'udp sport 68 udp dport 67' : 'udp sport 546 udp dport 547';
    case 'dhcp-reply':
      return family === 4 ? 'udp sport 67 udp dport 68' : 'udp sport 547 udp dport 546';
    case 'icmp-types':
      return `${icmp} type { ${match.types.join(', ')} }`;
    case 'flood':
      return `update @${match.set} { iif limit rate over ${SOLICITATIONS / SOLICITING}/second burst ${SOLICITATIONS} packets }`;
    case 'icmp-error':
      return `${icmp} type { destination-unreachable, ${family === 4 ? '' : 'packet-too-big, '}time-exceeded, parameter-problem }`;
    case 'icmp-redirect':
      return `${icmp} type ${family === 4 ? 'redirect' : 'nd-redirect'}`;
  }
}

const renderRange = ([first, final]: PortRange): string =>
  first === final ? String(first) : `${first}-${final}`;

function renderVerdict(verdict: Verdict): string {
  switch (verdict.do) {
    case 'accept':
    case 'return':
    case 'drop':
      return verdict.do;
    case 'untrack':
      return 'notrack';
    case 'jump':
    case 'goto':
      return `${verdict.do} ${verdict.chain}`;
    case 'translate':
      return `snat to ${format(verdict.source)}`;
  }
}
